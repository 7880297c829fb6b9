// Where the marks of an axis stand, and what is written there.

import { number } from "../format.js";

/** The next step of 1, 2 or 5 times a power of ten. */
export function roundStep(rough) {
  const size = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((each) => each * size).find((each) => each >= rough * 0.999);
}

/**
 * Round numbers between two bounds.
 *
 * @param {number} wanted how many, about
 * @returns {{value: number, label: string}[]}
 */
export function linearTicks(from, to, wanted) {
  const step = roundStep((to - from) / Math.max(wanted, 1));
  const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const ticks = [];
  for (let n = Math.ceil(from / step - 1e-9); n * step <= to + step * 1e-9; n++) {
    const value = n * step;
    ticks.push({ value, label: digits <= 6 ? grouped(value, digits) : number(value) });
  }
  return ticks;
}

function grouped(value, digits) {
  const text = value.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  // Below zero by a rounding error.
  return /^-0(\.0*)?$/.test(text) ? text.slice(1) : text;
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
const STEPS = [
  1, 2, 5, 10, 15, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR,
  2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY,
];
const MONTH_STEPS = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200, 6000, 12000];
const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** The epoch was a Thursday; weeks begin on Mondays. */
const MONDAY = 4 * DAY;

const at = (ts) => new Date(ts * 1000);
const pad = (value) => String(value).padStart(2, "0");

/**
 * Round times, UTC, each with what it is part of where that begins (or is first seen).
 *
 * @param {number} wanted how many there is room for
 * @returns {{value: number, label: string, below: string}[]}
 */
export function timeTicks(from, to, wanted) {
  const rough = (to - from) / Math.max(wanted, 1);
  const step = STEPS.find((each) => each >= rough);
  const ticks = step ? regular(from, to, step) : monthly(from, to, rough / (30.44 * DAY));
  return ticks.map((tick, index) => {
    const before = ticks[index - 1];
    return { ...tick, below: before?.below === tick.below ? "" : tick.below };
  });
}

function regular(from, to, step) {
  const shift = step % (7 * DAY) === 0 ? MONDAY : 0;
  const ticks = [];
  for (let n = Math.ceil((from - shift) / step); n * step + shift <= to; n++) {
    const value = n * step + shift;
    const date = at(value);
    const day = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
    const clock = `${pad(date.getUTCHours())}:${pad(date.getUTCMinutes())}`;
    const seconds = step < MINUTE ? `:${pad(date.getUTCSeconds())}` : "";
    if (step >= DAY) ticks.push({ value, label: day, below: String(date.getUTCFullYear()) });
    else ticks.push({ value, label: clock + seconds, below: `${day} ${date.getUTCFullYear()}` });
  }
  return ticks;
}

function monthly(from, to, rough) {
  const step = MONTH_STEPS.find((each) => each >= rough) ?? MONTH_STEPS.at(-1);
  const ticks = [];
  const first = at(from).getUTCFullYear() * 12 + at(from).getUTCMonth();
  for (let month = Math.ceil(first / step) * step; ; month += step) {
    const year = Math.floor(month / 12);
    const value = new Date(0).setUTCFullYear(year, month % 12, 1) / 1000;
    if (!(value <= to)) return ticks;
    if (value < from) continue;
    const isYearly = step % 12 === 0;
    const label = isYearly ? String(year) : MONTHS[month % 12];
    ticks.push({ value, label, below: isYearly ? "" : String(year) });
  }
}
