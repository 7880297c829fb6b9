// The first view: search, filters, the table of measurements and its pages.

import { element } from "./dom.js";
import { NAMES } from "./events.js";
import { count } from "./format.js";
import { MOST, everything, forget, page } from "./listing.js";
import { FIELDS, matches, parse } from "./search.js";
import { address, go, note, read } from "./state.js";
import { say } from "./status.js";
import { ORDERS, sorted, table } from "./table.js";

const PAGE = 50;

/** Milliseconds without a key stroke after which a search begins. */
const PAUSE = 250;

const LABELS = { source: "Source", destination: "Destination", "measurement-agent": "Agent",
  "tool-name": "Tool", "event-type": "Event type" };

const HINTS = { source: "address or host", destination: "address or host",
  "measurement-agent": "address or host", "tool-name": "whole name", "event-type": "any" };

/** The list of measurements; `update` shows what the parameters say. */
export class ListView {
  constructor() {
    this.title = "Measurements";
    this.summary = element("p", { class: "summary" });
    this.place = element("div", { class: "results" });
    this.pager = element("nav", { class: "pager", "aria-label": "Pages" });
    this.search = element("input", { type: "search", id: "search", name: "q", autocomplete: "off",
      spellcheck: "false", placeholder: "host, address, tool, event type, name=value",
      "aria-describedby": "search-help" });
    this.fields = Object.fromEntries(FIELDS.map((name) => [name, field(name)]));
    this.filters = element("details", { open: matchMedia("(min-width: 58rem)").matches },
      element("summary", {}, "Filters"), element("div", { class: "filters" },
        ...FIELDS.map((name) => element("div", { class: "field" },
          element("label", { for: `filter-${name}` }, LABELS[name]), this.fields[name]))));
    this.order = element("select", { id: "order" },
      element("option", { value: "" }, "archive order"),
      ...ORDERS.flatMap(({ id, title }) => [element("option", { value: id }, `${title} ↑`),
        element("option", { value: `-${id}` }, `${title} ↓`)]));
    this.order.addEventListener("change", () => this.sort(this.order.value));
    this.root = element("div", { class: "list" },
      element("h1", { tabindex: -1 }, "Measurements"), this.form(), this.summary, this.place,
      this.pager);
  }

  form() {
    const form = element("form", { class: "search", role: "search" },
      element("div", { class: "search-main" },
        element("label", { for: "search" }, "Search"), this.search,
        element("button", { type: "submit", class: "primary" }, "Search"),
        element("button", { type: "reset" }, "Clear")),
      element("p", { id: "search-help", class: "help" }, "Parts of names, whole addresses, and ",
        element("code", {}, "name=value"), " for any parameter, such as ",
        element("code", {}, "ip-transport-protocol=udp"), "."),
      this.filters,
      element("div", { class: "field order" }, element("label", { for: "order" }, "Sort by"),
        this.order),
      element("datalist", { id: "event-names" }, ...NAMES.map((name) =>
        element("option", { value: name }))));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      // Whoever asks again wants to know how it is now.
      forget();
      go(this.asked());
    });
    form.addEventListener("reset", () => setTimeout(() => go({})));
    this.search.addEventListener("input", () => this.later());
    return form;
  }

  later() {
    clearTimeout(this.timer);
    // Half a value is a value to the archive, and half a host name one to look up: Enter says when.
    if (this.search.value.includes("=")) return;
    this.timer = setTimeout(() => {
      // No step for the back button with every letter.
      note(this.asked());
      dispatchEvent(new Event("hashchange"));
    }, PAUSE);
  }

  /** The parameters that the inputs ask for; the first page of them. */
  asked() {
    const fields = Object.entries(this.fields).map(([name, input]) => [name, input.value.trim()]);
    return { q: this.search.value.trim(), ...Object.fromEntries(fields), sort: read().sort };
  }

  sort(order) {
    go({ ...read(), sort: order, page: undefined });
  }

  async update(parameters, signal) {
    clearTimeout(this.timer);
    if (this.search.value.trim() !== (parameters.q ?? "")) this.search.value = parameters.q ?? "";
    for (const [name, input] of Object.entries(this.fields)) input.value = parameters[name] ?? "";
    if (FIELDS.some((name) => parameters[name])) this.filters.open = true;
    this.order.value = parameters.sort ?? "";
    this.root.setAttribute("aria-busy", "true");
    const asked = parse(parameters);
    const isWhole = asked.words.length || asked.address || parameters.sort;
    try {
      await (isWhole ? this.showAll(parameters, asked, signal)
        : this.showPage(parameters, asked, signal));
    } finally {
      if (!signal.aborted) this.root.removeAttribute("aria-busy");
    }
  }

  /** A page as the archive has it. */
  async showPage(parameters, { filters }, signal) {
    const start = startOf(parameters);
    const { rows, total } = await page(filters, start, PAGE, signal);
    this.show(parameters, rows, start, total, count(total, "measurement"));
  }

  /** A page of what has to be searched or sorted here. */
  async showAll(parameters, asked, signal) {
    const start = startOf(parameters);
    const show = (all, text, isCut) => {
      const found = all.filter((row) => matches(row, asked.words));
      const rows = sorted(found, parameters.sort ?? "").slice(start, start + PAGE);
      const cut = isCut ? `; only the first ${MOST.toLocaleString("en")} were looked at: add a ` +
        "filter" : "";
      this.show(parameters, rows, start, found.length, count(found.length, "measurement") + text +
        cut);
    };
    const onProgress = (rows, total) => {
      if (rows.length < total)
        show(rows, ` so far; ${rows.length.toLocaleString("en")} of ` +
          `${total.toLocaleString("en")} looked at`);
    };
    const { rows, isCut } = await everything(asked, onProgress, signal);
    show(rows, "", isCut);
  }

  show(parameters, rows, start, total, text) {
    const focused = document.activeElement?.id;
    this.summary.textContent = text;
    this.place.replaceChildren(rows.length
      ? table(rows, parameters.sort ?? "", (order) => this.sort(order))
      : element("p", { class: "empty" }, "No measurement matches."));
    this.pager.replaceChildren(...pages(parameters, start, rows.length, total));
    if (focused?.startsWith("sort-")) document.getElementById(focused)?.focus();
    say(text);
  }
}

function field(name) {
  return element("input", { id: `filter-${name}`, name, autocomplete: "off", spellcheck: "false",
    placeholder: HINTS[name], list: name === "event-type" ? "event-names" : null });
}

function startOf(parameters) {
  const number = Number(parameters.page ?? 1);
  return Number.isInteger(number) && number > 0 ? (number - 1) * PAGE : 0;
}

function pages(parameters, start, shown, total) {
  if (total <= PAGE && start === 0) return [];
  const current = start / PAGE + 1;
  const link = (number, text, isThere) => {
    if (!isThere) return element("span", { class: "off" }, text);
    const page = number > 1 ? number : undefined;
    return element("a", { href: address({ ...parameters, page }) }, text);
  };
  const last = Math.ceil(total / PAGE);
  const numbers = (value) => value.toLocaleString("en");
  return [
    link(1, "First", current > 1),
    link(Math.min(current - 1, last), "Previous", current > 1),
    element("span", { class: "where" }, shown
      ? `${numbers(start + 1)} to ${numbers(start + shown)} of ${numbers(total)}` : "nothing here"),
    link(current + 1, "Next", start + shown < total),
    link(last, "Last", start + shown < total),
  ];
}
