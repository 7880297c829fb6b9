// The frame of every plot: axes, a cursor that mouse, finger and keyboard move, and a readout.
//
// The cursor is a slider to assistive software: arrow keys go from stop to stop (a point, a
// column), and what is read out there is the slider's text.

import { element, freshId, shape } from "../dom.js";
import { CHARACTER, scaled, xAxis, yAxis } from "./frame.js";

const MARGIN = { top: 22, right: 18, bottom: 44 };

/** Pixels by which the pointer has to move before a click becomes a zoom. */
const DRAG = 8;

const STEPS = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -Infinity,
  End: Infinity };

/**
 * A plot.
 *
 * @param {object} options
 * @param {string} options.label what is shown, for those who do not see it
 * @param {Axis} options.x
 * @param {Axis} options.y
 * @param {number} options.height pixels
 * @param {number[]} options.stops where the cursor can stand on the x axis, ascending
 * @param {function(number): string} options.describe what is at a stop
 * @param {function(SVGElement, Scale)} options.paint draws the content
 * @param {?function(SVGElement, number, Scale)} options.mark draws the cursor's marks at a stop
 * @param {?function(number)} options.onSelect a stop was chosen: by a key, a click
 * @param {?function(number, number)} options.onZoom a part of the x axis was chosen
 * @param {?number} options.start the stop to begin with
 * @param {AbortSignal} options.signal ends what listens outside of the plot
 * @returns {Figure} with the `element` to show
 */
export function figure(options) {
  return new Figure(options);
}

class Figure {
  constructor(options) {
    this.options = options;
    this.index = options.start ?? -1;
    const help = freshId("help");
    this.readout = element("p", { class: "readout" }, this.hint());
    this.svg = shape("svg", {
      class: "plot", height: options.height, tabindex: 0, role: "slider",
      "aria-label": options.label, "aria-describedby": help, "aria-orientation": "horizontal",
      "aria-valuemin": 0, "aria-valuemax": Math.max(options.stops.length - 1, 0),
    });
    this.element = element("div", { class: "figure" }, this.readout, this.svg,
      element("p", { id: help, class: "sr-only" }, "Arrow keys move along the points, ",
        "Page Up and Page Down by ten, Home and End to the ends. Escape ends it."));
    this.listen();
    this.say();
  }

  hint() {
    return this.options.stops.length ? "Point at the plot, or use the arrow keys" : "";
  }

  listen() {
    const { svg } = this;
    svg.addEventListener("keydown", (event) => this.onKey(event));
    svg.addEventListener("pointermove", (event) => this.onMove(event));
    svg.addEventListener("pointerdown", (event) => this.onDown(event));
    svg.addEventListener("pointerup", (event) => this.onUp(event));
    svg.addEventListener("pointercancel", () => this.endDrag());
    const observer = new ResizeObserver(() => this.draw());
    observer.observe(this.element);
    const { signal } = this.options;
    addEventListener("themechange", () => this.draw(true), { signal });
    signal.addEventListener("abort", () => observer.disconnect());
  }

  draw(isForced = false) {
    const width = Math.floor(this.element.clientWidth);
    if (!width || (width === this.width && !isForced)) return;
    this.width = width;
    const { x, y, height } = this.options;
    const inner = height - MARGIN.top - MARGIN.bottom;
    const marks = y.ticks(inner);
    const longest = Math.max(0, ...marks.map((tick) => tick.label.length));
    const left = longest * CHARACTER + 14;
    this.scale = scaled(x, y, {
      left, top: MARGIN.top, right: width - MARGIN.right, bottom: height - MARGIN.bottom,
    });
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const content = shape("g", { class: "content" });
    this.cursor = shape("g", { class: "cursor" });
    this.svg.replaceChildren(
      yAxis(this.scale, marks, y.unit), xAxis(this.scale, x, width), content, this.cursor,
    );
    this.options.paint(content, this.scale);
    this.point();
  }

  nearest(x) {
    const { stops } = this.options;
    let low = 0;
    let high = stops.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (stops[middle] <= x) low = middle;
      else high = middle;
    }
    return high >= 0 && Math.abs(stops[high] - x) < Math.abs(stops[low] - x) ? high : low;
  }

  /** Sets the cursor on a stop; -1 for none. */
  moveTo(index) {
    this.index = index;
    this.say();
    this.point();
  }

  say() {
    const { describe, stops } = this.options;
    const text = stops.length && this.index >= 0 ? describe(this.index) : "";
    this.readout.textContent = text || this.hint();
    this.readout.classList.toggle("hint", !text);
    this.svg.setAttribute("aria-valuenow", Math.max(this.index, 0));
    this.svg.setAttribute("aria-valuetext", text || "no point chosen");
  }

  point() {
    if (!this.cursor) return;
    this.cursor.replaceChildren();
    if (this.index < 0 || !this.options.stops.length) return;
    const { scale, options } = this;
    const x = scale.x(options.stops[this.index]);
    this.cursor.append(shape("line", { x1: x, x2: x, y1: scale.top, y2: scale.bottom }));
    options.mark?.(this.cursor, this.index, scale);
  }

  onKey(event) {
    const { stops, onSelect } = this.options;
    if (event.ctrlKey || event.altKey || event.metaKey || !stops.length) return;
    if (event.key === "Escape") this.moveTo(-1);
    else if (event.key in STEPS) {
      const last = stops.length - 1;
      const step = STEPS[event.key];
      // From nowhere, to the right is the first point, and to the left the last.
      const next = this.index < 0 ? (step > 0 === Number.isFinite(step) ? 0 : last)
        : this.index + step;
      this.moveTo(Math.min(Math.max(next, 0), last));
      onSelect?.(this.index);
    } else return;
    event.preventDefault();
  }

  place(event) {
    const box = this.svg.getBoundingClientRect();
    return Math.min(Math.max(event.clientX - box.left, this.scale.left), this.scale.right);
  }

  onMove(event) {
    const { stops } = this.options;
    if (!this.scale || !stops.length) return;
    const x = this.place(event);
    this.moveTo(this.nearest(this.scale.atX(x)));
    if (this.from === undefined || Math.abs(x - this.from) < DRAG) return;
    this.cursor.append(shape("rect", {
      class: "zoom", x: Math.min(x, this.from), width: Math.abs(x - this.from),
      y: this.scale.top, height: this.scale.bottom - this.scale.top,
    }));
  }

  onDown(event) {
    // Fingers scroll the page; they choose a range with the inputs.
    if (event.button !== 0 || event.pointerType === "touch" || !this.scale) return;
    this.from = this.place(event);
    this.svg.setPointerCapture(event.pointerId);
  }

  onUp(event) {
    const { onSelect, onZoom, stops } = this.options;
    const from = this.from;
    this.endDrag();
    if (!this.scale) return;
    const to = this.place(event);
    if (from !== undefined && onZoom && Math.abs(to - from) >= DRAG) {
      const [low, high] = [from, to].map(this.scale.atX).sort((a, b) => a - b);
      onZoom(low, high);
    } else if (stops.length) {
      this.moveTo(this.nearest(this.scale.atX(to)));
      onSelect?.(this.index);
    }
  }

  endDrag() {
    this.from = undefined;
    this.point();
  }
}
