// What comes by run: an overview of the runs over time, and one of them in detail.

import { element, shape } from "./dom.js";
import { time } from "./format.js";
import { figure } from "./plot/figure.js";
import { COLOURS, timeAxis } from "./plot/lineplot.js";

/**
 * The overview, buttons to step through the runs, and the chosen run.
 *
 * @param {Context} context
 * @param {function(number, function(number)): Figure} overview draws all, given the run to begin
 *     with and what to call when another is chosen
 * @param {function(number): Node[]} detail draws a run
 * @returns {{parts: Node[], choose: function(number)}}
 */
export function byRun(context, overview, detail) {
  const { points, parameters, remember } = context;
  const wanted = points.findIndex((point) => String(point.ts) === parameters.run);
  let index = wanted < 0 ? points.length - 1 : wanted;
  const title = element("h3", { id: "run-title" });
  const inside = element("div", { class: "run-detail" });
  const step = (by) => choose(Math.min(Math.max(index + by, 0), points.length - 1));
  const back = element("button", { type: "button", onclick: () => step(-1) }, "Earlier run");
  const on = element("button", { type: "button", onclick: () => step(1) }, "Later run");
  const show = () => {
    title.textContent = `Run ${index + 1} of ${points.length}: ${time(points[index].ts, "UTC")}`;
    back.disabled = index === 0;
    on.disabled = index === points.length - 1;
    inside.replaceChildren(...detail(index));
  };
  const choose = (next) => {
    index = next;
    remember("run", String(points[index].ts));
    all.moveTo(index);
    show();
  };
  const all = overview(index, choose);
  show();
  const section = element("section", { class: "run", "aria-labelledby": "run-title" },
    element("div", { class: "run-head" }, title, element("div", { class: "buttons" }, back, on)),
    inside);
  return { parts: [all.element, section], choose };
}

/**
 * Marks on a time axis, for what has no value; in lanes, if there are several kinds.
 *
 * @param {Context} context
 * @param {string[]} lanes names, from the bottom
 * @param {function(number): number} laneOf the lane of a point
 * @param {function(number): string} say what a point is
 */
export function timeline(context, { lanes, laneOf, say, label, start, onSelect }) {
  const { points, range, zoom, signal } = context;
  return figure({
    label,
    height: 80 + Math.max(lanes.length, 1) * 26,
    x: timeAxis(range.from, range.to),
    y: {
      from: -0.75,
      to: Math.max(lanes.length, 1) - 0.25,
      ticks: () => lanes.map((name, value) => ({ value, label: name })),
    },
    stops: points.map((point) => point.ts),
    describe: (index) => `${time(points[index].ts, "UTC")} · ${say(index)}`,
    paint: (layer, scale) => points.forEach(({ ts }, index) => {
      const lane = laneOf(index);
      layer.append(shape("rect", { class: `mark series-${lane % COLOURS}`, "data-x": ts,
        x: scale.x(ts) - 1.5, width: 3, y: scale.y(lane) - 8, height: 16, rx: 1 }));
    }),
    mark: (layer, index, scale) => layer.append(shape("circle", {
      class: `series-${laneOf(index) % COLOURS}`, cx: scale.x(points[index].ts),
      cy: scale.y(laneOf(index)), r: 6,
    })),
    start,
    onSelect,
    onZoom: zoom,
    signal,
  });
}
