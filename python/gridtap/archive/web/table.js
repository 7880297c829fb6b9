// The table of measurements.

import { breakable, element } from "./dom.js";
import { byInterest } from "./events.js";
import { ago, time } from "./format.js";
import { address } from "./state.js";

/** Event types that a row names; the others are counted. */
const NAMED = 2;

const compare = new Intl.Collator("en", { numeric: true }).compare;

const host = (name, input) => (row) => row[input] || row[name];

const COLUMNS = [
  { id: "source", title: "Source", cell: (row) => place(row.source, row["input-source"]),
    by: host("source", "input-source") },
  { id: "destination", title: "Destination",
    cell: (row) => place(row.destination, row["input-destination"]),
    by: host("destination", "input-destination") },
  { id: "agent", title: "Agent", cell: (row) => [row["measurement-agent"]],
    by: (row) => row["measurement-agent"] },
  { id: "tool", title: "Tool", cell: (row) => breakable(row["tool-name"]),
    by: (row) => row["tool-name"] },
  { id: "events", title: "Event types", cell: events, by: (row) => byInterest(row.events).join() },
  { id: "updated", title: "Last update", cell: updated, by: (row) => row.updated ?? -Infinity },
];

/** What can be sorted by: id and title. */
export const ORDERS = COLUMNS.map(({ id, title }) => ({ id, title }));

/** Rows in the order of a column; "-" in front of its id turns it round. */
export function sorted(rows, order) {
  const column = COLUMNS.find(({ id }) => id === order.replace(/^-/, ""));
  if (!column) return rows;
  const sign = order.startsWith("-") ? -1 : 1;
  const inOrder = (a, b) => (typeof a === "number" ? Math.sign(a - b) || 0 : compare(a, b));
  return [...rows].sort((a, b) => sign * inOrder(column.by(a), column.by(b)) ||
    (a.key < b.key ? -1 : 1));
}

function place(ip, name) {
  if (!ip) return [element("span", { class: "none" }, "none")];
  if (!name || name === ip) return breakable(ip);
  return [...breakable(name), element("span", { class: "second" }, ...breakable(ip))];
}

function events(row) {
  const names = byInterest(row.events);
  const links = names.slice(0, NAMED).map((name) =>
    element("a", { class: "chip", href: address({ key: row.key, "event-type": name }) }, name));
  const rest = names.slice(NAMED);
  if (rest.length)
    links.push(element("span", { class: "more", title: rest.join(", ") }, `+${rest.length}`));
  return [element("span", { class: "chips" }, ...links)];
}

function updated(row) {
  if (row.updated === null) return [element("span", { class: "none" }, "never")];
  return [time(row.updated), element("span", { class: "second" }, ago(row.updated))];
}

/** Where a row leads. */
const target = (row) => address({ key: row.key });

/**
 * The table.
 *
 * @param {Row[]} rows in the order in which they are shown
 * @param {string} order as in `sorted`
 * @param {function(string)} onSort another order is wanted
 */
export function table(rows, order, onSort) {
  // The roles are named because narrow screens show rows as blocks, which would take them away.
  const head = element("tr", { role: "row" }, ...COLUMNS.map((column) =>
    header(column, order, onSort)));
  const body = rows.map((row) => {
    const made = element("tr", { role: "row", "data-key": row.key }, ...COLUMNS.map(
      (column, index) => cell(column, index, row)));
    made.addEventListener("click", (event) => {
      const isLink = event.target.closest("a");
      if (!isLink && !getSelection().toString()) location.hash = target(row);
    });
    return made;
  });
  return element("table", { class: "measurements", role: "table" },
    element("caption", { class: "sr-only" }, "Measurements"),
    element("thead", { role: "rowgroup" }, head),
    element("tbody", { role: "rowgroup" }, ...body));
}

function header({ id, title }, order, onSort) {
  const isUp = order === id;
  const isDown = order === `-${id}`;
  // A date is wanted newest first, a name from A to Z.
  const first = id === "updated" ? `-${id}` : id;
  const second = id === "updated" ? id : `-${id}`;
  const button = element("button", { type: "button", class: "sort", id: `sort-${id}`,
    onclick: () => onSort(order === first ? second : order === second ? "" : first) },
    title, element("span", { class: "arrow", "aria-hidden": "true" },
      isUp ? "▲" : isDown ? "▼" : "↕"));
  const direction = isUp ? "ascending" : isDown ? "descending" : null;
  return element("th", { scope: "col", role: "columnheader", "aria-sort": direction }, button);
}

function cell(column, index, row) {
  const content = [element("span", { class: "value" }, ...column.cell(row))];
  const attributes = { role: "cell", class: `c-${column.id}`, "data-label": column.title };
  if (index > 0) return element("td", attributes, ...content);
  return element("td", attributes, element("a", { class: "row-link", href: target(row) },
    ...content));
}
