/** Requests to the API: API key, retries, idempotency keys and cursors. */

import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { errorOf, LongshoreError } from "./errors.js";

const RETRIED_STATUSES = [429, 502, 503, 504];
const MAX_BACKOFF_MS = 30_000;

/**
 * maxRetries: attempts after the first one, for 429, 502, 503, 504 and lost connections; 5.
 * maxWaitMs: a longer Retry-After, in milliseconds, throws the error at once; 120,000.
 */
export type Options = { maxRetries?: number; maxWaitMs?: number };

/** Fields of a creation, as in the API. idempotencyKey: by default a random one. */
export type Fields = { idempotencyKey?: string; [field: string]: unknown };

/** Parameters of a list, such as filters. */
export type Parameters = Record<string, string | number | boolean>;

/** Sends requests, and again after failures: each must be idempotent or have a key. */
export class Transport {
  readonly #base: string;
  readonly #apiKey: string;
  readonly #limits: Required<Options>;

  constructor(baseUrl: string, apiKey: string, options: Options) {
    this.#base = new URL(baseUrl).href.replace(/\/+$/, "");
    this.#apiKey = apiKey;
    this.#limits = { maxRetries: 5, maxWaitMs: 120_000, ...options };
  }

  /** Return the JSON of the response; undefined without a body. key: the Idempotency-Key. */
  async request<T>(method: string, path: string, body?: Blob | FormData, key?: string): Promise<T> {
    const headers: Record<string, string> = { authorization: `Bearer ${this.#apiKey}` };
    if (key) headers["idempotency-key"] = key;
    for (let attempt = 0; ; attempt++) {
      const init = { method, headers, body: body ?? null, redirect: "manual" as const };
      try {
        const response = await fetch(this.#base + path, init);
        const text = response.ok ? await response.text() : "";
        if (response.ok) return (text ? JSON.parse(text) : undefined) as T;
        // An earlier attempt deleted the object, and its response was lost.
        if (method === "DELETE" && attempt && response.status === 404) return undefined as T;
        await this.pause(attempt, response);
      } catch (error) {
        await this.pause(attempt, error);
      }
    }
  }

  /** Send a POST with an Idempotency-Key, by default a random one. */
  create<T>(path: string, body?: Blob | FormData, key: string = randomUUID()): Promise<T> {
    return this.request("POST", path, body, key);
  }

  /** Yield the entries of a list, page by page. */
  async *pages<T>(path: string, parameters: Parameters): AsyncGenerator<T> {
    const query = new URLSearchParams(parameters as Record<string, string>);
    for (;;) {
      const url = `${path}?${query}`;
      const page = await this.request<{ next: string | null; results: T[] }>("GET", url);
      yield* page.results;
      if (!page.next) return;
      query.set("cursor", new URL(page.next).searchParams.get("cursor") ?? "");
    }
  }

  /**
   * Wait before the next attempt; throw if the failure is final.
   *
   * attempt: the number of attempts that failed before.
   * failure: a response, or an exception; a TypeError of `fetch` is a lost connection.
   */
  async pause(attempt: number, failure: unknown): Promise<void> {
    const { maxRetries, maxWaitMs } = this.#limits;
    let wait = Math.min(MAX_BACKOFF_MS, 2 ** attempt * 500) * (0.5 + Math.random() / 2);
    if (failure instanceof Response) {
      wait = retryAfter(failure) || wait;
      const isFinal = !RETRIED_STATUSES.includes(failure.status) || wait > maxWaitMs;
      if (isFinal || attempt >= maxRetries) throw await errorOf(failure);
      await failure.body?.cancel();
    } else if (!(failure instanceof TypeError)) {
      throw failure;
    } else if (attempt >= maxRetries) {
      throw new LongshoreError("connection_error", `${failure.message}: ${failure.cause}`);
    }
    await sleep(wait);
  }
}

/** Return a value as the body of a request. */
export function json(value: unknown): Blob {
  return new Blob([JSON.stringify(value)], { type: "application/json" });
}

/** Return the milliseconds of Retry-After, which is a number or a date; null without the header. */
function retryAfter(response: Response): number | null {
  const text = response.headers.get("retry-after") ?? "";
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(wait) ? null : Math.max(0, wait);
}
