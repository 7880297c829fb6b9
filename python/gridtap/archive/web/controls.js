// Which part of a series is shown: range of time, base data or a summary.

import { element } from "./dom.js";
import { time } from "./format.js";
import { PRESETS, inAddress, label, seconds } from "./range.js";

/**
 * Inputs over the plot. They are made once and set to what is shown, so that they keep the focus.
 *
 * @param {function(object)} onChange parameters that have to be others now
 */
export class Controls {
  constructor(onChange) {
    this.onChange = onChange;
    this.presets = Object.keys(PRESETS).map((name) => {
      const choose = () => onChange({ range: name, from: undefined, to: undefined });
      return element("button", { type: "button", "data-range": name, onclick: choose },
        label(name));
    });
    this.from = moment("from");
    this.to = moment("to");
    this.data = element("select", { id: "data",
      onchange: () => onChange({ data: this.data.value || undefined }) });
    this.choice = element("div", { class: "field" }, element("label", { for: "data" }, "Data"),
      this.data);
    this.error = element("span", { class: "field-error", role: "alert" });
    this.element = element("div", { class: "controls" },
      element("div", { class: "group", role: "group", "aria-label": "Length of time" },
        ...this.presets),
      element("div", { class: "group", role: "group", "aria-label": "Move in time" },
        element("button", { type: "button", onclick: () => this.shift(-1) }, "← Earlier"),
        element("button", { type: "button", onclick: () => this.shift(1) }, "Later →")),
      this.form(),
      this.choice);
  }

  form() {
    const form = element("form", { class: "between" },
      element("div", { class: "field" }, element("label", { for: "from" }, "From (UTC)"),
        this.from),
      element("div", { class: "field" }, element("label", { for: "to" }, "To (UTC)"), this.to),
      element("button", { type: "submit" }, "Show"), this.error);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const [from, to] = [seconds(this.from.value), seconds(this.to.value)];
      const isTime = from !== undefined && to !== undefined;
      this.error.textContent = !isTime ? "Write times as 2021-03-01 12:00:00."
        : from >= to ? "From has to be before To." : "";
      if (isTime && from < to) this.between(from, to);
    });
    return form;
  }

  between(from, to) {
    this.onChange({ range: undefined, from: inAddress(Math.floor(from)),
      to: inAddress(Math.ceil(to)) });
  }

  shift(direction) {
    const { from, to } = this.range;
    const step = direction * (to - from);
    this.between(from + step, to + step);
  }

  /** Sets the inputs to what is shown. */
  set(range, choices, parameters) {
    this.range = range;
    for (const button of this.presets)
      button.setAttribute("aria-pressed", String(button.dataset.range === range.preset));
    this.from.value = time(range.from);
    this.to.value = time(range.to);
    this.error.textContent = "";
    this.data.replaceChildren(element("option", { value: "" }, "automatic"),
      ...choices.map((each) => element("option", { value: each.id }, each.label)));
    this.choice.hidden = choices.length < 2;
    this.data.value = choices.some((each) => each.id === parameters.data) ? parameters.data : "";
  }
}

/** Times are written in full, and the same everywhere: a browser's own input follows its locale. */
function moment(id) {
  return element("input", { id, class: "moment", autocomplete: "off", spellcheck: "false" });
}
