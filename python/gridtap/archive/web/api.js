// The only caller of the REST API.

import { key } from "./key.js";

/** Where the archive begins; everything below it is found by the addresses in its answers. */
export const ROOT = new URL("perfsonar/archive/", document.baseURI);

/** Seconds after which an answer is no longer waited for; the server gives up earlier. */
const PATIENCE_SECONDS = 60;

/** A request that gave nothing; the message is for people. */
export class ApiError extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }

  /** Whether another key may help */
  get asksForKey() {
    return this.status === 401;
  }
}

/** The absolute address of an archive's `uri`, with query parameters. */
export function locate(uri, query = {}) {
  const url = new URL(uri, ROOT);
  if (url.origin !== ROOT.origin) throw new ApiError(`not an address of this archive: ${uri}`);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

/**
 * The JSON at an address.
 *
 * @throws {ApiError} with one line that says what went wrong
 * @throws {DOMException} AbortError, where the caller gave up
 */
export async function get(uri, query, signal) {
  const { response, text } = await ask(locate(uri, query), signal);
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    if (response.ok) throw new ApiError("The archive's answer is not JSON.", response.status);
  }
  if (!response.ok) throw refusal(response, body);
  return body;
}

async function ask(url, signal) {
  const headers = { Accept: "application/json" };
  if (key()) headers.Authorization = `Token ${key()}`;
  const patience = AbortSignal.timeout(PATIENCE_SECONDS * 1000);
  const either = signal ? AbortSignal.any([signal, patience]) : patience;
  try {
    const response = await fetch(url, { headers, signal: either, credentials: "omit" });
    return { response, text: await response.text() };
  } catch (error) {
    if (signal?.aborted) throw error;
    if (patience.aborted)
      throw new ApiError(`The archive did not answer within ${PATIENCE_SECONDS} seconds.`);
    throw new ApiError("The archive cannot be reached: it is down, or the network is.");
  }
}

function refusal(response, body) {
  const detail = typeof body?.detail === "string" ? body.detail : response.statusText;
  if (response.status === 401 && !key())
    return new ApiError("This archive is private: reading needs an API key.", 401);
  if (response.status === 401) return new ApiError(`The key was refused: ${detail}`, 401);
  return new ApiError(`The archive refused (${response.status}): ${detail}`, response.status);
}
