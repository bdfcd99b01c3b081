import createClient from "openapi-fetch";
import type { paths } from "./api.js";

declare const process: { env: Record<string, string> };

const client = createClient<paths>({
  baseUrl: process.env.BASE,
  headers: { "PX-API-KEY": process.env.KEY },
});
const created = await client.POST("/v1/exports", {
  params: { query: { wait: 10 } },
  body: { resource: "contact", csv_field_options: { columns: ["id", "name"] } },
});
if (!created.data) throw new Error(JSON.stringify(created.error));
const listed = await client.GET("/v1/exports", { params: { query: { status: "completed" } } });
const rows: number | null | undefined = listed.data?.results[0]?.records_count;
console.log(JSON.stringify([created.data.status, created.data.files[0]?.rows, rows]));
