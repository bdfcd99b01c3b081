/** Downloads that continue after an interruption and verify checksums. */

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { LongshoreError } from "./errors.js";
import type { ExportFile } from "./jobs.js";
import type { Transport } from "./transport.js";

// Longshore and S3 refuse an expired link with one of these.
const EXPIRED_LINK_STATUSES = [400, 403, 404, 410];
type Link = { url: string };
type NewLink = () => Promise<string>;
type Check = (path: string) => Promise<boolean>;

/** Download the files of an export. See `Export.download`. path: of the export in the API. */
export async function downloadFiles(
  api: Transport, path: string, files: readonly ExportFile[], target: string,
): Promise<string> {
  const get = <T>(name: string) => api.request<T>("GET", `${path}/${name}`);
  if (target.endsWith(".zip")) {
    const link = async () => (await get<Link>("zip")).url;
    await save(api, target, link, (part) => isArchive(part, files));
    return target;
  }
  if (files.length > 1) await mkdir(target, { recursive: true });
  const inFolder = (await stat(target).catch(() => null))?.isDirectory();
  let file = target;
  for (const [index, { name, sha256 }] of files.entries()) {
    // The server chose the name, which must not lead out of the folder.
    if (inFolder) file = join(target, basename(name));
    const isValid = async (each: string) => (await sha256Of(each)) === sha256;
    if (await isValid(file).catch(() => false)) continue;
    const link = async () => (await get<{ files: Link[] }>("download")).files[index]!.url;
    await save(api, file, link, isValid);
  }
  return files.length > 1 ? target : file;
}

/** Download to a temporary name, and rename the complete file. link: returns a new link. */
async function save(api: Transport, target: string, link: NewLink, isValid: Check): Promise<void> {
  const [part, etag] = [`${target}.part`, `${target}.part.etag`];
  let [failures, mayRenew, size] = [0, true, 0];
  for (;;) {
    const failure = await transfer(await link(), part, etag).catch((error: unknown) => error);
    if (!failure) break;
    const { offset } = await partial(part, etag);
    if (offset > size) [failures, mayRenew, size] = [0, true, offset];
    const isExpired = failure instanceof Response && EXPIRED_LINK_STATUSES.includes(failure.status);
    if (!mayRenew || !isExpired) await api.pause(failures++, failure);
    mayRenew &&= !isExpired;
  }
  const valid = await isValid(part);
  await rm(etag, { force: true });
  if (!valid) {
    await rm(part);
    throw new LongshoreError("checksum_mismatch", `${basename(target)} was damaged in transit.`);
  }
  await rename(part, target);
}

/** Return the size of a partial file and its ETag; 0 and "" if it cannot be continued. */
async function partial(part: string, etag: string): Promise<{ offset: number; tag: string }> {
  const size = (await stat(part).catch(() => null))?.size ?? 0;
  const tag = size ? await readFile(etag, "utf8").catch(() => "") : "";
  return { tag, offset: tag ? size : 0 };
}

/**
 * Append the missing bytes to a partial file; begin again if the server's file is another.
 *
 * Returns the response that refuses the transfer; null at the end of the file.
 */
async function transfer(url: string, part: string, etag: string): Promise<Response | null> {
  const { offset, tag } = await partial(part, etag);
  const range = tag ? { range: `bytes=${offset}-`, "if-range": tag } : {};
  const response = await fetch(url, { headers: { "accept-encoding": "identity", ...range } });
  // The partial file has all bytes.
  if (response.status === 416) return null;
  if (!response.ok) return response;
  if (response.status !== 206) {
    await rm(etag, { force: true });
    await writeFile(part, "");
    const found = response.headers.get("etag");
    // Only a strong ETag is valid in If-Range.
    if (found?.startsWith('"')) await writeFile(etag, found);
  }
  await using file = await open(part, "a");
  for await (const block of response.body ?? []) await file.writeFile(block);
  return null;
}

/** Return the SHA-256 of a file, or of its bytes from start to end, inclusive. */
async function sha256Of(path: string, range?: { start: number; end: number }): Promise<string> {
  const hash = createHash("sha256");
  for await (const block of createReadStream(path, range)) hash.update(block);
  return hash.digest("hex");
}

/** Return whether an archive has these files, in this order and not compressed. */
async function isArchive(path: string, files: readonly ExportFile[]): Promise<boolean> {
  await using archive = await open(path);
  let position = 0;
  for (const { bytes, sha256 } of files) {
    const { buffer } = await archive.read(Buffer.alloc(30), 0, 30, position);
    const extra = buffer.readUInt16LE(28);
    const start = position + 30 + buffer.readUInt16LE(26) + extra;
    if (bytes && (await sha256Of(path, { start, end: start + bytes - 1 })) !== sha256) return false;
    // The sizes after the content have eight bytes each in ZIP64, which has an extra field.
    position = start + bytes + (extra ? 24 : 16);
  }
  return true;
}
