/** The client and its collections. docs/api.md and docs/batches.md describe the fields. */

import { openAsBlob } from "node:fs";
import { basename } from "node:path";
import { Batch, Export } from "./jobs.js";
import { json, Transport, type Fields, type Options, type Parameters } from "./transport.js";
import { Webhooks } from "./webhooks.js";

// The API accepts more values in a file than in a JSON body.
const MAX_BODY_RECORDS = 500;
const MAX_BODY_BYTES = 500_000;
// Larger files are sent to an upload link.
const MAX_MULTIPART_BYTES = 64 * 1024 * 1024;

/**
 * data: the records. Many records are sent as a file of JSON Lines.
 * file: a path, in place of data.
 * upload: send the file to an upload link; by default if it has more than 64 MiB.
 */
export type BatchFields = Fields & { data?: readonly object[]; file?: string; upload?: boolean };

/** The exports or batches of the organization. */
class Jobs<J> {
  constructor(
    protected readonly transport: Transport,
    protected readonly path: string,
    private readonly model: new (transport: Transport, path: string, data: any) => J,
  ) {}

  async get(id: string): Promise<J> {
    const data = await this.transport.request("GET", `${this.path}/${id}`);
    return new this.model(this.transport, this.path, data);
  }

  /** Yield all, newest first. Filters: such as resource, status, created_at. */
  async *list(filters: Parameters = {}): AsyncGenerator<J> {
    const pages = this.transport.pages(this.path, filters);
    for await (const data of pages) yield new this.model(this.transport, this.path, data);
  }

  protected async send(body: Blob | FormData, key?: string): Promise<J> {
    const data = await this.transport.create(this.path, body, key);
    return new this.model(this.transport, this.path, data);
  }
}

class Exports extends Jobs<Export> {
  /** Create an export. fields: `resource` or `type`, and others such as `format`. */
  create({ idempotencyKey, ...fields }: Fields): Promise<Export> {
    return this.send(json(fields), idempotencyKey);
  }

  /** Return the preview of the export that `create` would create. */
  preview(fields: Record<string, unknown>): Promise<Record<string, unknown>> {
    return this.transport.request("POST", `${this.path}/preview`, json(fields));
  }
}

class Batches extends Jobs<Batch> {
  async create(resource: string, fields: BatchFields): Promise<Batch> {
    const { data, file, upload, idempotencyKey: key, ...rest } = fields;
    const request = { resource, ...rest };
    if (data) {
      const lines = new Blob(data.map((record) => `${JSON.stringify(record)}\n`));
      if (data.length <= MAX_BODY_RECORDS && lines.size <= MAX_BODY_BYTES) {
        return this.send(json({ ...request, data }), key);
      }
      return this.send(form({ ...request, format: "jsonl" }, "data.jsonl", lines), key);
    }
    if (!file) throw new TypeError("Set data or file.");
    const content = await openAsBlob(file);
    if (upload ?? content.size > MAX_MULTIPART_BYTES) {
      return this.#upload(await this.send(json({ ...request, upload: true }), key), content);
    }
    return this.send(form(request, basename(file), content), key);
  }

  /** Send a file to the link of a batch. If a response is lost, the batch has its file. */
  async #upload(batch: Batch, body: Blob): Promise<Batch> {
    for (let attempt = 0; batch.status === "requested" && batch.data.upload; attempt++) {
      const { url, headers } = batch.data.upload;
      const answer = await fetch(url, { method: "PUT", headers, body }).catch((e: unknown) => e);
      await batch.refresh();
      if (answer instanceof Response && answer.ok) break;
      if (batch.status === "requested") await this.transport.pause(attempt, answer);
    }
    return batch;
  }
}

/** Return the parts of a request. The request first: the server stores the file as it arrives. */
function form(request: unknown, name: string, content: Blob): FormData {
  const parts = new FormData();
  parts.append("request", json(request));
  parts.append("file", content, name);
  return parts;
}

/** A client of one organization. */
export class Client {
  readonly exports: Exports;
  readonly batches: Batches;
  readonly webhooks: Webhooks;
  readonly #transport: Transport;

  constructor(baseUrl: string, apiKey: string, options: Options = {}) {
    const transport = (this.#transport = new Transport(baseUrl, apiKey, options));
    this.exports = new Exports(transport, "/v1/exports", Export);
    this.batches = new Batches(transport, "/v1/batches", Batch);
    this.webhooks = new Webhooks(transport);
  }

  /** Yield the records of a list, such as `shipments`. parameters: docs/api.md, "Lists". */
  records(plural: string, parameters: Parameters = {}): AsyncGenerator<Record<string, unknown>> {
    return this.#transport.pages(`/v1/${plural}`, parameters);
  }
}
