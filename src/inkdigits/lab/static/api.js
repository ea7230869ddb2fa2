/* What the page asks of the lab, over HTTP. The types are those of types.d.ts. */

import { words } from "./words.js";

/** What the lab refused, in its own words; status 0 where it does not answer. */
export class ApiError extends Error {
  /** @param {string} message @param {number} status */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/**
 * @param {string} method
 * @param {string} path
 * @param {unknown} [body] bytes go as they are, all else as JSON
 * @param {{ signal?: AbortSignal, keepalive?: boolean }} [options]
 * @returns {Promise<Response>}
 */
async function asked(method, path, body, options = {}) {
  const raw = body instanceof Blob || body instanceof Uint8Array;
  /** @type {Response} */
  let response;
  for (let tries = 0; ; tries++) {
    try {
      response = await fetch(path, {
        method,
        headers:
          body === undefined
            ? {}
            : { "Content-Type": raw ? "application/octet-stream" : "application/json" },
        body: body === undefined ? undefined : raw ? body : JSON.stringify(body),
        ...options,
      });
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      listener(false);
      throw new ApiError(words.lab.gone, 0);
    }
    if (response.status !== 503 || tries >= 3) break;
    const seconds = Number(response.headers.get("Retry-After") ?? 1);
    await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  }
  listener(true);
  if (!response.ok) {
    const said = await response.json().catch(() => null);
    throw new ApiError(said?.error ?? words.lab.refused(response.status), response.status);
  }
  return response;
}

/** @type {(answering: boolean) => void} */
let listener = () => {};

/**
 * Names who is told, with every answer, whether the lab answers.
 *
 * @param {(answering: boolean) => void} told
 */
export function whenAnswering(told) {
  listener = told;
}

/** @param {string} path @param {{ signal?: AbortSignal }} [options] @returns {Promise<any>} */
export const get = async (path, options) => (await asked("GET", path, undefined, options)).json();

/**
 * @param {string} path
 * @param {unknown} [body]
 * @param {{ signal?: AbortSignal }} [options]
 * @returns {Promise<any>}
 */
export const post = async (path, body, options) =>
  (await asked("POST", path, body, options)).json();

/** @param {string} path @param {unknown} body @param {{ keepalive?: boolean }} [options] */
export const store = (path, body, options) => asked("PUT", path, body, options);

/** @param {string} path @param {unknown} body @returns {Promise<any>} */
export const patch = async (path, body) => (await asked("PATCH", path, body)).json();

/** @param {string} path */
export const remove = (path) => asked("DELETE", path);

/** @param {string} path @param {Query} query */
export function withQuery(path, query) {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined) parts.set(name, String(value));
  }
  return `${path}?${parts}`;
}

/**
 * The bytes of what JSON carries as base64.
 *
 * @param {string} text
 */
export const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));

/**
 * The little-endian float32 numbers of what JSON carries as base64.
 *
 * @param {string} text
 */
export const floatsOf = (text) => new Float32Array(bytesOf(text).buffer);

/** @type {Map<string, Uint8Array>} */
const seen = new Map();
const MOST_SEEN = 2000; // glyphs kept: 1.6 MB

/** @type {Map<string, number>} */
const labels = new Map();

/**
 * The label of a digit that `images` has fetched; null where the lab did not tell it.
 *
 * @param {string} data
 * @param {number} index
 */
export const labelOf = (data, index) => labels.get(`${data} ${index}`) ?? null;

/**
 * Digits of a data set, as glyphs of 784 bytes, in the order of the indices.
 *
 * @param {string} data as mnist:validation
 * @param {number[]} indices
 * @returns {Promise<Uint8Array[]>}
 */
export async function images(data, indices) {
  const missing = [...new Set(indices)].filter((index) => !seen.has(`${data} ${index}`));
  /** @type {Map<number, Uint8Array>} */
  const fresh = new Map();
  if (missing.length) {
    const query = withQuery("/api/lab/images", { data, indices: missing.join(",") });
    const response = await asked("GET", query);
    const bytes = new Uint8Array(await response.arrayBuffer());
    missing.forEach((index, n) => fresh.set(index, bytes.slice(784 * n, 784 * (n + 1))));
    const told = response.headers.get("Labels")?.split(",") ?? [];
    told.forEach((label, n) => labels.set(`${data} ${missing[n]}`, Number(label)));
  }
  const found = indices.map((index) => fresh.get(index) ?? seen.get(`${data} ${index}`));
  for (const [index, glyph] of fresh) seen.set(`${data} ${index}`, glyph);
  for (const key of seen.keys()) {
    if (seen.size <= MOST_SEEN) break;
    seen.delete(key);
  }
  return found.map((glyph) => glyph ?? new Uint8Array(784));
}
