/** Webhooks: subscriptions, and the verification of received messages. */

import { createHmac, timingSafeEqual } from "node:crypto";
import { WebhookVerificationError } from "./errors.js";
import { json, type Fields, type Parameters, type Transport } from "./transport.js";

/** A subscription; docs/webhooks.md describes its fields. */
export type Webhook = { id: string; target: string; events: string[]; [field: string]: unknown };
/** data: the export, batch or webhook. */
export type WebhookMessage = { id: string; type: string; timestamp: string; data: any };
type Subscription = Fields & { target: string; events: string[] };

/** The subscriptions of the organization. */
export class Webhooks {
  constructor(private readonly transport: Transport) {}

  /** Subscribe a URL. Only this response contains the `secret`. */
  create({ idempotencyKey, ...fields }: Subscription): Promise<Webhook & { secret: string }> {
    return this.transport.create("/v1/webhooks", json(fields), idempotencyKey);
  }

  list(parameters: Parameters = {}): AsyncGenerator<Webhook> {
    return this.transport.pages("/v1/webhooks", parameters);
  }

  delete(id: string): Promise<void> {
    return this.transport.request("DELETE", `/v1/webhooks/${id}`);
  }
}

/**
 * Return the message of a request that Longshore sent; throw WebhookVerificationError otherwise.
 *
 * body: the raw bytes of the request.
 * headers: `request.headers` of Node, or a `Headers` object.
 * secrets: the secret of the subscription, or several during a rotation.
 * tolerance: maximum difference of the clocks and delay of the message, in seconds.
 */
export function verifyWebhook(
  body: Uint8Array | string,
  headers: Headers | Record<string, string | string[] | undefined>,
  secrets: string | readonly string[],
  tolerance = 300,
): WebhookMessage {
  const given = new Map(headers instanceof Headers ? headers : Object.entries(headers));
  const lower = new Map([...given].map(([name, value]) => [name.toLowerCase(), String(value)]));
  const timestamp = lower.get("webhook-timestamp") ?? "";
  if (!/^\d+$/.test(timestamp) || Math.abs(Date.now() / 1000 - Number(timestamp)) > tolerance) {
    throw new WebhookVerificationError("The timestamp is missing, too old, or in the future.");
  }
  const signatures = lower.get("webhook-signature")?.split(" ") ?? [];
  const isValid = [secrets].flat().some((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
    if (!key.length) throw new TypeError("The secret is empty.");
    const signed = createHmac("sha256", key).update(`${lower.get("webhook-id")}.${timestamp}.`);
    const expected = Buffer.from(`v1,${signed.update(body).digest("base64")}`);
    return signatures.map((each) => Buffer.from(each)).some(
      (each) => each.length === expected.length && timingSafeEqual(each, expected),
    );
  });
  if (!isValid) throw new WebhookVerificationError("No signature is valid.");
  return JSON.parse(Buffer.from(body).toString());
}
