export { Client, type BatchFields } from "./client.js";
export { JobFailed, LongshoreError, WebhookVerificationError } from "./errors.js";
export type { Batch, Export, ExportFile, JobData, RowError } from "./jobs.js";
export type { Fields, Options, Parameters } from "./transport.js";
export { verifyWebhook, type Webhook, type WebhookMessage } from "./webhooks.js";
