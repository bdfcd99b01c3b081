/** Exports and batches that exist: wait, cancel, download, undo. */

import { setTimeout as sleep } from "node:timers/promises";
import { downloadFiles } from "./downloads.js";
import { JobFailed, LongshoreError } from "./errors.js";
import { json, type Transport } from "./transport.js";

const UNFINISHED = ["requested", "queued", "processing"];
const MAX_POLL_MS = 5000;

export type ExportFile = { name: string; rows: number; bytes: number; sha256: string };
/** row: the number of the record in the input, from 1; null for a record that no row names. */
export type RowError = Record<"column" | "code" | "message", string> &
  { row: number | null; value: string | null };

/** The JSON of an export or batch: `/docs` describes all fields. */
export type JobData = Record<string, any> &
  { id: string; status: string; progress: number; records_count: number | null };

/** An export or batch. data: its JSON in the last response. collection: its path in the API. */
export class Job<Data extends JobData = JobData> {
  readonly id: string;
  protected readonly path: string;

  constructor(
    protected readonly transport: Transport,
    protected readonly collection: string,
    public data: Data,
  ) {
    this.id = data.id;
    this.path = `${collection}/${data.id}`;
  }

  get status(): string {
    return this.data.status;
  }

  async refresh(): Promise<this> {
    this.data = await this.transport.request("GET", this.path);
    return this;
  }

  /**
   * Wait until the job is completed. Throws JobFailed, or a LongshoreError `wait_timeout`.
   *
   * timeoutMs: by default there is no limit.
   * progress: show the progress on stderr if it is a terminal.
   */
  async wait({ timeoutMs = Infinity, progress = false } = {}): Promise<this> {
    const shows = progress && process.stderr.isTTY;
    const deadline = performance.now() + timeoutMs;
    let pause = 200;
    while (UNFINISHED.includes(this.status)) {
      if (shows) process.stderr.write(`\r${this.id} ${this.status} ${this.data.progress}%\x1b[K`);
      if (performance.now() + pause > deadline) {
        throw new LongshoreError("wait_timeout", `${this.id} is still ${this.status}.`);
      }
      await sleep(pause);
      pause = Math.min(pause * 1.5, MAX_POLL_MS);
      await this.refresh();
    }
    if (shows) process.stderr.write(`\r${this.id} ${this.status}\x1b[K\n`);
    const { id, status, error } = this.data;
    if (status === "completed") return this;
    const message = error?.message ?? `${id} is ${status}, not completed.`;
    throw new JobFailed(error?.error ?? status, message, { id, status });
  }

  async cancel(): Promise<this> {
    this.data = await this.transport.request("POST", `${this.path}/cancel`);
    return this;
  }

  /** Delete the job and its files. */
  delete(): Promise<void> {
    return this.transport.request("DELETE", this.path);
  }
}

export class Export extends Job<JobData & { files: ExportFile[] }> {
  /** Return the preview that the request of this export has now. */
  preview(): Promise<Record<string, unknown>> {
    return this.transport.request("POST", `${this.collection}/preview`, json(this.data.request));
  }

  /** Return the description of the files of the completed export, such as `snapshot_at`. */
  manifest(): Promise<Record<string, any>> {
    return this.transport.request("GET", `${this.path}/manifest`);
  }

  /**
   * Download the files of the completed export. Returns the path of the file or folder.
   *
   * Continues an interrupted download, renews expired links, and compares the SHA-256 of each file.
   * A file gets its final name when it is complete.
   *
   * target: a file, or a folder if it exists or the export has several files. With a name that ends
   * in `.zip`: one archive of all files, whose download starts again if interrupted.
   */
  download(target: string): Promise<string> {
    return downloadFiles(this.transport, this.path, this.data.files, target);
  }
}

type Upload = { url: string; headers: Record<string, string> };
type BatchData = JobData & { stats: Record<string, number>; upload: Upload | null };

export class Batch extends Job<BatchData> {
  /** The number of rows by outcome: created, updated, unchanged, deleted, failed. */
  get stats(): Record<string, number> {
    return this.data.stats;
  }

  /** Yield the errors of rows. */
  errors(): AsyncGenerator<RowError> {
    return this.transport.pages(`${this.path}/errors`, { limit: 100 });
  }

  /** Return the batch that reverses this one. */
  async undo({ idempotencyKey }: { idempotencyKey?: string } = {}): Promise<Batch> {
    const data = await this.transport.create(`${this.path}/undo`, undefined, idempotencyKey);
    return new Batch(this.transport, this.collection, data as BatchData);
  }
}
