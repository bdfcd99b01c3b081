"""Parses the requests of a connection one at a time, within limits on the memory and disk they use.

Waitress owns the protocol. The channel decides when the next request of a connection starts.
"""

from threading import Lock
from typing import Any

from django.conf import settings
from waitress.parser import HTTPRequestParser
from waitress.receiver import ChunkedReceiver
from waitress.utilities import BadRequest, Error, RequestEntityTooLarge

# Only forms of the admin may be larger than a body of the API.
MAX_ADMIN_BODY_BYTES = max(settings.API_MAX_BODY_BYTES, settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0)
# Waitress counts the size lines of a chunked body as well, so its own limit needs room for them.
MAX_ENCODED_BODY_BYTES = 2 * MAX_ADMIN_BODY_BYTES
# One line between chunks with its extensions, or all trailers.
MAX_CHUNK_LINE_BYTES = 4096
# Bodies that one process keeps at the same time, in memory and in temporary files together.
MAX_BUFFERED_BYTES = 1 << 28


class Overloaded(Error):
    """The process has no room for another body."""

    code = 503
    reason = "Service Unavailable"


class Budget:
    """Counts the bytes of all request bodies of this process; threads give bytes back."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.used = 0

    def change(self, size: int) -> None:
        with self._lock:
            self.used += size


bodies = Budget()


class Parser(HTTPRequestParser):
    """One request. `rest` holds the bytes after it, which belong to the next request."""

    rest = b""
    error: Error | None = None
    max_body = settings.API_MAX_BODY_BYTES
    _buffered = 0

    def parse_header(self, header_plus: bytes) -> None:
        """Choose the limit of the body, by the path: nobody is authenticated yet."""
        super().parse_header(header_plus)
        if self.path.startswith("/admin/"):
            self.max_body = MAX_ADMIN_BODY_BYTES

    def received(self, data: bytes) -> int:
        """Take the bytes of this request; once it is complete, keep the others.

        Waitress parses every request that one read returned and queues all of them, with an open
        file for each response. Consuming everything here makes it stop after the first request.
        """
        consumed: int = super().received(data)
        self._count(len(self.body_rcv) if self.body_rcv else 0)
        if not self.error and (error := self._refusal()):
            self.error, self.completed = error, True
        if not self.completed:
            return consumed
        # The response comes now; "100 Continue" would reopen a request that is complete.
        self.expect_continue = False
        self.rest = data[consumed:]
        return len(data)

    def close(self) -> None:
        """Delete the body and give its bytes back to the budget."""
        super().close()
        self._count(0)

    def _count(self, size: int) -> None:
        bodies.change(size - self._buffered)
        self._buffered = size

    def _refusal(self) -> Error | None:
        receiver: Any = self.body_rcv
        if receiver is None:
            return None
        if max(self.content_length, self._buffered) > self.max_body:
            return RequestEntityTooLarge("")
        # Waitress keeps both in memory without a limit, and copies them for each read.
        if (
            isinstance(receiver, ChunkedReceiver)
            and len(receiver.control_line) + len(receiver.trailer) > MAX_CHUNK_LINE_BYTES
        ):
            size = MAX_CHUNK_LINE_BYTES
            return BadRequest(f"chunk extensions or trailers of more than {size} bytes")
        return Overloaded("") if bodies.used > MAX_BUFFERED_BYTES else None
