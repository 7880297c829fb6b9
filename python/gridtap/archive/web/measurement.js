// One measurement: what it is, its event types, and one of these drawn.

import { get, locate } from "./api.js";
import { Controls } from "./controls.js";
import { datatable } from "./datatable.js";
import { element } from "./dom.js";
import { drawing } from "./drawings.js";
import { byInterest, kind } from "./events.js";
import { ago, count, time } from "./format.js";
import { jsonLink } from "./jsonlink.js";
import { PRESETS, chosen, inAddress, narrowed } from "./range.js";
import { choices, failuresIn, load, newest } from "./series.js";
import { address, go, note, read } from "./state.js";
import { say } from "./status.js";

/** Keys of a metadata that are no parameters of the test */
const SHOWN_ELSEWHERE = new Set(["url", "uri", "metadata-key", "subject-type", "event-types",
  "source", "destination", "measurement-agent", "tool-name", "input-source", "input-destination",
  "typed-parameters", "metadata-count-total", "metadata-previous-page", "metadata-next-page"]);

/** What is measured every minute is looked at by the day; what takes bandwidth, by the week. */
const standardRange = (name) =>
  /throughput|retransmits|failures|streams|tcp|pscheduler/.test(name) ? "7d" : "24h";

/** One measurement; `update` shows what the parameters say. */
export class MeasurementView {
  constructor(key, listAddress) {
    this.key = key;
    this.title = "Measurement";
    this.controls = new Controls((changed) => {
      // A preset ends with the newest data, which may be newer by now.
      this.isStale = "range" in changed;
      go({ ...read(), run: undefined, ...changed });
    });
    this.events = element("ul");
    this.links = new Map();
    this.heading = element("h2", { id: "series" });
    this.area = element("div", { class: "drawing", "aria-labelledby": "series", role: "region" });
    this.head = element("div", { class: "measurement-head" },
      element("h1", { tabindex: -1 }, `Measurement ${key}`));
    this.body = element("div", { class: "measurement-body", hidden: true },
      element("nav", { class: "events", "aria-label": "Event types" }, this.events),
      element("section", { class: "series-view" }, this.heading, this.controls.element, this.area));
    this.root = element("div", { class: "measurement" },
      element("p", { class: "back" }, element("a", { href: listAddress }, "← All measurements")),
      this.head, this.body);
  }

  async update(parameters, signal) {
    this.root.setAttribute("aria-busy", "true");
    try {
      await this.load(parameters, signal);
    } catch (error) {
      // What is there belongs to what was asked for before; the error has its own line.
      if (!signal.aborted) this.area.replaceChildren();
      throw error;
    } finally {
      if (!signal.aborted) this.root.removeAttribute("aria-busy");
    }
  }

  async load(parameters, signal) {
    if (!this.metadata || this.isStale) {
      const found = await get(locate(`${encodeURIComponent(this.key)}/`), {}, signal);
      if (!this.metadata) this.describe(found);
      this.metadata = found;
      this.isStale = false;
    }
    const names = [...this.links.keys()];
    const name = this.links.has(parameters["event-type"]) ? parameters["event-type"]
      : this.firstWithData(names);
    this.list(name, parameters);
    this.body.hidden = false;
    if (name) await this.show(this.event(name), parameters, signal);
    else this.fill(element("p", { class: "empty" }, "It has no event types."));
  }

  event(name) {
    return this.metadata["event-types"].find((each) => each["event-type"] === name);
  }

  firstWithData(names) {
    return names.find((name) => this.event(name)["time-updated"] !== null) ?? names[0];
  }

  /** What does not change: head and list of event types. */
  describe(metadata) {
    const from = metadata["input-source"] || metadata.source || "?";
    const to = metadata["input-destination"] || metadata.destination;
    this.title = to ? `${from} to ${to}` : from;
    const title = element("h1", { tabindex: -1 }, from,
      ...(to ? [element("span", { class: "arrow" }, " → "), to] : []));
    const facts = [
      ["Source", metadata.source], ["Destination", metadata.destination],
      ["Agent", metadata["measurement-agent"]], ["Tool", metadata["tool-name"]],
      ["Key", metadata["metadata-key"]],
    ].filter(([, value]) => value);
    const parameters = Object.entries(metadata).filter(([name]) => !SHOWN_ELSEWHERE.has(name));
    this.head.replaceChildren(title, definitions("facts", facts));
    if (parameters.length)
      this.head.append(element("details", { class: "parameters" },
        element("summary", {}, count(parameters.length, "parameter")),
        definitions("parameter-list", parameters)));
    for (const name of byInterest(metadata["event-types"].map((each) => each["event-type"])))
      this.links.set(name, element("a", {}, element("span", { class: "name" }, name),
        element("span", { class: "second" })));
    this.events.replaceChildren(...[...this.links.values()].map((link) => element("li", {}, link)));
  }

