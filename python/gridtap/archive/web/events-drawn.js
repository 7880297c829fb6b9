// What has no value to plot: failures, and JSON of any shape.

import { datatable } from "./datatable.js";
import { element } from "./dom.js";
import { time } from "./format.js";
import { byRun, timeline } from "./runs.js";

/** Characters of a document that are read out or shown in a table. */
const SHORT = 160;

const short = (text) => (text.length > SHORT ? `${text.slice(0, SHORT)}…` : text);

/** What a failure says; whatever else it is, if it does not. */
function errorText(val) {
  return typeof val?.error === "string" ? val.error : JSON.stringify(val);
}

/** Failures: marks on the time axis, and what they say. */
export function failures(context) {
  const { points } = context;
  const texts = points.map((point) => errorText(point.val));
  const marks = timeline(context, {
    lanes: [],
    laneOf: () => 0,
    say: (index) => short(texts[index]),
    label: "failures over time",
  });
  const rows = points.map((point, index) => ({ cells: [time(point.ts), texts[index]] })).reverse();
  const columns = [{ title: "Time (UTC)" }, { title: "Error" }];
  return { parts: [marks.element, datatable("Failures, newest first", columns, rows)], notes: [] };
}

/** Documents: one at a time, as text. */
export function texts(context) {
  const { points, name } = context;
  const { parts } = byRun(
    context,
    (start, onSelect) => timeline(context, {
      lanes: [],
      laneOf: () => 0,
      say: (index) => short(JSON.stringify(points[index].val)),
      label: `${name} over time`,
      start,
      onSelect,
    }),
    (index) => [element("pre", { class: "json", tabindex: 0 },
      JSON.stringify(points[index].val, null, 2))],
  );
  return {
    parts,
    table: {
      columns: [{ title: "Time (UTC)" }, { title: "Value" }],
      rows: () => points.map(({ ts, val }) => ({ cells: [time(ts), short(JSON.stringify(val))] })),
    },
    notes: [],
  };
}
