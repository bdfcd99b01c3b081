/** Exceptions of the client. */

/**
 * A request that failed.
 *
 * code: a code of docs/errors.md; or `connection_error`, `checksum_mismatch`, `wait_timeout`, and
 * `http_<status>` for a response that is not from Longshore.
 * details: further data, such as `problems` with all invalid fields.
 * requestId, status: of the response. The server's log has the same request id.
 */
export class LongshoreError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly details: Record<string, unknown> = {},
    readonly requestId: string | null = null,
    readonly status: number | null = null,
  ) {
    super(message);
    this.name = new.target.name;
  }
}

/** An export or batch did not complete. details: its `id` and `status`. */
export class JobFailed extends LongshoreError {}

/** The message was not signed with the secret, or its timestamp is too old. */
export class WebhookVerificationError extends Error {}

/** Return the exception for a response. */
export async function errorOf(response: Response): Promise<LongshoreError> {
  const text = await response.text();
  const [status, requestId] = [response.status, response.headers.get("x-request-id")];
  try {
    const { error, message, details } = JSON.parse(text);
    if (error) return new LongshoreError(error, message, details, requestId, status);
  } catch {
    // A proxy in front of Longshore responds with HTML.
  }
  return new LongshoreError(`http_${status}`, text.slice(0, 500), {}, requestId, status);
}
