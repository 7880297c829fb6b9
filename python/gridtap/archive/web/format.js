// Numbers and times as people read them. Times are UTC epoch seconds.

const PREFIXES = [[1e15, "P"], [1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"]];

const GROUPED = new Intl.NumberFormat("en", { maximumSignificantDigits: 6 });

/** A number with at most six significant digits. */
export function number(value) {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e15 || size < 1e-6)) return value.toExponential(3);
  return GROUPED.format(value);
}

/**
 * In which unit an axis up to `largest` is labelled: values are divided by `factor`. Only bit/s
 * takes prefixes by custom; a thousand packets are a thousand packets.
 */
export function axisUnit(unit, largest) {
  const size = Math.abs(largest);
  const found = unit === "bit/s" ? PREFIXES.find(([factor]) => size >= factor) : undefined;
  return found ? { factor: found[0], unit: found[1] + unit } : { factor: 1, unit };
}

/** A value with its unit. */
export function quantity(value, unit) {
  if (unit === "%") return `${number(value * 100)} %`;
  const scaled = axisUnit(unit, value);
  return `${number(value / scaled.factor)} ${scaled.unit}`.trimEnd();
}

function iso(ts) {
  const date = new Date(ts * 1000);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** "2021-03-01 00:00:00"; with "UTC" where it stands alone. */
export function time(ts, zone = "") {
  const text = iso(ts);
  if (text === undefined) return String(ts);
  return text.replace("T", " ").replace(/\.\d+Z$/, "") + (zone && ` ${zone}`);
}

/** How long ago, roughly; next to an exact time. */
export function ago(ts, now = Date.now() / 1000) {
  const seconds = now - ts;
  if (seconds < 0) return "";
  if (seconds < 90) return "now";
  const [size, name] = [[86400 * 365, "y"], [86400, "d"], [3600, "h"], [60, "min"]].find(
    ([each]) => seconds >= each,
  );
  return `${Math.floor(seconds / size)} ${name} ago`;
}

/** A length of time: "1 h", "90 s". */
export function duration(seconds) {
  for (const [size, name] of [[86400, "d"], [3600, "h"], [60, "min"]])
    if (seconds >= size && seconds % size === 0) return `${seconds / size} ${name}`;
  return `${number(seconds)} s`;
}

/** "1 point", "2 points", "10,080 points" */
export function count(amount, noun) {
  return `${amount.toLocaleString("en")} ${noun}${amount === 1 ? "" : "s"}`;
}
