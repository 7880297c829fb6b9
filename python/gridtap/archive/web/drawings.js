// How points of each kind are drawn, and what they are as a table.

import { unit as unitOf } from "./events.js";
import { failures, texts } from "./events-drawn.js";
import { count, duration, number, quantity, time } from "./format.js";
import { intervals, streams } from "./intervals.js";
import { element } from "./dom.js";
import { grid, heatmap, numeric, quantile } from "./plot/heatmap.js";
import { legend, lineplot, timeAxis, usualStep, valueAxis } from "./plot/lineplot.js";
import { trace } from "./traces.js";

/**
 * @typedef {object} Context
 * @property {string} name of the event type
 * @property {object} choice base data or a summary, as `choices` has them
 * @property {{ts: number, val: any}[]} points
 * @property {{from: number, to: number}} range
 * @property {Object<string, string>} parameters of the address
 * @property {function(string, ?string)} remember notes a parameter in the address
 * @property {function()} again draws once more, with the parameters as they are now
 * @property {{ts: number, val: any}[]} failed what failed in the range
 * @property {function(number, number)} zoom shows another range
 * @property {AbortSignal} signal
 */

/**
 * @typedef {object} Drawing
 * @property {Node[]} parts
 * @property {?{columns: object[], rows: function(): object[]}} table
 * @property {string[]} notes
 * @property {?boolean} marksFailures whether failures are marked in it
 */

const HEIGHT = 320;

const DRAWN = { numeric: numbers, percentage, histogram, statistics, failures, trace, intervals,
  streams, numbers: lists, json: texts };

/** The points of a kind that `kind` has found, drawn. At least one point is there. */
export function drawing(kind, context) {
  return DRAWN[kind](context);
}

function value(raw) {
  if (typeof raw === "number") return raw;
  return typeof raw === "string" && raw.trim() !== "" ? Number(raw) : NaN;
}

/** Lines over time, of series of values by point. */
function lines(context, series, unit, isFromZero) {
  const { name, range, choice, points } = context;
  const drawn = series.map(({ name: title, of }) => ({
    name: title,
    points: points.map(({ ts, val }) => ({ x: ts, y: value(of(val)) }))
      .filter(({ y }) => Number.isFinite(y)),
  }));
  const values = drawn.flatMap((each) => each.points.map((point) => point.y));
  const plot = lineplot({
    label: `${name}, ${choice.label}, over time`,
    height: HEIGHT,
    x: timeAxis(range.from, range.to),
    y: valueAxis(values, unit, isFromZero),
    unit,
    series: drawn,
    step: choice.window,
    failures: context.failed.map((each) => each.ts),
    onZoom: context.zoom,
    signal: context.signal,
  });
  const left = points.length - Math.max(0, ...drawn.map((each) => each.points.length));
  return {
    parts: [plot.element, drawn.length > 1 ? legend(drawn.map((each) => each.name)) : null],
    table: {
      columns: [{ title: "Time (UTC)" },
        ...drawn.map((each) => ({ title: each.name, isNumber: true }))],
      rows: () => points.map(({ ts, val }) => ({
        cells: [time(ts), ...series.map(({ of }) => shown(of(val), unit))],
      })),
    },
    marksFailures: true,
    notes: left ? [`${count(left, "value")} that are no numbers are in the table only.`] : [],
  };
}

function shown(raw, unit) {
  const parsed = value(raw);
  if (Number.isFinite(parsed)) return quantity(parsed, unit);
  return raw === undefined ? "" : JSON.stringify(raw);
}

function numbers(context) {
  const unit = unitOf(context.name);
  // Clock offsets and delays live far from 0 or around it; counts and rates are seen from 0.
  const isFromZero = !["ms", "ppm"].includes(unit);
  return lines(context, [{ name: context.name, of: (val) => val }], unit, isFromZero);
}

function percentage(context) {
  return lines(context, [{ name: context.name, of: (val) => val }], "%", true);
}

const STATISTICS = [
  ["95th percentile", "percentile-95"], ["median", "median"], ["minimum", "minimum"],
];

function statistics(context) {
  const series = STATISTICS.map(([name, field]) => ({ name, of: (val) => val?.[field] }));
  return lines(context, series, unitOf(context.name), false);
}

function lists(context) {
  const most = context.points.reduce((all, { val }) => Math.max(all, val.length), 0);
  const series = Array.from({ length: most }, (_, stream) => ({
    name: `stream ${stream + 1}`,
    of: (val) => val[stream] ?? undefined,
  }));
  return lines(context, series, unitOf(context.name), true);
}

function histogram(context) {
  const { name, range, choice, points, parameters, remember, again } = context;
  const unit = unitOf(name);
  const step = choice.window || usualStep(points.map((point) => point.ts)) || 60;
  const isWhole = parameters.buckets === "all";
  // Hops are counted; whether some number of them was seen says nothing about a bucket's width.
  const map = grid(points, range, step, unit === "hops" ? 1 : undefined, isWhole);
  const plot = heatmap({ label: `${name}, ${choice.label}: share of packets by time and bucket`,
    height: HEIGHT + 20, map, range, unit, onZoom: context.zoom, signal: context.signal });
  const notes = [];
  const width = duration(Math.round(map.width));
  if (map.columns.length < points.length)
    notes.push(`A column is ${width} wide; what falls into it is added up.`);
  const labels = points.flatMap(({ val }) => Object.keys(val ?? {}));
  const odd = labels.filter((label) => !Number.isFinite(Number(label))).length;
  if (odd) notes.push(`${count(odd, "bucket")} that are no numbers are not drawn.`);
  let toggle = null;
  if (map.rows.isCut || isWhole) {
    const end = map.rows.from + map.rows.count * map.rows.size;
    if (map.rows.isCut)
      notes.push(`The row "above" has all from ${quantity(end, unit)} to ` +
        `${quantity(map.rows.top, unit)}.`);
    const change = () => {
      remember("buckets", isWhole ? undefined : "all");
      again();
      // The box was made anew; who pressed it is still there.
      document.getElementById("whole")?.focus();
    };
    toggle = element("label", { class: "toggle" },
      element("input", { type: "checkbox", id: "whole", checked: isWhole, onchange: change }),
      "All buckets, however far out");
  }
  return { parts: [plot.element, toggle], table: histogramTable(points, unit), notes };
}

function histogramTable(points, unit) {
  const cells = ({ ts, val }) => {
    const buckets = numeric(val).sort((a, b) => a[0] - b[0]);
    const total = buckets.reduce((sum, [, amount]) => sum + amount, 0);
    const at = (part) => (total ? quantity(quantile(buckets, total, part), unit) : "");
    const all = Object.entries(val ?? {}).map(([bucket, amount]) => `${bucket}: ${amount}`);
    return [time(ts), number(total), at(0), at(0.5), at(1), all.join(", ")];
  };
  return {
    columns: [{ title: "Time (UTC)" }, { title: "Packets", isNumber: true },
      { title: "Minimum", isNumber: true }, { title: "Median", isNumber: true },
      { title: "Maximum", isNumber: true }, { title: "Buckets" }],
    rows: () => points.map((point) => ({ cells: cells(point) })),
  };
}