  /** Event types as links that show another one over the same time. */
  list(current, { range, from, to }) {
    for (const [name, link] of this.links) {
      link.href = address({ key: this.key, "event-type": name, range, from, to });
      if (name === current) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
      const updated = this.event(name)["time-updated"];
      link.lastChild.textContent = updated === null ? "no data"
        : `${time(updated).slice(0, 16)} · ${ago(updated)}`;
    }
  }

  async show(event, parameters, signal) {
    const name = event["event-type"];
    const updated = event["time-updated"];
    this.heading.textContent = name;
    const end = updated ?? Math.floor(Date.now() / 1000);
    const wanted = chosen(parameters, standardRange(name), end);
    this.controls.set(wanted, choices(event), parameters);
    if (updated === null && wanted.preset) {
      this.fill(element("p", { class: "empty" }, "Nothing has been written to it yet."));
      return;
    }
    const { loaded, range, last } = await this.find(event, parameters, wanted, end, signal);
    if (!loaded.points.length && last !== undefined) {
      this.nothing(last);
      return;
    }
    this.controls.set(range, choices(event), parameters);
    loaded.failed = name === "failures" ? []
      : await failuresIn(this.event("failures"), range, signal);
    this.draw(name, loaded, range, signal);
  }

  /** The points of the wanted range; of where the newest are, if a preset has none. */
  async find(event, parameters, wanted, end, signal) {
    const progress = (points) => say(`${count(points, "point")} loaded`);
    const loaded = await load(event, parameters.data, wanted, signal, progress);
    if (loaded.points.length) {
      const isOpen = wanted.preset && !parameters.range;
      return { loaded, range: isOpen ? narrowed(wanted, loaded.points[0].ts) : wanted };
    }
    const last = await newest(event["base-uri"], end, signal);
    if (last === undefined || !wanted.preset) return { loaded, range: wanted, last };
    const range = { ...wanted, from: last - PRESETS[wanted.preset], to: last };
    const moved = await load(event, parameters.data, range, signal, progress);
    moved.notes.unshift(`It was updated at ${time(end, "UTC")}, but its newest data are of ` +
      `${time(last, "UTC")}: the range ends there.`);
    return { loaded: moved, range };
  }

  failureNote(failed, range) {
    const link = address({ key: this.key, "event-type": "failures", from: inAddress(range.from),
      to: inAddress(range.to) });
    return element("p", { class: "note" },
      element("span", { class: "failure-mark" }, "▲"), " marks ",
      element("a", { href: link }, count(failed.length, "failure")), ".");
  }

  /** Says that a range is empty, and where it is not. */
  nothing(last) {
    const href = address({ ...read(), range: undefined, from: inAddress(last - PRESETS["24h"]),
      to: inAddress(last + 1) });
    this.fill(element("div", { class: "empty" }, element("p", {}, "No data in this range."),
      element("p", {}, `The newest before its last update are of ${time(last, "UTC")}. `,
        element("a", { href }, "Show the day before them"))));
  }

  fill(...parts) {
    this.area.replaceChildren(...parts.filter(Boolean));
    say(this.area.querySelector(".empty")?.textContent ?? "");
  }

  draw(name, loaded, range, signal) {
    const { choice, points, failed } = loaded;
    if (!points.length) {
      this.fill(element("p", { class: "empty" }, `There are no ${choice.label} in this range.`));
      return;
    }
    const drawn = drawing(kind(name, choice.summaryType, points), {
      name, choice, points, failed, range, signal,
      parameters: read(),
      remember: (parameter, value) => note({ ...read(), [parameter]: value }),
      again: () => this.draw(name, loaded, range, signal),
      zoom: (from, to) => this.controls.between(from, to),
    });
    const notes = [...loaded.notes, ...drawn.notes];
    const what = `${count(points.length, "point")}, ${choice.label}`;
    this.fill(
      element("p", { class: "what" }, `${what}, ${time(range.from)} to ${time(range.to, "UTC")}`),
      ...notes.map((text) => element("p", { class: "note" }, text)),
      ...drawn.parts,
      drawn.marksFailures && failed.length ? this.failureNote(failed, range) : null,
      element("p", { class: "links" }, jsonLink(choice, range)),
      drawn.table ? asTable(name, drawn.table) : null,
    );
    say(`${name}: ${what}. ${notes.join(" ")}`);
  }
}

function definitions(name, pairs) {
  return element("dl", { class: name }, ...pairs.map(([term, value]) =>
    element("div", {}, element("dt", {}, term), element("dd", {}, String(value)))));
}

/** The table, made when it is opened: it can be long. */
function asTable(name, { columns, rows }) {
  const details = element("details", { class: "as-table" },
    element("summary", {}, "The same as a table"));
  details.addEventListener("toggle", () => {
    if (details.open && !details.querySelector("table"))
      details.append(datatable(`${name} as a table`, columns, rows()));
  });
  return details;
}
