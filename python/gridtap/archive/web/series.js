// The points of one event type in a range of time: which kind of data, how many, from where.

import { get, locate } from "./api.js";
import { dataType } from "./events.js";
import { count, duration } from "./format.js";

/** Points per request; a full page is followed by another that begins behind its last point. */
const PAGE = 1000;

/** Points that a plot shows well; where there would be more, a summary is taken if one is kept. */
const MANY = 4000;

/** Points that are loaded at most, so that a browser stays usable. */
const MOST = 30000;

const LABELS = { average: "averages", statistics: "statistics" };

/** Counts are summed; histograms and shares are put together as if they were one. */
function labelOf(type, name) {
  if (type !== "aggregation") return LABELS[type] ?? type;
  return ["histogram", "percentage"].includes(dataType(name)) ? "aggregates" : "sums";
}

/**
 * What an event type can be read as: base data, and the summaries that are kept.
 *
 * @returns {{id: string, uri: string, summaryType: string, window: number, label: string}[]}
 */
export function choices(event) {
  const base = { id: "base", uri: event["base-uri"], summaryType: "base", window: 0,
    label: "base data" };
  const summaries = event.summaries.map((each) => {
    const type = each["summary-type"];
    const window = Number(each["summary-window"]);
    const of = window ? `over ${duration(window)}` : "of each run";
    return { id: `${type}/${window}`, uri: each.uri, summaryType: type, window,
      label: `${labelOf(type, event["event-type"])} ${of}` };
  });
  return [base, ...summaries];
}

async function page(uri, from, to, signal, limit = PAGE) {
  return get(uri, { "time-start": from, "time-end": to, limit }, signal);
}

/** The rest of a range behind the points that are there already. */
async function follow(choice, points, range, signal, onProgress) {
  let isFull = points.length === PAGE;
  while (isFull && points.length < MOST) {
    onProgress(points.length);
    const more = await page(choice.uri, points.at(-1).ts + 1, range.to, signal);
    points.push(...more);
    isFull = more.length === PAGE;
  }
  return isFull;
}

/**
 * Points of a range: of the wanted choice or, if none is named, base data or, where these are too
 * many, the finest summary that is not.
 *
 * @returns {{choice: object, points: {ts: number, val: any}[], notes: string[]}}
 */
export async function load(event, wanted, range, signal, onProgress = () => {}) {
  const all = choices(event);
  const named = all.find((each) => each.id === wanted);
  let choice = named ?? all[0];
  const notes = [];
  let points = await page(choice.uri, range.from, range.to, signal);
  if (!named && points.length === PAGE) {
    const step = (points.at(-1).ts - points[0].ts) / (PAGE - 1);
    const expected = Math.round((range.to - points[0].ts) / step);
    const better = expected > MANY ? fitting(all, range, step) : undefined;
    if (better) {
      choice = better;
      points = await page(choice.uri, range.from, range.to, signal);
      notes.push(`About ${count(expected, "point")} of base data: shown are ${choice.label}.`);
    }
  }
  const isCut = await follow(choice, points, range, signal, onProgress);
  if (isCut)
    notes.push(
      `Only the first ${count(points.length, "point")} are loaded: choose a shorter range` +
        (all.length > 1 ? " or a summary." : "."),
    );
  return { choice, points, notes };
}

/** The finest summary that is drawn as base data are, coarser than these, and not too long. */
function fitting(all, range, step) {
  const rank = (each) => each.window * 2 + (each.summaryType === "average" ? 0 : 1);
  return all
    .filter((each) => ["average", "aggregation"].includes(each.summaryType))
    .filter((each) => each.window > step && (range.to - range.from) / each.window <= MANY)
    .sort((a, b) => rank(a) - rank(b))[0];
}

/**
 * The time of the newest point that is not after `to`, for series whose last update says little:
 * loaded long after they were measured. The API only counts forward, so this gropes backwards in
 * growing steps, then halves.
 *
 * @returns {Promise<number|undefined>} nothing if there is none
 */
export async function newest(uri, to, signal) {
  const from = async (start, end) => (await page(uri, start, end, signal, 1))[0]?.ts;
  let low;
  for (let reach = 3600; low === undefined; reach *= 4) {
    low = await from(Math.max(to - reach, 0), to);
    if (low === undefined && reach > to) return undefined;
  }
  let high = to;
  while (high - low >= PAGE) {
    const middle = Math.ceil((low + high) / 2);
    const found = await from(middle, high);
    if (found === undefined) high = middle - 1;
    else low = found;
  }
  return (await page(uri, low, high, signal)).at(-1)?.ts ?? low;
}

/** The failures of a range: a page of them, which is more than can be told apart. */
export async function failuresIn(event, range, signal) {
  const updated = event?.["time-updated"] ?? -Infinity;
  return updated >= range.from ? page(event["base-uri"], range.from, range.to, signal) : [];
}

/** Where the same points can be had as JSON. */
export function jsonAddress(choice, range) {
  return locate(choice.uri, { "time-start": range.from, "time-end": range.to, limit: MOST,
    format: "json" });
}
