// The axes of a plot, and the way between values and pixels.

import { shape } from "../dom.js";

/** About how many pixels wide a character of a label is. */
export const CHARACTER = 7;

/** Pixels between the ends of the x axis and its first and last value, so that points are whole. */
const INSET = 6;

/**
 * @typedef {object} Axis
 * @property {number} from
 * @property {number} to
 * @property {function(number): {value: number, label: string, below: ?string}[]} ticks by length
 * @property {?string} unit
 */

/** Between values and pixels, in both directions; `box` has the edges in pixels. */
export function scaled(x, y, box) {
  const left = box.left + INSET;
  const perX = (box.right - INSET - left) / (x.to - x.from || 1);
  const perY = (box.bottom - box.top) / (y.to - y.from || 1);
  return {
    ...box,
    x: (value) => left + (value - x.from) * perX,
    y: (value) => box.bottom - (value - y.from) * perY,
    atX: (pixel) => x.from + (pixel - left) / perX,
    atY: (pixel) => y.from + (box.bottom - pixel) / perY,
  };
}

/** Lines across with what they are worth. */
export function yAxis(scale, ticks, unit) {
  const group = shape("g", { class: "axis axis-y" });
  for (const { value, label } of ticks) {
    const y = scale.y(value);
    group.append(
      shape("line", { class: "grid", x1: scale.left, x2: scale.right, y1: y, y2: y,
        "data-value": value }),
      shape("text", { x: scale.left - 8, y: y + 4, "text-anchor": "end" }, label),
    );
  }
  if (unit) group.append(shape("text", { class: "unit", x: 2, y: 11 }, unit));
  return group;
}

/** Marks along the bottom, in one line or two. */
export function xAxis(scale, axis, width) {
  const group = shape("g", { class: "axis axis-x" });
  group.append(shape("line", { class: "base", x1: scale.left, x2: scale.right, y1: scale.bottom,
    y2: scale.bottom }));
  let free = 0;
  for (const { value, label, below } of axis.ticks(scale.right - scale.left)) {
    const x = scale.x(value);
    group.append(shape("line", { class: "tick", x1: x, x2: x, y1: scale.bottom,
      y2: scale.bottom + 5, "data-value": value }));
    group.append(text(label, x, scale.bottom + 18, width));
    if (below && x - (below.length * CHARACTER) / 2 >= free) {
      group.append(text(below, x, scale.bottom + 34, width));
      free = x + (below.length * CHARACTER) / 2 + 12;
    }
  }
  if (axis.unit)
    group.append(shape("text", { class: "unit", x: scale.right, y: scale.bottom + 36,
      "text-anchor": "end" }, axis.unit));
  return group;
}

/** A label in the middle of its place, or moved so that the edge does not cut it. */
function text(label, x, y, width) {
  const half = (label.length * CHARACTER) / 2;
  const middle = Math.min(Math.max(x, half), width - half);
  return shape("text", { x: middle, y, "text-anchor": "middle" }, label);
}
