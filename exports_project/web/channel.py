"""Connection of one client: deadlines, access log and errors.

Waitress implements the protocol. This module adds deadlines, the access log, and errors in JSON.
"""

import json
import logging
import time
from http import HTTPStatus
from typing import Any

from structlog.contextvars import clear_contextvars
from waitress.channel import HTTPChannel
from waitress.task import ErrorTask, WSGITask
from waitress.utilities import RequestEntityTooLarge, RequestHeaderFieldsTooLarge

from accounts.errors import ApiError, ErrorCode

# From the first byte of a request to its last.
REQUEST_SECONDS = 60
# A client that takes less of a response than this, on average over an interval, is disconnected.
MIN_BYTES_PER_SECOND = 1024
INTERVAL_SECONDS = 60
# Bytes sent to one client before the others have their turn: a fast download must not hold up
# the loop that serves all connections of the process.
_MAX_FLUSH_BYTES = 1 << 20

access = logging.getLogger("gunicorn.access")


def _log(client: str, command: str, path: str, status: str, sent: int, seconds: float) -> None:
    """Log a request without its query string: a signed link must not be kept in a log."""
    text = "%s %s %s %s, %s bytes in %.0f ms"
    access.info(text, client, command, path, status[:3], sent, seconds * 1000)


class RequestTask(WSGITask):
    """Answers one request, and logs it with the size of its response."""

    _sent = 0

    def write(self, data: bytes) -> None:
        super().write(data)
        self._sent += len(data)

    def service(self) -> None:
        try:
            super().service()
        finally:
            # `behind_proxies` may have put the client of a proxy here.
            client = (self.environ or {}).get("REMOTE_ADDR", self.channel.addr[0])
            # Waitress counts neither a response without a length nor a file that it sends itself.
            sent = self._sent if self.content_length is None else self.content_length
            if self.request.command == "HEAD":
                sent = 0
            took = time.time() - self.start_time
            _log(client, self.request.command, self.request.path, self.status, sent, took)
            # The thread's next request must not inherit this one's id and organization.
            clear_contextvars()


class RefusalTask(ErrorTask):
    """Answers a request that never reaches Django, in the shape of the API's errors."""

    def execute(self) -> None:
        error = _refusal(self.request.error, self.channel.adj)
        body = json.dumps(error.as_json()).encode()
        self.status = f"{error.status} {HTTPStatus(error.status).phrase}"
        self.response_headers.append(("Content-Type", "application/json"))
        self.response_headers.append(("Cache-Control", "private, no-store"))
        self.set_close_on_finish()
        self.content_length = len(body)
        self.write(body)
        _log(self.channel.addr[0], "-", "-", self.status, len(body), 0)


def _refusal(error: Any, limits: Any) -> ApiError:
    match error:
        case RequestEntityTooLarge():
            size = limits.max_request_body_size - 1
            text = f"The body is larger than {size} bytes."
            return ApiError(ErrorCode.REQUEST_TOO_LARGE, text, {"maximum": size})
        case RequestHeaderFieldsTooLarge():
            size = limits.max_request_header_size
            text = f"The request line and the headers are larger than {size} bytes."
            return ApiError(ErrorCode.HEADERS_TOO_LARGE, text, {"maximum": size})
    code = ErrorCode.INTERNAL_ERROR if error.code == 500 else ErrorCode.INVALID_REQUEST
    text = code.label if error.code == 500 else f"Malformed HTTP request: {error.body}."
    return ApiError(code, text, status=error.code)


class Channel(HTTPChannel):
    """A connection with deadlines for both directions."""

    task_class = RequestTask
    error_task_class = RefusalTask
    _request_began: float | None = None
    _sent = 0
    _flush_left = 0
    # Start of the interval, and the bytes sent until then.
    _interval: tuple[float, int] | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.sendbuf_len: int = min(self.sendbuf_len, _MAX_FLUSH_BYTES // 4)

    def received(self, data: bytes) -> bool:
        if self.request is None:
            self._request_began = time.time()
        return bool(super().received(data))

    def _flush_some(self, do_close: bool = True) -> bool:
        self._flush_left = _MAX_FLUSH_BYTES
        return bool(super()._flush_some(do_close))

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Send as much as the socket takes; return 0 once the flush has reached its limit."""
        if self._flush_left <= 0:
            return 0
        sent: int = super().send(data, do_close)
        self._flush_left -= sent
        self._sent += sent
        return sent

    def drop_if_slow(self, now: float) -> None:
        """Disconnect a client that sends its request or takes its response too slowly."""
        if self.request is not None and now - (self._request_began or now) > REQUEST_SECONDS:
            self._drop("sends")
        elif not self.total_outbufs_len:
            self._interval = None
        elif self._interval is None:
            self._interval = now, self._sent
        elif (seconds := now - self._interval[0]) >= INTERVAL_SECONDS:
            if self._sent - self._interval[1] < seconds * MIN_BYTES_PER_SECOND:
                self._drop("receives")
            self._interval = now, self._sent

    def _drop(self, verb: str) -> None:
        self.logger.info("Disconnected %s: it %s too slowly.", self.addr[0], verb)
        self.will_close = True
