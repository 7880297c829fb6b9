// The link to the JSON of what is drawn.

import { get } from "./api.js";
import { element } from "./dom.js";
import { key } from "./key.js";
import { jsonAddress } from "./series.js";
import { complain } from "./status.js";

/** A link; where reading needs a key, which a link cannot carry, the file is fetched instead. */
export function jsonLink(choice, range) {
  const url = jsonAddress(choice, range);
  const link = element("a", { class: "json-link", href: url.href }, "These points as JSON");
  link.addEventListener("click", async (event) => {
    if (!key()) return;
    event.preventDefault();
    try {
      save(await get(url.href));
    } catch (error) {
      complain(error.message);
    }
  });
  return link;
}

function save(value) {
  const blob = new Blob([JSON.stringify(value)], { type: "application/json" });
  const address = URL.createObjectURL(blob);
  element("a", { href: address, download: "points.json" }).click();
  // Not before the browser has begun to save it.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
