// Shows what the address says.

import { ApiError } from "./api.js";
import { keyForm } from "./keyform.js";
import { ListView } from "./listview.js";
import { MeasurementView } from "./measurement.js";
import { read } from "./state.js";
import { calm, complain, say } from "./status.js";

const main = document.getElementById("main");

let view = null;
let under = new AbortController();
// Where "all measurements" leads back to.
let listAddress = "#";

function viewOf(parameters) {
  if (parameters.key) {
    if (view?.key === parameters.key) return view;
    return new MeasurementView(parameters.key, listAddress);
  }
  listAddress = location.hash || "#";
  return view instanceof ListView ? view : new ListView();
}

async function show() {
  under.abort();
  under = new AbortController();
  const { signal } = under;
  const parameters = read();
  const next = viewOf(parameters);
  const isNew = next !== view;
  const isFirst = view === null;
  view = next;
  if (isNew || !main.contains(next.root)) main.replaceChildren(next.root);
  try {
    await next.update(parameters, signal);
  } catch (error) {
    if (signal.aborted) return;
    fail(error);
    return;
  }
  if (signal.aborted) return;
  calm();
  document.title = `${next.title} - gridtap archive`;
  // A new view is a new page to those who cannot see that it changed.
  if (isNew && !isFirst) next.root.querySelector("h1")?.focus();
}

function fail(error) {
  say("");
  if (!(error instanceof ApiError)) {
    complain(`This page failed: ${error.message}`);
    throw error;
  }
  if (!error.asksForKey) {
    complain(error.message);
    return;
  }
  calm();
  view = null;
  const form = keyForm(error.message, show);
  main.replaceChildren(form);
  form.querySelector("input").focus();
}

addEventListener("hashchange", show);
document.getElementById("skip").addEventListener("click", (event) => {
  // The address behind the # is the view's.
  event.preventDefault();
  main.focus();
});
show();
