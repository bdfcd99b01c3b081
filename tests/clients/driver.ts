// Calls the TypeScript client as a command: prints the result or the error as one JSON object.
//
// Arguments: the URL, the API key, the name of a call, its arguments as a JSON object. `driver.py`
// has the same calls.

import {
  type Batch,
  Client,
  LongshoreError,
  verifyWebhook,
  WebhookVerificationError,
} from "@longshore/client";

async function all<T>(entries: AsyncIterable<T>): Promise<T[]> {
  const found = [];
  for await (const each of entries) found.push(each);
  return found;
}

async function ended(batch: Batch): Promise<unknown> {
  await batch.wait({ timeoutMs: 120_000 });
  return { data: batch.data, errors: await all(batch.errors()) };
}

const [baseUrl, apiKey, name, text] = process.argv.slice(2) as [string, string, string, string];
const { max_retries: maxRetries = 5, ...values } = JSON.parse(text);
const client = new Client(baseUrl, apiKey, { maxRetries });

const calls: Record<string, () => Promise<unknown>> = {
  async export() {
    const preview = await client.exports.preview(values.request);
    const created = await client.exports.create(values.request);
    await created.wait({ timeoutMs: 120_000, progress: true });
    const path = await created.download(values.target);
    const previews = [preview, await created.preview()];
    return { data: created.data, path, previews, manifest: await created.manifest() };
  },
  async download() {
    return { path: await (await client.exports.get(values.id)).download(values.target) };
  },
  async cancel() {
    const created = await client.exports.create(values.request);
    await created.wait({ timeoutMs: 0 }).catch((error) => {
      if (error.code !== "wait_timeout") throw error;
    });
    await created.cancel();
    await created.wait({ timeoutMs: 60_000 }).finally(() => created.delete());
  },
  async batch() {
    const { resource, ...fields } = values;
    return ended(await client.batches.create(resource, fields));
  },
  async undo() {
    return ended(await (await client.batches.get(values.id)).undo());
  },
  async lists() {
    const exports = await all(client.exports.list({ limit: 1, resource: "group" }));
    const batches = await all(client.batches.list({ limit: 2 }));
    const groups = await all(client.records("groups", { fields: "id", limit: 2 }));
    return { exports: exports.map((each) => each.id), batches: batches.map((each) => each.id), groups };
  },
  async subscribe() {
    const { target } = values;
    const fields = { target, events: ["export.created"], resources: ["group"] };
    const created = await client.webhooks.create(fields);
    return { created, listed: (await all(client.webhooks.list())).map((each) => each.id) };
  },
  async unsubscribe() {
    await client.webhooks.delete(values.id);
    return (await all(client.webhooks.list())).map((each) => each.id);
  },
  // Create each object twice with one key; return pairs of ids.
  async repeat() {
    const { target, key: idempotencyKey } = values;
    const data = [{ email: "repeated@example.org", status: "prospect" }];
    const pairs: string[][] = [[], [], [], []];
    for (let time = 0; time < 2; time++) {
      const made = await client.exports.create({ resource: "group", idempotencyKey });
      const batch = await client.batches.create("customer", { data, idempotencyKey });
      await batch.wait({ timeoutMs: 120_000 });
      const undone = await batch.undo({ idempotencyKey });
      const events = ["batch.failed"];
      const webhook = await client.webhooks.create({ target, events, idempotencyKey });
      [made, batch, undone, webhook].forEach((each, index) => pairs[index]!.push(each.id));
    }
    await client.webhooks.delete(pairs[3]![0]!);
    return pairs;
  },
  async verify() {
    const body = Buffer.from(values.body, "base64");
    return verifyWebhook(body, values.headers, values.secrets, values.tolerance);
  },
};

function shown(error: unknown): unknown {
  if (error instanceof LongshoreError) {
    const { name, code, message, details, requestId, status } = error;
    return { name, code, message, details, request_id: requestId, status };
  }
  if (error instanceof WebhookVerificationError) {
    return { name: error.constructor.name, message: error.message };
  }
  throw error;
}

const call = calls[name];
if (!call) throw new Error(`no call ${name}`);
const answer = await call().then(
  (result) => ({ result: result ?? null }),
  (error: unknown) => ({ error: shown(error) }),
);
console.log(JSON.stringify(answer));
