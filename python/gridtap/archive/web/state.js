// What is shown, in the address behind the #: a view can be linked, and the back button works.
//
//   list          #q=words&source=...&tool-name=...&sort=-updated&page=2
//   measurement   #key=...&event-type=throughput&data=average/86400&range=7d
//                 #key=...&event-type=throughput&from=2021-03-01T00:00:00Z&to=...&run=1614556800

/** The parameters of an address, all as text. */
export function read(hash = location.hash) {
  return Object.fromEntries(new URLSearchParams(hash.replace(/^#/, "")));
}

/** The address of parameters; what is empty is left out. */
export function address(parameters) {
  const kept = Object.entries(parameters).filter(
    ([, value]) => value !== undefined && value !== null && value !== "",
  );
  // Slashes and colons may stand in a fragment, and are easier to read as they are.
  const text = new URLSearchParams(kept).toString();
  return "#" + text.replaceAll("%2F", "/").replaceAll("%3A", ":");
}

/** Shows something else, as a step that the back button undoes; or the same once more. */
export function go(parameters) {
  const next = address(parameters);
  if (next === (location.hash || "#")) dispatchEvent(new Event("hashchange"));
  else location.hash = next;
}

/** Notes a detail of what is shown already, as no step of its own. */
export function note(parameters) {
  history.replaceState(null, "", address(parameters));
}
