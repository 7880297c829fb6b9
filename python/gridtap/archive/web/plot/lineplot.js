// Values over time (or over the seconds of a run) as lines with points, broken where data are
// missing.

import { element, shape } from "../dom.js";
import { axisUnit, quantity, time } from "../format.js";
import { linearTicks, roundStep, timeTicks } from "./axes.js";
import { figure } from "./figure.js";

/** Points up to which each is an element of its own, which says what it shows. */
const SINGLE = 1500;

/** Steps after which a line is broken: of tests, which may be late; of windows, which are not. */
const PATIENCE = 2.5;
const WINDOW_PATIENCE = 1.5;

/** Series with colours of their own; further ones begin again. */
export const COLOURS = 8;

const TICK_WIDTH = 84;
const TICK_HEIGHT = 36;

/** The time axis of a range. */
export const timeAxis = (from, to) => ({
  from,
  to,
  ticks: (length) => timeTicks(from, to, Math.max(Math.floor(length / TICK_WIDTH), 2)),
});

/** The axis of the seconds in a run. */
export const secondsAxis = (from, to) => ({
  from,
  to,
  unit: "s",
  ticks: (length) => linearTicks(from, to, Math.max(Math.floor(length / 70), 2)),
});

/**
 * The axis of values.
 *
 * @param {string} unit "%" for shares of 1
 * @param {boolean} isFromZero whether it has to begin at 0 where nothing is below
 */
export function valueAxis(values, unit, isFromZero) {
  let low = values.reduce((a, b) => Math.min(a, b), Infinity);
  let high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (low > high) [low, high] = [0, 1];
  if (isFromZero && low >= 0) low = 0;
  if (low === high) high = low === 0 ? 1 : low + Math.abs(low) * 0.1;
  // Round ends, so that the outermost points lie between labelled lines.
  const step = roundStep((high - low) / 10);
  const from = Math.floor(low / step + 1e-9) * step;
  const to = Math.ceil(high / step - 1e-9) * step;
  const shown = unit === "%" ? { factor: 0.01, unit } : axisUnit(unit, to);
  const ticks = (length) =>
    linearTicks(from / shown.factor, to / shown.factor, length / TICK_HEIGHT).map((tick) => ({
      value: tick.value * shown.factor,
      label: tick.label,
    }));
  return { from, to, ticks, unit: shown.unit };
}

/** The usual distance between points: what most of them have to their next. */
export function usualStep(xs) {
  const steps = xs.slice(1).map((x, index) => x - xs[index]).filter((step) => step > 0);
  steps.sort((a, b) => a - b);
  return steps.length ? steps[steps.length >> 1] : 0;
}

/**
 * @param {object} options as of a figure, and
 * @param {{name: string, points: {x: number, y: number}[]}[]} options.series
 * @param {string} options.unit of the values
 * @param {?number} options.step seconds of a summary's window
 * @param {?number[]} options.failures where on the x axis something failed
 * @param {?function(number): string} options.at how a place on the x axis is read out
 */
export function lineplot(options) {
  const { series, unit, at = (x) => time(x, "UTC") } = options;
  const stops = [...new Set(series.flatMap((each) => each.points.map((point) => point.x)))];
  stops.sort((a, b) => a - b);
  const lookup = series.map((each) => new Map(each.points.map((point) => [point.x, point.y])));
  const total = series.reduce((sum, each) => sum + each.points.length, 0);
  const describe = (index) => {
    const values = lookup.map((known, which) => {
      if (!known.has(stops[index])) return null;
      const value = quantity(known.get(stops[index]), unit);
      return series.length > 1 ? `${series[which].name} ${value}` : value;
    });
    return [at(stops[index]), ...values.filter((value) => value !== null)].join(" · ");
  };
  return figure({
    ...options,
    stops,
    describe,
    paint: (layer, scale) => {
      layer.append(...series.map((each, which) => drawn(each, which, scale, options.step, total)));
      for (const x of options.failures ?? []) layer.append(triangle(scale.x(x), scale.bottom));
    },
    mark: (layer, index, scale) => lookup.forEach((known, which) => {
      if (!known.has(stops[index])) return;
      layer.append(shape("circle", { class: `series-${which % COLOURS}`, r: 5.5,
        cx: scale.x(stops[index]), cy: scale.y(known.get(stops[index])) }));
    }),
  });
}

/** Which line is which: colour and dashes as in the plot. */
export function legend(names) {
  return element("ul", { class: "legend" }, ...names.map((name, index) =>
    element("li", { class: `series-${index % COLOURS}` }, name)));
}

function drawn(series, which, scale, step, total) {
  const group = shape("g", { class: `series series-${which % COLOURS}` });
  const runs = unbroken(series.points, step);
  const path = runs
    .map((run) => "M" + run.map(({ x, y }) => place(scale, x, y)).join("L"))
    .join("");
  group.append(shape("path", { class: "line", d: path }));
  if (total > SINGLE) {
    // A point between gaps has no line: a stroke without length, with round ends.
    const alone = runs.filter((run) => run.length === 1).flat();
    const dots = alone.map(({ x, y }) => `M${place(scale, x, y)}h0`).join("");
    group.append(shape("path", { class: "dots", d: dots }));
    return group;
  }
  const room = (scale.right - scale.left) / Math.max(series.points.length, 1);
  const radius = Math.min(Math.max(room / 3, 1.4), 3.5);
  for (const { x, y } of series.points)
    group.append(shape("circle", { cx: scale.x(x).toFixed(2), cy: scale.y(y).toFixed(2), r: radius,
      "data-x": x, "data-y": y }));
  return group;
}

const triangle = (x, y) => shape("path", { class: "failure", d: `M${x},${y - 9}l5,9h-10z` });

const place = (scale, x, y) => `${scale.x(x).toFixed(2)},${scale.y(y).toFixed(2)}`;

/** Points in pieces, cut where more is missing than the usual step explains. */
function unbroken(points, step) {
  const usual = usualStep(points.map((point) => point.x));
  const most = step >= usual ? step * WINDOW_PATIENCE : usual * PATIENCE;
  const runs = [];
  points.forEach((point, index) => {
    const before = points[index - 1];
    if (!before || (most && point.x - before.x > most)) runs.push([point]);
    else runs.at(-1).push(point);
  });
  return runs;
}
