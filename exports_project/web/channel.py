"""One client's connection: which of its requests is next, and how long each may take.

Waitress owns the protocol; `parser` bounds a request, and `tasks` answers it.
"""

import socket
import time
from typing import Any

from waitress.channel import HTTPChannel

from exports_project.web.parser import Parser
from exports_project.web.tasks import RefusalTask, RequestTask, log_file_error

# From the first byte of a request to its last.
REQUEST_SECONDS = 60
# A client that takes less of a response than this, on average over an interval, is disconnected.
MIN_BYTES_PER_SECOND = 1024
INTERVAL_SECONDS = 60
# Bytes sent to one client before the others have their turn: a fast download must not hold up
# the loop that serves all connections of the process.
_MAX_FLUSH_BYTES = 1 << 20
# After a refusal the rest of the request is read and discarded, within these limits. Closing a
# connection with unread bytes resets it, and the client would lose the response.
LINGER_SECONDS = 5
MAX_DISCARDED_BYTES = 1 << 23


class Channel(HTTPChannel):
    """A connection: one request at a time, with deadlines for both directions.

    Waitress parses all requests that it received, and a thread that has answered one of them
    waits until the client has read the response. Here the next request is parsed when the
    response before it has been sent, so a client that reads nothing holds no thread and at most
    one file.
    """

    task_class = RequestTask
    error_task_class = RefusalTask
    parser_class = Parser
    request: Parser | None = None
    # Set by RefusalTask: nothing that follows is a request.
    refused = False
    _request_began: float | None = None
    # Received after the request at work; at most one read, because no more is read until then.
    _rest = b""
    _linger_began: float | None = None
    _discarded = 0
    _sent = 0
    _flush_left = 0
    # When the interval began, and how much had been sent then.
    _interval: tuple[float, int] | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.sendbuf_len: int = min(self.sendbuf_len, _MAX_FLUSH_BYTES // 4)
        # Last byte of a request; blank lines and the discarded rest of a refused one do not count.
        self.active_at = self.creation_time

    @property
    def idle(self) -> bool:
        """Whether there is neither a complete request nor a response to send."""
        return not (self.requests or self.total_outbufs_len)

    def readable(self) -> bool:
        """Read nothing more before the requests at hand have been answered."""
        return not self._rest and bool(super().readable())

    def writable(self) -> bool:
        """Also ask for `handle_write` where it has to go on after a response."""
        waits = self._rest or (self.refused and self._linger_began is None)
        return bool(super().writable() or (waits and self.idle))

    def handle_write(self) -> None:
        """Send; then start the next request, or begin to close after a refusal."""
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
        """Parse at most one request, and keep what follows it."""
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
        # A thread may answer the request, and the channel forget it, before the next line ends.
        request = self.request
        accepted = bool(super().received(data))
        self._rest = request.rest
        return accepted

    def handle_close(self) -> None:
        """Delete the body of a request that will never be complete."""
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
        """Send what the socket takes now; 0, as if it took nothing, once others have their turn."""
        if self._flush_left <= 0:
            return 0
        sent: int = super().send(data, do_close)
        self._flush_left -= sent
        self._sent += sent
        return sent

    def drop_if_slow(self, now: float) -> None:
        """Disconnect a client that sends its request or takes its response too slowly.

        At once: waitress closes a connection when its socket can be written to, which never
        happens where the client reads nothing.
        """
        if self.will_close or (self._linger_began or now) < now - LINGER_SECONDS:
            self.handle_close()
        elif self.request is not None and now - (self._request_began or now) > REQUEST_SECONDS:
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
        self.handle_close()
