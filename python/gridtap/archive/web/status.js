// What is said besides the content: what is loading, what went wrong.

const status = document.getElementById("status");
const error = document.getElementById("error");

/** For those who listen; the content says it to those who look. */
export function say(text) {
  if (status.textContent !== text) status.textContent = text;
}

/** One line on what went wrong; stays until something works. */
export function complain(text) {
  error.textContent = text;
  error.hidden = false;
}

export function calm() {
  error.hidden = true;
  error.textContent = "";
}
