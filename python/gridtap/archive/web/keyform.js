// Asking for the key of a private archive.

import { element } from "./dom.js";
import { keep, key } from "./key.js";

/**
 * The form.
 *
 * @param {string} why the archive's own words
 * @param {function()} onChange the key is another one now
 */
export function keyForm(why, onChange) {
  const input = element("input", { type: "password", id: "key", autocomplete: "off",
    spellcheck: "false", required: true, "aria-describedby": "key-help" });
  const change = (text) => {
    keep(text);
    onChange();
  };
  const form = element("form", { class: "key-form" },
    element("h1", { tabindex: -1 }, "This archive asks for a key"),
    element("p", { role: "alert" }, why),
    element("label", { for: "key" }, "API key"), input,
    element("div", { class: "buttons" },
      element("button", { type: "submit", class: "primary" }, "Use the key"),
      key() ? element("button", { type: "button", onclick: () => change("") }, "Go on without")
        : null),
    element("p", { id: "key-help", class: "help" },
      "It is kept until this tab is closed, and sent to this archive only."));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    change(input.value.trim());
  });
  return form;
}
