"""Parses the requests of a connection one at a time, within limits of memory and disk space.

Waitress implements the protocol. The channel decides when the next request starts.
"""

from threading import Lock
from typing import Any
from urllib.parse import parse_qs

from django.conf import settings
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.receiver import ChunkedReceiver
from waitress.utilities import BadRequest, Error, RequestEntityTooLarge

from longshore.files import signed_links
from longshore.files.signed_links import UPLOAD_PREFIX, InvalidLink

# Forms of the admin may be larger than bodies of the API.
MAX_ADMIN_BODY_BYTES = max(settings.API_MAX_BODY_BYTES, settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0)
# An input of a batch behind an upload link; one in a multipart body, with the other part.
MAX_UPLOAD_BODY_BYTES = settings.BATCH_MAX_BYTES
MAX_MULTIPART_BODY_BYTES = (
    min(settings.BATCH_MAX_BYTES, settings.BATCH_MAX_MULTIPART_BYTES) + settings.API_MAX_BODY_BYTES
)
# Waitress also counts the size lines of a chunked body, so its own limit needs room for them.
MAX_ENCODED_BODY_BYTES = 2 * max(
    MAX_ADMIN_BODY_BYTES, MAX_UPLOAD_BODY_BYTES, MAX_MULTIPART_BODY_BYTES
)
# Maximum of a size line with its chunk extensions, and of all trailers together.
MAX_CHUNK_LINE_BYTES = 4096
# Maximum of the bodies of one process together, in memory and in temporary files.
# MAX_UPLOADED_BYTES is for uploads, MAX_BUFFERED_BYTES for all other bodies.
MAX_UPLOADED_BYTES = 2 * MAX_UPLOAD_BODY_BYTES
MAX_BUFFERED_BYTES = 1 << 28
# An upload that is slower than this on average, beyond REQUEST_SECONDS, is disconnected.
MIN_UPLOAD_BYTES_PER_SECOND = 64 << 10
_MULTIPART_PATHS = ("/v1/batches", "/v1/batches/preview")
_UPLOADS = "/v1/batches/uploads/"


class Overloaded(Error):
    """The bodies of this process exceed MAX_BUFFERED_BYTES or MAX_UPLOADED_BYTES."""

    code = 503
    reason = "Service Unavailable"


class Budget:
    """Counts the bytes of request bodies of this process. Thread-safe."""

    def __init__(self, maximum: int) -> None:
        self._lock = Lock()
        self.maximum = maximum
        self.used = 0

    @property
    def is_exceeded(self) -> bool:
        return self.used > self.maximum

    def change(self, size: int) -> None:
        with self._lock:
            self.used += size


bodies = Budget(MAX_BUFFERED_BYTES)
uploads = Budget(MAX_UPLOADED_BYTES)


class Parser(HTTPRequestParser):
    """One request. `rest` holds the bytes after it, which belong to the next request."""

    rest = b""
    error: Error | None = None
    max_body = settings.API_MAX_BODY_BYTES
    # Whether the application must accept the body before it is received (`web.admission`).
    needs_admission = False
    is_admitted = False
    expect_continue = False
    # Whether the client then waits for "100 Continue".
    waits_for_continue = False
    _budget = bodies
    _buffered = 0
    # Start of the interval, and the bytes received until then.
    _interval: tuple[float, int] | None = None

    def parse_header(self, header_plus: bytes) -> None:
        """Choose the limit of the body by the path, because no user is authenticated yet."""
        try:
            super().parse_header(header_plus)
        except ValueError:
            # Of Python's parser of URLs, such as for `http://[/`. Waitress would log a traceback
            # and close the connection without a response.
            raise ParsingError("Bad URI") from None
        if self.path.startswith("/admin/"):
            self.max_body = MAX_ADMIN_BODY_BYTES
        elif self._is_multipart():
            self.max_body, self._budget = MAX_MULTIPART_BODY_BYTES, uploads
            if self.chunked or self.content_length > settings.API_MAX_BODY_BYTES:
                self.needs_admission = True
                self.waits_for_continue = bool(self.expect_continue)
                self.expect_continue = False
        elif self._has_upload_link():
            self.max_body, self._budget = MAX_UPLOAD_BODY_BYTES, uploads

    @property
    def extra_seconds(self) -> float:
        """Seconds that an upload may take in addition to REQUEST_SECONDS."""
        return self._buffered / MIN_UPLOAD_BYTES_PER_SECOND if self._budget is uploads else 0

    def stalls(self, now: float, seconds: int) -> bool:
        """Return whether an upload was too slow in the last interval of `seconds`.

        Without this, an upload that has sent most of a large file could pause for hours.
        """
        if self._budget is not uploads:
            return False
        began, size = self._interval or (now, self._buffered)
        if self._interval is not None and now - began < seconds:
            return False
        self._interval = now, self._buffered
        return self._buffered - size < (now - began) * MIN_UPLOAD_BYTES_PER_SECOND

    def _is_multipart(self) -> bool:
        """Return whether the body may have a file as a part."""
        if self.command != "POST" or self.path.rstrip("/") not in _MULTIPART_PATHS:
            return False
        media_type = str(self.headers.get("CONTENT_TYPE", "")).lower()
        return media_type.startswith("multipart/form-data")

    def _has_upload_link(self) -> bool:
        """Return whether the body may be a file behind a signed link."""
        if self.command != "PUT" or not self.path.startswith(_UPLOADS):
            return False
        [signature, *_] = parse_qs(self.query).get("signature", [""])
        try:
            identifier = signed_links.verify(signature, settings.BATCH_UPLOAD_SECONDS)
        except InvalidLink:
            return False
        # Download links have the same signer.
        return identifier.startswith(UPLOAD_PREFIX)

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
        self._budget.change(size - self._buffered)
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
        return Overloaded("") if self._budget.is_exceeded else None
