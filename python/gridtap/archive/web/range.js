// Ranges of time: as words of an address, as inputs, as seconds.

/** Seconds by the name that stands in the address */
export const PRESETS = { "1h": 3600, "24h": 86400, "7d": 7 * 86400, "30d": 30 * 86400,
  "1y": 365 * 86400 };

/** Year 9999: the last that calendars, and the archive, can show */
const LAST = 253402300799;

const LABELS = { "1h": "1 h", "24h": "24 h", "7d": "7 d", "30d": "30 d", "1y": "1 y" };

export const label = (name) => LABELS[name];

const WRITTEN = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?))?Z?$/;

/** Seconds of a time as an address or a person writes it, UTC; nothing if it is none. */
export function seconds(text) {
  const [, day, clock = "00:00:00"] = WRITTEN.exec(text?.trim() ?? "") ?? [];
  const value = day ? Date.parse(`${day}T${clock}Z`) / 1000 : Number(text || NaN);
  return Number.isInteger(value) && Math.abs(value) <= LAST ? value : undefined;
}

/** A time as the address has it. */
export const inAddress = (ts) => new Date(ts * 1000).toISOString().replace(".000", "");

/**
 * The range that parameters ask for. A preset ends with the newest data, so that an archive that
 * is no longer fed does not look empty.
 *
 * @returns {{from: number, to: number, preset: ?string}}
 */
export function chosen(parameters, standard, newest) {
  const from = seconds(parameters.from);
  const to = seconds(parameters.to);
  if (from !== undefined && to !== undefined && from < to) return { from, to, preset: null };
  const preset = Object.hasOwn(PRESETS, parameters.range ?? "") ? parameters.range : standard;
  return { from: newest - PRESETS[preset], to: newest, preset };
}

/** The shortest preset that has all from `first` on: a young archive fills its plots too. */
export function narrowed(range, first) {
  const length = range.to - (first ?? range.from);
  const [preset, size] = Object.entries(PRESETS).find(([, each]) => each >= length);
  if (size >= range.to - range.from) return range;
  return { from: range.to - size, to: range.to, preset };
}
