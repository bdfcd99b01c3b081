"""The connection of one client: the order of its requests and the time limits of each.

Waitress implements the protocol, `parser` limits the size of a request, `tasks` runs it.
"""

import socket
import time
from typing import Any

from waitress.channel import HTTPChannel

from exports_project.web.admission import Admission, Denied
from exports_project.web.parser import Parser
from exports_project.web.tasks import RefusalTask, RequestTask, log_file_error
from longshore.files.read_ahead import ReadAhead

# From the first byte of a request to its last. Uploads may take longer: see the parser.
REQUEST_SECONDS = 60
# A client that receives less than this, on average over an interval, is disconnected.
MIN_BYTES_PER_SECOND = 1024
INTERVAL_SECONDS = 60
# Bytes sent to one client before the others get their turn: a fast download must not block the
# loop that serves all connections of the process.
_MAX_FLUSH_BYTES = 1 << 20
# After a refusal the rest of the request is read and discarded, within these limits. Closing a
# connection with unread bytes resets it, and the client would lose the response.
LINGER_SECONDS = 5
MAX_DISCARDED_BYTES = 1 << 23


class Channel(HTTPChannel):
    """A connection that serves one request at a time, with deadlines for both directions.

    Waitress parses all pipelined requests at once, and the thread that ran one of them waits
    until the client has read the response. This class parses the next request after the previous
    response has been sent, so a client that reads nothing occupies no thread and at most one file.
    """

    task_class = RequestTask
    error_task_class = RefusalTask
    parser_class = Parser
    request: Parser | None = None
    # Whether the application is asked about the body of `request`.
    _is_asking = False
    # Set by RefusalTask: the bytes that follow are discarded.
    refused = False
    _request_began: float | None = None
    # Bytes received after the current request; at most one read, because reading stops until it
    # has been answered.
    _rest = b""
    _linger_began: float | None = None
    _discarded = 0
    _sent = 0
    _flush_left = 0
    # Start of the interval, and the bytes sent until then.
    _interval: tuple[float, int] | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.sendbuf_len: int = min(self.sendbuf_len, _MAX_FLUSH_BYTES // 4)
        # Time of the last byte of a request. Blank lines and discarded bytes do not count.
        self.active_at = self.creation_time

    @property
    def idle(self) -> bool:
        """Whether there is neither a complete request nor a response to send."""
        return not (self.requests or self.total_outbufs_len)

    def readable(self) -> bool:
        """Stop reading until the responses of the received requests are sent.

        Also while the application is asked about the body.
        """
        return not (self._rest or self._is_asking) and bool(super().readable())

    def write_soon(self, data: Any) -> int:
        """Also ask a file that is produced meanwhile to wake the loop."""
        file = getattr(data, "file", None)
        if isinstance(file, ReadAhead):
            file.call_when_ready(self.server.pull_trigger)
        return int(super().write_soon(data))

    def writable(self) -> bool:
        """Wait for the file that is sent; ask for `handle_write` after a response too."""
        if self.connected and getattr(getattr(self.outbufs[0], "file", None), "is_waiting", False):
            return False
        waits = self._rest or (self.refused and self._linger_began is None)
        return bool(super().writable() or (waits and self.idle))

    def handle_write(self) -> None:
        """Send; then start the next request, or start to close after a refusal."""
        super().handle_write()
        if not self.connected or not self.idle or self.will_close:
            return
        if self.refused and self._linger_began is None:
            self._linger_began = time.time()
            self.socket.shutdown(socket.SHUT_WR)
        elif self._rest:
            rest, self._rest = self._rest, b""
            self.received(rest)

    def received(self, data: bytes) -> bool:
        """Parse at most one request; keep the bytes that follow it."""
        if self.refused:
            self._discarded += len(data)
            if self._discarded > MAX_DISCARDED_BYTES:
                self.handle_close()
            return False
        if self.request is None:
            data = data.lstrip()
            if not data:
                return False
            self._request_began = time.time()
            self.request = Parser(self.adj)
        self.active_at = time.time()
        # Keep a reference: a thread may finish the request and clear self.request meanwhile.
        request = self.request
        accepted = bool(super().received(data))
        self._rest = request.rest
        if request.needs_admission and not request.completed:
            request.needs_admission = False
            self._is_asking = True
            self.server.task_dispatcher.add_task(Admission(self, request))
        return accepted

    def admit(self) -> None:
        """Receive the body of the request. Called by another thread."""
        with self.requests_lock:
            if self.request is not None:
                self.request.is_admitted = True
                if self.request.waits_for_continue:
                    self.send_continue()
            self._is_asking = False
        self.server.pull_trigger()

    def deny(self, denied: Denied) -> None:
        """Send a response without receiving the body of the request. Called by another thread."""
        with self.requests_lock:
            request, self.request = self.request, None
            if request is None:
                return
            request.error, request.completed = denied, True
            self.requests.append(request)
            self._is_asking = False
        self.service()

    def handle_close(self) -> None:
        """Close the connection; delete the body of an incomplete request."""
        if self.request is not None:
            self.request.close()
        super().handle_close()

    def _flush_some(self, do_close: bool = True) -> bool:
        self._flush_left = _MAX_FLUSH_BYTES
        try:
            return bool(super()._flush_some(do_close))
        except OSError as error:
            log_file_error(error)
            raise

    def send(self, data: bytes, do_close: bool = True) -> int:
        """Send as much as the socket accepts. Return 0 after _MAX_FLUSH_BYTES, to end the turn."""
        if self._flush_left <= 0:
            return 0
        sent: int = super().send(data, do_close)
        self._flush_left -= sent
        self._sent += sent
        return sent

    def drop_if_slow(self, now: float) -> None:
        """Disconnect a client that sends its request or receives its response too slowly.

        Closes directly: waitress would wait until the socket is writable, which never happens if
        the client reads nothing.
        """
        if self.will_close or (self._linger_began or now) < now - LINGER_SECONDS:
            self.handle_close()
        elif self.request is not None and (
            now - (self._request_began or now) > REQUEST_SECONDS + self.request.extra_seconds
            or self.request.stalls(now, INTERVAL_SECONDS)
        ):
            self._disconnect("it sent its request too slowly")
        elif not self.total_outbufs_len:
            self._interval = None
        elif self._interval is None:
            self._interval = now, self._sent
        elif (seconds := now - self._interval[0]) >= INTERVAL_SECONDS:
            if self._sent - self._interval[1] < seconds * MIN_BYTES_PER_SECOND:
                self._disconnect("it received its response too slowly")
            self._interval = now, self._sent

    def _disconnect(self, reason: str) -> None:
        self.logger.info("Disconnected %s: %s.", self.addr[0], reason)
        self.handle_close()
