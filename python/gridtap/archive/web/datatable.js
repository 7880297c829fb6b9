// The same data as a table, a page at a time.

import { element } from "./dom.js";
import { count } from "./format.js";

const PAGE = 100;

/**
 * A table of rows of text.
 *
 * @param {string} caption
 * @param {{title: string, isNumber: ?boolean}[]} columns
 * @param {{cells: string[], class: ?string}[]} rows
 * @param {?function(number)} onRow a row's first cell becomes a button that chooses it
 */
export function datatable(caption, columns, rows, onRow) {
  const body = element("tbody");
  const head = element("tr", {}, ...columns.map(({ title, isNumber }) =>
    element("th", { scope: "col", class: isNumber ? "number" : null }, title)));
  const table = element("table", { class: "data" },
    element("caption", { class: "sr-only" }, caption), element("thead", {}, head), body);
  const where = element("span", { role: "status" });
  const back = element("button", { type: "button", onclick: () => show(start - PAGE) }, "Previous");
  const on = element("button", { type: "button", onclick: () => show(start + PAGE) }, "Next");
  let start = 0;
  const show = (first) => {
    start = first;
    const shown = rows.slice(start, start + PAGE);
    body.replaceChildren(...shown.map((each, index) => row(each, columns, start + index, onRow)));
    where.textContent = `${start + 1} to ${start + shown.length} of ${count(rows.length, "row")}`;
    back.disabled = start === 0;
    on.disabled = start + PAGE >= rows.length;
  };
  show(0);
  const pager = rows.length > PAGE && element("div", { class: "pager" }, where, back, on);
  const scroller = element("div", { class: "scroller", tabindex: 0, role: "region",
    "aria-label": caption }, table);
  return element("div", { class: "datatable" }, scroller, pager || null);
}

function row({ cells, class: name }, columns, index, onRow) {
  return element("tr", { class: name }, ...cells.map((cell, which) => {
    const content = which === 0 && onRow
      ? element("button", { type: "button", class: "link", onclick: () => onRow(index) }, cell)
      : cell;
    return element("td", { class: columns[which].isNumber ? "number" : null }, content);
  }));
}
