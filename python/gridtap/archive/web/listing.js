// Measurements: a page of what the API lists, or all that it lists, as rows of a table.

import { ROOT, get } from "./api.js";

/** Metadata per request where all are wanted */
const CHUNK = 1000;

/** Rows that are kept at most. */
export const MOST = 20000;

/** Where an address can stand */
const PLACES = ["source", "destination", "measurement-agent"];

/**
 * @typedef {object} Row
 * @property {string} key
 * @property {string[]} events names
 * @property {?number} updated UTC epoch seconds
 * @property {string} text all names in lower case, for searching
 */

/** What the table needs of a metadata. */
function row(metadata) {
  const events = metadata["event-types"].map((each) => each["event-type"]);
  const stamps = metadata["event-types"].map((each) => each["time-updated"])
    .filter((ts) => ts !== null && ts !== undefined);
  const names = ["source", "destination", "measurement-agent", "tool-name", "input-source",
    "input-destination"];
  const made = Object.fromEntries(names.map((name) => [name, metadata[name] ?? ""]));
  return {
    ...made,
    key: metadata["metadata-key"],
    events,
    updated: stamps.length ? Math.max(...stamps) : null,
    text: [...Object.values(made), metadata["metadata-key"], ...events].join("\n").toLowerCase(),
  };
}

/** One page, in the archive's own order. */
export async function page(filters, offset, limit, signal) {
  const listed = await get(ROOT, { ...filters, limit, offset }, signal);
  // A page past the end is empty, and does not say how many there are.
  const total = listed[0]?.["metadata-count-total"] ?? 0;
  return { rows: listed.map(row), total };
}

let last = { question: null, rows: [], isCut: false };

/**
 * All that filters (and an address, wherever it stands) let through, up to a ceiling. The answer is
 * kept until something else is asked for, so that typing on costs nothing.
 *
 * @param {function(Row[], number)} onProgress rows so far, and how many there will be
 * @returns {Promise<{rows: Row[], isCut: boolean}>}
 */
export async function everything({ filters, address }, onProgress, signal) {
  const question = JSON.stringify([filters, address]);
  if (last.question === question) return last;
  const queries = address ? PLACES.filter((place) => !filters[place])
    .map((place) => ({ ...filters, [place]: address })) : [filters];
  const found = new Map();
  let isCut = false;
  for (const query of queries) {
    for (let offset = 0, total = 1; offset < total && !isCut; offset += CHUNK) {
      const part = await page(query, offset, CHUNK, signal);
      total = part.total;
      for (const each of part.rows) found.set(each.key, each);
      isCut = found.size >= MOST && total > offset + CHUNK;
      onProgress([...found.values()], Math.max(total, found.size));
    }
  }
  last = { question, rows: [...found.values()], isCut };
  return last;
}

/** Forgets what was kept: the archive goes on. */
export function forget() {
  last = { question: null, rows: [], isCut: false };
}
