// Histograms over time: columns are times, rows are buckets, colours the share of packets.

import { element, shape } from "../dom.js";
import { number, quantity, time } from "../format.js";
import { linearTicks } from "./axes.js";
import { heat, placeOf, shareAt } from "./colours.js";
import { figure } from "./figure.js";
import { timeAxis } from "./lineplot.js";

/** Rows and columns at most: cells that can still be told apart. */
const ROWS = 90;
const COLUMNS = 480;

/** Rows that get empty ones around them. */
const FEW = 3;

/** The part of all packets that the axis has to cover; a few late ones must not squeeze it. */
const COVERED = 0.995;

/**
 * Histograms as a grid.
 *
 * @param {{ts: number, val: Object<string, number>}[]} points
 * @param {number} step seconds that a point stands for
 * @param {?number} bucketWidth width of a bucket; the smallest distance of two if not given
 * @param {boolean} isWhole show all buckets, however far out
 */
export function grid(points, range, step, bucketWidth, isWhole) {
  const width = Math.max(step, (range.to - range.from + step) / COLUMNS) || 1;
  const merged = new Map();
  for (const { ts, val } of points) {
    const index = Math.floor((ts - range.from) / width);
    if (!merged.has(index)) merged.set(index, { first: ts, last: ts, counts: new Map() });
    const column = merged.get(index);
    column.last = ts;
    for (const [bucket, amount] of numeric(val))
      column.counts.set(bucket, (column.counts.get(bucket) ?? 0) + amount);
  }
  const columns = [...merged].map(([index, column]) => finished(column, range, width, index));
  const rows = rowsOf(columns, bucketWidth, isWhole);
  for (const column of columns) column.cells = cellsOf(column, rows);
  const most = columns.reduce((sum, column) => Math.max(sum, ...column.cells), 0);
  return { columns, rows, most, width };
}

/** Buckets that are numbers, with what is in them. */
export function numeric(histogram) {
  return Object.entries(histogram ?? {})
    .map(([bucket, amount]) => [Number(bucket), Number(amount)])
    .filter(([bucket, amount]) => Number.isFinite(bucket) && amount > 0);
}

function finished({ first, last, counts }, range, width, index) {
  const buckets = [...counts].sort((a, b) => a[0] - b[0]);
  const total = buckets.reduce((sum, [, amount]) => sum + amount, 0);
  return { first, last, buckets, total, from: range.from + index * width };
}

/** The bucket below which a part of the packets lies. */
export function quantile(buckets, total, part) {
  let seen = 0;
  for (const [bucket, amount] of buckets) {
    seen += amount;
    if (seen >= total * part) return bucket;
  }
  return buckets.at(-1)?.[0];
}

function rowsOf(columns, bucketWidth, isWhole) {
  const counts = new Map();
  for (const column of columns)
    for (const [bucket, amount] of column.buckets)
      counts.set(bucket, (counts.get(bucket) ?? 0) + amount);
  const buckets = [...counts].sort((a, b) => a[0] - b[0]);
  if (!buckets.length) return { from: 0, size: 1, count: 1, isCut: false, top: 0 };
  const total = buckets.reduce((sum, [, amount]) => sum + amount, 0);
  const low = buckets[0][0];
  const top = buckets.at(-1)[0];
  const covered = quantile(buckets, total, COVERED);
  const isCut = !isWhole && top - low > (covered - low) * 1.5 + 1e-9 && covered > low;
  const high = isCut ? covered : top;
  const gaps = buckets.slice(1).map(([bucket], index) => bucket - buckets[index][0]);
  const finest = gaps.reduce((a, b) => Math.min(a, b), Infinity);
  const natural = bucketWidth ?? (Number.isFinite(finest) ? Number(finest.toPrecision(6)) : 1);
  // Whole buckets, as many together as there have to be.
  const together = Math.max(1, Math.ceil((high - low) / natural / ROWS));
  const size = natural * together;
  const filled = Math.floor((high - low) / size + 1e-6) + 1;
  // One bucket alone would fill the plot, and hide how narrow it is.
  const room = filled < FEW ? 2 : 0;
  const count = filled + 2 * room;
  // What lies above has a row of its own, apart from the others.
  const above = isCut ? count + Math.ceil(count / 24) : undefined;
  return { from: low - room * size, size, count, isCut, above, top };
}

/** Shares of a column's packets by row. */
function cellsOf(column, rows) {
  const cells = new Array((rows.above ?? rows.count - 1) + 1).fill(0);
  for (const [bucket, amount] of column.buckets) {
    const row = Math.floor((bucket - rows.from) / rows.size + 1e-6);
    cells[row < rows.count ? row : rows.above] += amount / column.total;
  }
  return cells;
}

