// Uses the generated client, which is beside this file: a batch and an export.
import createClient from "openapi-fetch";
import type { paths } from "./api.js";

declare const process: { env: Record<string, string> };

const client = createClient<paths>({
  baseUrl: process.env.BASE,
  headers: { "PX-API-KEY": process.env.KEY },
});
const batch = await client.POST("/v1/batches", {
  body: { resource: "contact", mode: "sync", data: [{ name: "Ada" }] },
});
if (!batch.data) throw new Error(JSON.stringify(batch.error));

const created = await client.POST("/v1/exports", {
  params: { query: { wait: 10 } },
  body: { resource: "contact", csv_field_options: { columns: ["name"] } },
});
if (!created.data) throw new Error(JSON.stringify(created.error));
const listed = await client.GET("/v1/exports", { params: { query: { status: "completed" } } });
const rows: number | null | undefined = listed.data?.results[0]?.records_count;
const link = await client.GET("/v1/exports/{public_id}/download", {
  params: { path: { public_id: created.data.id } },
});
if (!link.data) throw new Error(JSON.stringify(link.error));
const content = await (await fetch(link.data.url)).text();

console.log(
  JSON.stringify({
    batch: [batch.data.status, batch.data.records_count],
    export: [created.data.status, created.data.files[0]?.rows, rows],
    lines: content.trimEnd().split("\n"),
  }),
);
