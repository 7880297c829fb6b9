// The event types of perfSONAR: what their values are, and in which unit. The same table as
// gridtap.esmond.event_types; a test holds the two together.

const TABLE = {
  "failures": ["json", ""],
  "histogram-owdelay": ["histogram", "ms"],
  "histogram-rtt": ["histogram", "ms"],
  "histogram-ttl": ["histogram", "hops"],
  "histogram-ttl-reverse": ["histogram", "hops"],
  "iostat": ["json", ""],
  "mpstat": ["json", ""],
  "rusage": ["json", ""],
  "ntp-delay": ["float", "ms"],
  "ntp-dispersion": ["float", "ms"],
  "ntp-jitter": ["float", "ms"],
  "ntp-offset": ["float", "ms"],
  "ntp-polling-interval": ["float", "s"],
  "ntp-reach": ["integer", ""],
  "ntp-stratum": ["integer", ""],
  "ntp-wander": ["float", "ppm"],
  "packet-count-lost": ["integer", "packets"],
  "packet-count-lost-bidir": ["integer", "packets"],
  "packet-count-sent": ["integer", "packets"],
  "packet-duplicates": ["integer", "packets"],
  "packet-duplicates-bidir": ["integer", "packets"],
  "packet-loss-rate": ["percentage", ""],
  "packet-loss-rate-bidir": ["percentage", ""],
  "packet-reorders": ["integer", "packets"],
  "packet-reorders-bidir": ["integer", "packets"],
  "packet-retransmits": ["integer", "packets"],
  "packet-retransmits-subintervals": ["subinterval", "packets"],
  "packet-rtt": ["integer", ""],
  "packet-rtt-subintervals": ["subinterval", ""],
  "packet-trace": ["json", ""],
  "packet-trace-multi": ["json", ""],
  "path-mtu": ["integer", "bytes"],
  "pscheduler-raw": ["json", ""],
  "pscheduler-run-href": ["json", ""],
  "streams-packet-retransmits": ["json", "packets"],
  "streams-packet-retransmits-subintervals": ["json", "packets"],
  "streams-packet-rtt": ["json", ""],
  "streams-packet-rtt-subintervals": ["json", ""],
  "streams-tcp-windowsize": ["json", "bytes"],
  "streams-tcp-windowsize-subintervals": ["json", "bytes"],
  "streams-tcpinfo": ["json", ""],
  "streams-throughput": ["json", "bit/s"],
  "streams-throughput-subintervals": ["json", "bit/s"],
  "tcp-windowsize": ["integer", "bytes"],
  "tcp-windowsize-subintervals": ["subinterval", "bytes"],
  "tcpinfo": ["json", ""],
  "throughput": ["integer", "bit/s"],
  "throughput-subintervals": ["subinterval", "bit/s"],
  "time-error-estimates": ["float", ""],
};

/** What people look for first; the others follow by name. */
const FIRST = [
  "throughput", "histogram-owdelay", "histogram-rtt", "packet-loss-rate", "packet-loss-rate-bidir",
  "packet-trace", "packet-retransmits", "path-mtu", "failures",
];

export const NAMES = Object.keys(TABLE);

/** The data type, or nothing for a type that this page does not know. */
export const dataType = (name) => (Object.hasOwn(TABLE, name) ? TABLE[name][0] : undefined);

/** The unit of a value or, for a histogram, of its buckets. */
export const unit = (name) => (Object.hasOwn(TABLE, name) ? TABLE[name][1] : "");

/** Names in the order in which they are offered. */
export function byInterest(names) {
  const rank = (name) => (FIRST.indexOf(name) + FIRST.length + 1) % (FIRST.length + 1);
  return [...names].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
const isInterval = (value) => isObject(value) && "start" in value && "duration" in value;
const isNumber = (value) => typeof value === "number" || value === null;
const isList = (value, test) => Array.isArray(value) && value.every(test);

/**
 * How points are drawn: "numeric", "percentage", "histogram", "statistics", "failures", "trace",
 * "intervals" (of one run), "streams" (intervals by stream), "numbers" (one by stream) or "json".
 * Types that are JSON to the archive, or that this page does not know, go by what is in them.
 */
export function kind(name, summaryType, points) {
  if (summaryType === "statistics") return "statistics";
  if (name === "failures") return "failures";
  if (name === "packet-trace") return "trace";
  const type = dataType(name);
  if (type === "histogram" || type === "percentage") return type;
  if (type === "subinterval") return "intervals";
  if (type === "integer" || type === "float") return "numeric";
  return guess(points.map((point) => point.val));
}

function guess(values) {
  if (!values.length) return "json";
  if (values.every((value) => typeof value === "number")) return "numeric";
  if (isList(values, (value) => isList(value, isInterval)) && values.flat().length)
    return "intervals";
  if (isList(values, (value) => isList(value, isNumber)) && values.flat().length) return "numbers";
  const isStreams = (value) => isList(value, (stream) => isList(stream, isInterval));
  if (isList(values, isStreams) && values.flat(2).length) return "streams";
  return "json";
}
