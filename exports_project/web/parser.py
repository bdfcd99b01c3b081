"""Parses the requests of a connection one at a time, within limits of memory and disk space.

Waitress implements the protocol. The channel decides when the next request starts.
"""

from threading import Lock
from typing import Any

from django.conf import settings
from waitress.parser import HTTPRequestParser
from waitress.receiver import ChunkedReceiver
from waitress.utilities import BadRequest, Error, RequestEntityTooLarge

# Forms of the admin may be larger than bodies of the API.
MAX_ADMIN_BODY_BYTES = max(settings.API_MAX_BODY_BYTES, settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0)
# Waitress also counts the size lines of a chunked body, so its own limit needs room for them.
MAX_ENCODED_BODY_BYTES = 2 * MAX_ADMIN_BODY_BYTES
# Maximum of a size line with its chunk extensions, and of all trailers together.
MAX_CHUNK_LINE_BYTES = 4096
# Maximum of all bodies of one process together, in memory and in temporary files.
MAX_BUFFERED_BYTES = 1 << 28


class Overloaded(Error):
    """The bodies of this process exceed MAX_BUFFERED_BYTES."""

    code = 503
    reason = "Service Unavailable"


class Budget:
    """Counts the bytes of all request bodies of this process. Thread-safe."""

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
        """Choose the limit of the body by the path, because no user is authenticated yet."""
        super().parse_header(header_plus)
        if self.path.startswith("/admin/"):
            self.max_body = MAX_ADMIN_BODY_BYTES

    def received(self, data: bytes) -> int:
        """Consume the bytes of this request; keep the bytes after it in `rest`.

        Waitress would parse all requests of one read and queue them, with an open file for each
        response. Reporting all bytes as consumed makes it stop after the first request.
        """
        consumed: int = super().received(data)
        self._count(len(self.body_rcv) if self.body_rcv else 0)
        if not self.error and (error := self._refusal()):
            self.error, self.completed = error, True
        if not self.completed:
            return consumed
        # "100 Continue" would reopen a complete request.
        self.expect_continue = False
        self.rest = data[consumed:]
        return len(data)

    def close(self) -> None:
        """Delete the body and return its bytes to the budget."""
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
        # Waitress keeps both in memory without a limit and copies them at every read.
        if (
            isinstance(receiver, ChunkedReceiver)
            and len(receiver.control_line) + len(receiver.trailer) > MAX_CHUNK_LINE_BYTES
        ):
            size = MAX_CHUNK_LINE_BYTES
            return BadRequest(f"chunk extensions or trailers of more than {size} bytes")
        return Overloaded("") if bodies.used > MAX_BUFFERED_BYTES else None
