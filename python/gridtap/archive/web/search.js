// What is typed into the search box: what the API can filter by is left to it, the rest is looked
// for in what it lists.

import { NAMES } from "./events.js";

/** The filters that have an input of their own; the API's names. */
export const FIELDS = ["source", "destination", "measurement-agent", "tool-name", "event-type"];

const SHORT = { agent: "measurement-agent", tool: "tool-name", event: "event-type" };

/** An IPv4 or IPv6 address that is complete, as far as can be told without reading it. */
const ADDRESS = /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f]{0,4}(:[0-9a-f]{0,4}){2,7}(\.\d{1,3}){0,3})$/i;

const TOKEN = /([\w-]+)=(?:"([^"]*)"|(\S*))|"([^"]*)"|(\S+)/g;

/**
 * A search, from the parameters of the page's address.
 *
 * `name=value` is a filter of the API, whatever the name: also a parameter of the test. The name of
 * an event type is one too. An address is looked for in all three places where one can be. Other
 * words may be parts of names.
 *
 * @returns {{filters: Object<string, string>, address: ?string, words: string[]}}
 */
export function parse(parameters) {
  const filters = {};
  const words = [];
  let address = null;
  for (const [, name, quoted, plain, phrase, word] of (parameters.q ?? "").matchAll(TOKEN)) {
    const text = phrase ?? word;
    if (name) filters[SHORT[name] ?? name] = quoted ?? plain;
    else if (NAMES.includes(text) && !filters["event-type"]) filters["event-type"] = text;
    else if (ADDRESS.test(text) && !address) address = text;
    else if (text) words.push(text.toLowerCase());
  }
  for (const field of FIELDS) if (parameters[field]) filters[field] = parameters[field];
  // How much comes at once is not a matter of the search.
  for (const name of ["limit", "offset", "format"]) delete filters[name];
  return { filters, address, words };
}

/** Whether a measurement has all the words in one of its names. */
export const matches = (row, words) => words.every((word) => row.text.includes(word));
