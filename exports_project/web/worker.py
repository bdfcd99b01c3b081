"""Worker class for gunicorn: waitress on gunicorn's sockets."""

import os
import resource
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from gunicorn.workers.base import Worker as BaseWorker
from waitress import wasyncore
from waitress.server import BaseWSGIServer, create_server
from waitress.task import ThreadedTaskDispatcher

from exports_project.web.channel import REQUEST_SECONDS, Channel

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# Maximum of request line and headers together. The filters of a list may have several kilobytes.
MAX_HEADER_BYTES = 1 << 16
# Paths with their own threads. Probes must not wait while all other threads work, and /healthz,
# which is always fast, must not wait for /readyz. The description takes seconds to build, and all
# requests for it wait meanwhile.
_OWN_THREADS = {"/healthz": 1, "/readyz": 1, "/v1/schema": 1}
_MAX_CONNECTIONS = 4096
# Descriptors of one connection: its socket, a file that it downloads, a body kept on the disk.
_FILES_EACH = 3
_RESERVED_FILES = 200
_LOOP_SECONDS = 0.5


class Dispatcher(ThreadedTaskDispatcher):
    """Gives each complete request to the threads for its path."""

    def __init__(self, threads: int) -> None:
        super().__init__()
        self.set_thread_count(threads)
        self._own = {path: ThreadedTaskDispatcher() for path in _OWN_THREADS}
        for path, dispatcher in self._own.items():
            dispatcher.set_thread_count(_OWN_THREADS[path])

    def add_task(self, task: Any) -> None:
        """Queue the first request of a channel, which is the task."""
        request = task.requests[0]
        own = None if request.error else self._own.get(request.path.rstrip("/"))
        if own:
            own.add_task(task)
        else:
            super().add_task(task)


class Worker(BaseWorker):
    """Serves until gunicorn tells it to stop, then finishes the requests that it has."""

    _looked_at = 0.0

    def run(self) -> None:
        self._map: dict[int, Any] = {}
        dispatcher = Dispatcher(self.cfg.threads)
        create_server(
            _without_bodies_of_head(self.wsgi),
            map=self._map,
            _dispatcher=dispatcher,
            sockets=[each.sock for each in self.sockets],
            connection_limit=_connection_limit(),
            asyncore_use_poll=True,
            channel_timeout=REQUEST_SECONDS,
            cleanup_interval=5,
            max_request_header_size=MAX_HEADER_BYTES,
            # Waitress refuses a body of this size. Forms of the admin may be larger than bodies
            # of the API, which has a limit of its own.
            max_request_body_size=max(
                settings.API_MAX_BODY_BYTES, settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
            )
            + 1,
            # A larger body and a larger response wait in temporary files: the memory of a process
            # is this for each of its connections at most.
            inbuf_overflow=1 << 16,
            outbuf_overflow=1 << 18,
            # `web.proxies` decides which headers to trust.
            clear_untrusted_proxy_headers=False,
            log_socket_errors=False,
            ident="longshore",
        )
        servers = [each for each in self._map.values() if isinstance(each, BaseWSGIServer)]
        for server in servers:
            server.channel_class = Channel
        while self.alive and self.ppid == os.getppid():
            self._turn()
        # Closed at once: if gunicorn was killed, the next one binds the same address.
        # Not with the server's close(): it also closes the trigger by which threads wake the loop.
        for server in servers:
            wasyncore.dispatcher.close(server)
        self._finish()
        dispatcher.shutdown(timeout=1)

    def _turn(self) -> None:
        """Serve what the sockets have, at most for half a second, and drop slow clients."""
        self.notify()
        wasyncore.loop(timeout=_LOOP_SECONDS, use_poll=True, map=self._map, count=1)
        # Not every time: checking thousands of connections costs more than serving them.
        if (now := time.time()) > self._looked_at + 1:
            self._looked_at = now
            for channel in self._channels():
                channel.drop_if_slow(now)

    def _finish(self) -> None:
        """Answer the requests that were received, for as long as gunicorn waits."""
        deadline = time.monotonic() + self.cfg.graceful_timeout
        self._turn()
        while time.monotonic() < deadline and (channels := self._channels()):
            for channel in channels:
                if not (channel.requests or channel.total_outbufs_len):
                    channel.will_close = True
            self._turn()

    def _channels(self) -> list[Channel]:
        return [each for each in self._map.values() if isinstance(each, Channel)]


def _without_bodies_of_head(application: "WSGIApplication") -> "WSGIApplication":
    """Remove the body of responses to HEAD: neither Django nor waitress does."""

    def wrapped(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        response = application(environ, start_response)
        if environ["REQUEST_METHOD"] != "HEAD":
            return response
        if close := getattr(response, "close", None):
            close()
        return []

    return wrapped


def _connection_limit() -> int:
    """Raise the limit of open files; return the number of connections that it allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_CONNECTIONS * _FILES_EACH + _RESERVED_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft == resource.RLIM_INFINITY:
        return _MAX_CONNECTIONS
    return max(16, min(_MAX_CONNECTIONS, (soft - _RESERVED_FILES) // _FILES_EACH))
