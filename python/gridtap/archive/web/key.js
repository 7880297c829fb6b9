// The API key of a private archive. It lives as long as the tab: never in an address, not on disk.

const NAME = "gridtap-key";

// Where storage is forbidden, the key lasts as long as the page.
let fallback = "";

export function key() {
  try {
    return sessionStorage.getItem(NAME) ?? fallback;
  } catch {
    return fallback;
  }
}

export function keep(text) {
  fallback = text;
  try {
    if (text) sessionStorage.setItem(NAME, text);
    else sessionStorage.removeItem(NAME);
  } catch {
    // See above.
  }
}
