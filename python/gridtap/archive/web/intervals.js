// Values by interval of a run, of one stream or of several.

import { unit as unitOf } from "./events.js";
import { number, quantity, time } from "./format.js";
import { legend, lineplot, secondsAxis, timeAxis, valueAxis } from "./plot/lineplot.js";
import { byRun } from "./runs.js";

/** Intervals of one stream. */
export function intervals(context) {
  return drawn(context, (val) => [val]);
}

/** Intervals by stream. */
export function streams(context) {
  return drawn(context, (val) => val);
}

/** Intervals that can be drawn: numbers may have come as text. */
function usable(stream) {
  return (Array.isArray(stream) ? stream : [])
    .map((each) => ({ start: Number(each?.start), duration: Number(each?.duration),
      val: typeof each?.val === "boolean" || each?.val === null ? NaN : Number(each?.val) }))
    .filter((each) => Object.values(each).every(Number.isFinite))
    .sort((a, b) => a.start - b.start);
}

function mean(all) {
  const seconds = all.reduce((sum, each) => sum + each.duration, 0);
  const total = all.reduce((sum, each) => sum + each.val * each.duration, 0);
  return seconds ? total / seconds : NaN;
}

function drawn(context, streamsOf) {
  const { name, points, range, signal, zoom } = context;
  const unit = unitOf(name);
  const runs = points.map((point) => ({ ts: point.ts, streams: streamsOf(point.val).map(usable) }));
  // What a run is as a whole: the mean of each stream, added up.
  const whole = runs.map(({ ts, streams: each }) => ({
    x: ts,
    y: each.map(mean).filter(Number.isFinite).reduce((sum, value) => sum + value, 0),
  }));
  const overview = (start, onSelect) => lineplot({
    label: `${name}: mean of each run over time`,
    height: 220,
    x: timeAxis(range.from, range.to),
    y: valueAxis(whole.map((point) => point.y), unit, true),
    unit,
    series: [{ name: "mean", points: whole }],
    start,
    onSelect,
    onZoom: zoom,
    signal,
  });
  const { parts } = byRun(context, overview, (index) => oneRun(name, runs[index], unit, signal));
  return {
    parts,
    table: { columns: COLUMNS, rows: () => runs.flatMap((run) => rowsOf(run, unit)) },
    notes: ["The mean of each run; choose one to see its intervals below."],
  };
}

function oneRun(name, run, unit, signal) {
  const series = run.streams.map((stream, index) => ({
    name: `stream ${index + 1}`,
    points: stream.map((each) => ({ x: each.start + each.duration / 2, y: each.val })),
  }));
  const all = run.streams.flat();
  const end = all.reduce((last, each) => Math.max(last, each.start + each.duration), 0);
  const plot = lineplot({
    label: `${name}: intervals of the run at ${time(run.ts, "UTC")}`,
    height: 280,
    x: secondsAxis(0, end || 1),
    y: valueAxis(all.map((each) => each.val), unit, true),
    unit,
    series,
    at: (second) => `${number(second)} s`,
    signal,
  });
  return [plot.element, ...(series.length > 1 ? [legend(series.map((each) => each.name))] : [])];
}

const COLUMNS = [
  { title: "Run (UTC)" },
  { title: "Stream", isNumber: true },
  { title: "Start", isNumber: true },
  { title: "Duration", isNumber: true },
  { title: "Value", isNumber: true },
];

function rowsOf(run, unit) {
  return run.streams.flatMap((stream, index) => stream.map((each) => ({
    cells: [time(run.ts), String(index + 1), `${number(each.start)} s`,
      `${number(each.duration)} s`, quantity(each.val, unit)],
  })));
}
