// Packet traces: which path when, where it changed, and the hops of a run.

import { datatable } from "./datatable.js";
import { element } from "./dom.js";
import { count, number, time } from "./format.js";
import { byRun, timeline } from "./runs.js";

/** Paths with a lane of their own; rarer ones share the last. */
const LANES = 8;

const probesOf = (val) =>
  (Array.isArray(val) ? val : []).filter((probe) => typeof probe === "object" && probe !== null);

/** The first address that answered, by hop. */
function hopsOf(val) {
  const hops = new Map();
  for (const probe of probesOf(val)) {
    const ttl = Number(probe.ttl);
    if (Number.isFinite(ttl) && probe.ip && !hops.has(ttl)) hops.set(ttl, String(probe.ip));
  }
  return hops;
}

const lengthOf = (hops) => Math.max(0, ...hops.keys());

/**
 * Hops at which two paths differ. One that did not answer differs from none: silence is not
 * another route.
 */
function differences(before, after) {
  return [...after].filter(([ttl, ip]) => before.has(ttl) && before.get(ttl) !== ip)
    .map(([ttl, ip]) => ({ ttl, from: before.get(ttl), to: ip }));
}

/** Whether hops can be of one path: none differs, and they do not meet the same end elsewhere. */
function canBeOne(path, hops) {
  const [before, after] = [lengthOf(path), lengthOf(hops)];
  const isSameEnd = path.get(before) === hops.get(after);
  return !differences(path, hops).length && !(isSameEnd && before !== after);
}

/**
 * Which path each run took: that of the run before if it can be, else another that is known, else a
 * new one. What a run adds to a path is remembered.
 */
function sorted(runs) {
  const paths = [];
  let current = 0;
  return runs.map((hops) => {
    const candidates = paths.length ? [current, ...paths.keys()] : [];
    const found = candidates.find((index) => canBeOne(paths[index], hops));
    current = found ?? paths.push(new Map()) - 1;
    for (const [ttl, ip] of hops) paths[current].set(ttl, ip);
    return current;
  });
}

/** "A", ... "Z", "AA", ... */
function letter(index) {
  const last = String.fromCharCode(65 + (index % 26));
  return index < 26 ? last : letter(Math.floor(index / 26) - 1) + last;
}

export function trace(context) {
  const { points } = context;
  const runs = points.map((point) => hopsOf(point.val));
  const paths = sorted(runs);
  const lanes = Math.min(Math.max(...paths) + 1, LANES);
  const lane = (index) => Math.min(paths[index], LANES - 1);
  const names = Array.from({ length: lanes }, (_, index) =>
    index === LANES - 1 && Math.max(...paths) >= LANES ? "others" : `path ${letter(index)}`);
  const overview = (start, onSelect) => timeline(context, {
    lanes: names,
    laneOf: lane,
    say: (index) => `path ${letter(paths[index])} · ${count(runs[index].size, "hop")} answered`,
    label: "paths over time",
    start,
    onSelect,
  });
  const { parts, choose } = byRun(context, overview, (index) => [
    hopTable(points[index].val, index ? runs[index - 1] : new Map(), paths, index),
  ]);
  const changes = paths.map((path, index) => index)
    .filter((index) => index > 0 && paths[index] !== paths[index - 1]);
  return {
    parts: [...parts, changeTable(context, runs, paths, changes, choose)],
    table: tableOf(points, runs, paths),
    notes: [
      `${count(Math.max(...paths) + 1, "path")}, ${count(changes.length, "change")}. ` +
        "A hop that did not answer is taken for no change.",
    ],
  };
}

const HOP_COLUMNS = [
  { title: "Hop", isNumber: true }, { title: "Address" }, { title: "Round trip", isNumber: true },
  { title: "MTU", isNumber: true }, { title: "Remark" },
];

function hopTable(val, before, paths, index) {
  const rows = probesOf(val).map((probe) => {
    const error = probe.error_message ?? probe["error-message"];
    const known = before.get(Number(probe.ttl));
    const isChanged = Boolean(probe.ip) && known !== undefined && known !== String(probe.ip);
    const remarks = [isChanged && `changed, was ${known}`, error && String(error)];
    const name = probe.hostname && probe.hostname !== probe.ip ? ` (${probe.hostname})` : "";
    return {
      class: isChanged ? "changed" : probe.ip ? null : "silent",
      cells: [
        String(probe.ttl ?? ""),
        probe.ip ? `${probe.ip}${name}` : "no answer",
        Number.isFinite(Number(probe.rtt ?? NaN)) ? `${number(Number(probe.rtt))} ms` : "",
        probe.mtu ? String(probe.mtu) : "",
        remarks.filter(Boolean).join("; "),
      ],
    };
  });
  return element("div", {},
    element("p", { class: "note" }, `Path ${letter(paths[index])}`),
    rows.length ? datatable("Hops of the run", HOP_COLUMNS, rows)
      : element("p", { class: "note" }, "Nothing was probed in this run."));
}

function changeTable({ points }, runs, paths, changes, choose) {
  if (!changes.length) return null;
  const newest = [...changes].reverse();
  const rows = newest.map((index) => {
    const hops = differences(runs[index - 1], runs[index])
      .map(({ ttl, from, to }) => `hop ${ttl}: ${from} → ${to}`);
    const lengths = `from ${lengthOf(runs[index - 1])} to ${lengthOf(runs[index])} hops`;
    const change = [paths[index - 1], paths[index]].map(letter).join("\u00a0→\u00a0");
    return { cells: [time(points[index].ts), change, hops.join("; ") || lengths] };
  });
  const columns = [{ title: "Time (UTC)" }, { title: "Path" }, { title: "Difference" }];
  return element("section", {}, element("h3", {}, "Changes of the path"),
    datatable("Changes of the path, newest first", columns, rows, (row) => choose(newest[row])));
}

function tableOf(points, runs, paths) {
  return {
    columns: [{ title: "Time (UTC)" }, { title: "Path" }, { title: "Hops", isNumber: true },
      { title: "Addresses" }],
    rows: () => points.map(({ ts }, index) => {
      const last = lengthOf(runs[index]);
      const hops = Array.from({ length: last }, (_, hop) => runs[index].get(hop + 1) ?? "*");
      return { cells: [time(ts), letter(paths[index]), String(last), hops.join(" ")] };
    }),
  };
}