/** The axis of buckets. One is named by its lower end or its middle: its row stands around it. */
function bucketAxis(rows, unit) {
  const at = (row) => rows.from + row * rows.size;
  const last = (rows.above ?? rows.count - 1) + 0.5;
  const [from, to] = [at(-0.5), at(last)];
  const ticks = (length) => {
    const highest = at(rows.count - 0.5);
    const part = (highest - from) / (to - from);
    // No label between two buckets.
    const wanted = Math.min((part * length) / 40, rows.count);
    const below = linearTicks(from, highest, wanted);
    if (rows.above === undefined) return below;
    const room = ((to - from) / length) * 14;
    return [...below.filter(({ value }) => value < at(rows.above) - room),
      { value: at(rows.above), label: "above" }];
  };
  return { from, to, unit, ticks };
}

/**
 * The map.
 *
 * @param {object} options as of a figure, and
 * @param {object} options.map what `grid` made
 * @param {{from: number, to: number}} options.range
 * @param {string} options.unit of the buckets
 */
export function heatmap(options) {
  const { map, range, unit } = options;
  const { columns, rows } = map;
  const made = figure({
    ...options,
    x: timeAxis(range.from, range.to + map.width),
    y: bucketAxis(rows, unit),
    stops: columns.map((column) => (column.first + column.last) / 2),
    describe: (index) => describe(columns[index], unit),
    paint: (layer, scale) => layer.append(picture(map, scale)),
    mark: (layer, index, scale) => {
      const left = scale.x(columns[index].from);
      layer.append(shape("rect", { class: "column", x: left, y: scale.top,
        width: Math.max(scale.x(columns[index].from + map.width) - left, 2),
        height: scale.bottom - scale.top }));
    },
  });
  made.element.append(legend(map, options.signal));
  return made;
}

function describe(column, unit) {
  const { buckets, total, first, last } = column;
  const when = first === last ? time(first, "UTC") : span(first, last);
  if (!total) return `${when} · no packets`;
  const fullest = buckets.reduce((a, b) => (b[1] > a[1] ? b : a));
  const at = (part) => quantity(quantile(buckets, total, part), unit);
  return [
    when,
    `${number(total)} packets`,
    `min ${at(0)}`,
    `median ${at(0.5)}`,
    `max ${at(1)}`,
    `${number(round((fullest[1] / total) * 100, 3))} % at ${quantity(fullest[0], unit)}`,
  ].join(" · ");
}

/** From when to when; the date once, if it is the same. */
function span(first, last) {
  const [from, to] = [time(first), time(last, "UTC")];
  return `${from} to ${from.slice(0, 10) === to.slice(0, 10) ? to.slice(11) : to}`;
}

/** Cells as a picture: some ten thousand rectangles are too many for elements. */
function picture({ columns, rows, most, width }, scale) {
  const ratio = devicePixelRatio || 1;
  const canvas = document.createElement("canvas");
  canvas.width = Math.round((scale.right - scale.left) * ratio);
  canvas.height = Math.round((scale.bottom - scale.top) * ratio);
  const context = canvas.getContext("2d");
  const px = (value) => Math.round((value - scale.left) * ratio);
  const py = (value) => Math.round((value - scale.top) * ratio);
  for (const column of columns) {
    const left = px(scale.x(column.from));
    const right = Math.max(px(scale.x(column.from + width)), left + 1);
    column.cells.forEach((share, row) => {
      if (!share) return;
      const top = py(scale.y(rows.from + (row + 0.5) * rows.size));
      const bottom = Math.max(py(scale.y(rows.from + (row - 0.5) * rows.size)), top + 1);
      context.fillStyle = heat(placeOf(share, most));
      context.fillRect(left, top, right - left, bottom - top);
    });
  }
  const holder = shape("foreignObject", { x: scale.left, y: scale.top,
    width: scale.right - scale.left, height: scale.bottom - scale.top });
  holder.append(canvas);
  return holder;
}

function legend({ most }, signal) {
  const swatches = Array.from({ length: 24 }, () => element("i"));
  const colour = () => swatches.forEach((swatch, index) => {
    swatch.style.backgroundColor = heat((index + 0.5) / swatches.length);
  });
  colour();
  addEventListener("themechange", colour, { signal });
  const label = (place) => element("span", {}, `${number(round(shareAt(place, most) * 100, 2))} %`);
  return element("div", { class: "legend heat" },
    element("span", { class: "what" }, "Share of the packets of a column"),
    element("span", { class: "scale" }, element("span", { class: "ramp", "aria-hidden": "true" },
      ...swatches), element("span", { class: "marks" }, label(0), label(0.5), label(1))));
}

const round = (value, digits) => Number(value.toPrecision(digits));
