"""gunicorn's worker class: waitress on the sockets of gunicorn."""

import logging
import os
import resource
import sys
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gunicorn.workers.base import Worker as BaseWorker
from waitress import wasyncore
from waitress.server import BaseWSGIServer, create_server
from waitress.task import ThreadedTaskDispatcher

from exports_project.web.channel import REQUEST_SECONDS, Channel
from exports_project.web.parser import MAX_ENCODED_BODY_BYTES

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Maximum of request line and headers together. Filters in a query may need several kilobytes.
MAX_HEADER_BYTES = 1 << 16
# Paths with their own thread. Probes must not wait while all other threads are busy, and /healthz,
# which is always fast, must not wait for /readyz. Building the API description takes seconds.
_PATHS_WITH_OWN_THREAD = ("/healthz", "/readyz", "/v1/schema")
# File descriptors per connection: its socket, a downloaded file, a body in a temporary file.
_FILES_PER_CONNECTION = 3
_RESERVED_FILES = 200
_LOOP_SECONDS = 0.5
# Minimum time between two log lines about overload.
_REPORT_SECONDS = 60

logger = logging.getLogger(__name__)


class Dispatcher(ThreadedTaskDispatcher):
    """Queues each complete request for the threads of its path.

    own: the dispatchers of the paths with their own thread.
    """

    def __init__(self, threads: int) -> None:
        super().__init__()
        self.set_thread_count(threads)
        self.own = {path: ThreadedTaskDispatcher() for path in _PATHS_WITH_OWN_THREAD}
        for dispatcher in self.own.values():
            dispatcher.set_thread_count(1)

    def add_task(self, task: Any) -> None:
        """Queue the first request of a channel. task: the channel."""
        request = task.requests[0]
        # A malformed request has no path.
        path = "" if request.error else request.path.rstrip("/")
        # The descriptions of dialects are built one at a time, too: see `exports_project.schema`.
        path = "/v1/schema" if path.startswith("/docs/") and path.endswith("/schema") else path
        if own := self.own.get(path):
            own.add_task(task)
        else:
            super().add_task(task)

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> bool:
        """Also stop the threads of single paths."""
        for own in self.own.values():
            own.shutdown(cancel_pending, timeout)
        return bool(super().shutdown(cancel_pending, timeout))


class Worker(BaseWorker):
    """Serves until gunicorn stops it, then finishes the received requests."""

    _last_check_at = 0.0
    _last_report_at: float = -_REPORT_SECONDS

    def run(self) -> None:
        self._map: dict[int, Any] = {}
        self._limit = _connection_limit(self.cfg.worker_connections)
        self._dispatcher = dispatcher = Dispatcher(self.cfg.threads)
        create_server(
            _without_head_bodies(self.wsgi),
            map=self._map,
            _dispatcher=dispatcher,
            sockets=[each.sock for each in self.sockets],
            connection_limit=self._limit,
            asyncore_use_poll=True,
            channel_timeout=REQUEST_SECONDS,
            cleanup_interval=5,
            max_request_header_size=MAX_HEADER_BYTES,
            max_request_body_size=MAX_ENCODED_BODY_BYTES,
            # Larger bodies and responses go to temporary files. This bounds the memory per
            # connection.
            inbuf_overflow=1 << 16,
            outbuf_overflow=1 << 18,
            # No thread waits for a client that reads: responses are files or of limited size.
            outbuf_high_watermark=sys.maxsize,
            # `web.proxies` decides which headers to trust.
            clear_untrusted_proxy_headers=False,
            log_socket_errors=False,
            ident="longshore",
        )
        servers = [each for each in self._map.values() if isinstance(each, BaseWSGIServer)]
        for server in servers:
            server.channel_class = Channel
        while self.alive and self.ppid == os.getppid():
            self._run_loop_once()
        # Close the sockets first: if gunicorn was killed, its successor binds the same address.
        # Not by the server's close(), which also closes the trigger that wakes the loop.
        for server in servers:
            wasyncore.dispatcher.close(server)
        self._finish()
        dispatcher.shutdown(timeout=1)

    def _run_loop_once(self) -> None:
        """Run the loop once, for at most _LOOP_SECONDS, and disconnect slow clients."""
        self.notify()
        if len(self._map) >= self._limit:
            self._make_room()
        wasyncore.loop(timeout=_LOOP_SECONDS, use_poll=True, map=self._map, count=1)
        # Once a second: checking thousands of connections costs more than serving them.
        if (now := time.time()) > self._last_check_at + 1:
            self._last_check_at = now
            for channel in self._channels():
                channel.drop_if_slow(now)
            if waiting := len(self._dispatcher.queue):
                self._report("%s requests wait for a thread.", waiting)

    def _make_room(self) -> None:
        """Close those connections without a request that have been idle longest."""
        idle = sorted((each for each in self._channels() if each.idle), key=lambda c: c.active_at)
        closing = idle[: 1 + self._limit // 64]
        for channel in closing:
            channel.handle_close()
        self._report("At the limit of %s connections; idle ones are closed.", self._limit)

    def _report(self, text: str, number: int) -> None:
        """Log at most once a minute."""
        if (now := time.monotonic()) > self._last_report_at + _REPORT_SECONDS:
            self._last_report_at = now
            logger.warning(text, number)

    def _finish(self) -> None:
        """Finish the received requests within gunicorn's graceful timeout."""
        deadline = time.monotonic() + self.cfg.graceful_timeout
        self._run_loop_once()
        while time.monotonic() < deadline and (channels := self._channels()):
            for channel in channels:
                if channel.idle:
                    channel.will_close = True
            self._run_loop_once()

    def _channels(self) -> list[Channel]:
        return [each for each in self._map.values() if isinstance(each, Channel)]


def _without_head_bodies(application: "WSGIApplication") -> "WSGIApplication":
    """Remove the body of responses to HEAD, which neither Django nor waitress does."""

    def wrapped(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        response = application(environ, start_response)
        if environ["REQUEST_METHOD"] != "HEAD":
            return response
        if close := getattr(response, "close", None):
            close()
        return []

    return wrapped


def _connection_limit(maximum: int) -> int:
    """Raise the soft limit of open files; return the number of connections that it allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = maximum * _FILES_PER_CONNECTION + _RESERVED_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return maximum
    return max(16, min(maximum, (soft - _RESERVED_FILES) // _FILES_PER_CONNECTION))
