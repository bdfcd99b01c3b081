"""Exceptions of the client."""

from typing import Any

import httpx


class LongshoreError(Exception):
    """A request that failed.

    code: a code of docs/errors.md; or `connection_error`, `checksum_mismatch`, and `http_<status>`
        for a response that is not from Longshore.
    details: further data, such as `problems` with all invalid fields.
    request_id, status: of the response. The server's log has the same request id.
    """

    def __init__(
        self,
        code: str,
        message: str,
        details: dict[str, Any] | None = None,
        request_id: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}" + (f" (request {request_id})" if request_id else ""))
        self.code, self.message, self.details = code, message, details or {}
        self.request_id, self.status = request_id, status


class JobFailed(LongshoreError):
    """An export or batch did not complete. details: its `id` and `status`."""


class WebhookVerificationError(Exception):
    """The message was not signed with the secret, or its timestamp is too old."""


def error_of(response: httpx.Response) -> LongshoreError:
    """Return the exception for a response whose body has been read."""
    try:
        body = response.json()
        code, message, details = body["error"], body["message"], body["details"]
    except (ValueError, KeyError, TypeError):
        code, message, details = f"http_{response.status_code}", response.text[:500], {}
    request_id = response.headers.get("X-Request-Id")
    return LongshoreError(code, message, details, request_id, response.status_code)
