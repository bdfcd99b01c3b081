"""`/healthz`: the web process runs. `/readyz`: every part that an export needs works."""

import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from threading import Lock

from celery import current_app
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from exports_project.processes import worker_checks
from longshore.files.storage import file_storage
from longshore.jobs import heartbeats, kinds

logger = logging.getLogger(__name__)

# All checks start at once. The response waits at most this long for the slowest.
_RESPONSE_TIMEOUT_SECONDS = 2.5
# Timeout of the clients that the checks use. Shorter than the above, so that a dead service is
# usually reported as failed rather than as timeout.
_CHECK_TIMEOUT_SECONDS = 2


@dataclass(frozen=True)
class Result:
    """The outcome of a check.

    state: "ok", "failed", or "timeout" if the check still runs.
    """

    state: str
    milliseconds: int


class Check:
    """Checks one part in its own thread.

    Callers that arrive during a run share its result, so a part that hangs occupies one thread.
    """

    def __init__(self, name: str, run: Callable[[], object]) -> None:
        self.name = name
        self._run = run
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"ready-{name}")
        self._current: Future[Result] | None = None

    def begin(self) -> "Future[Result]":
        """Start a run, unless one is under way; return its future result."""
        with self._lock:
            if self._current is None or self._current.done():
                # In the context of the request, so that log lines carry its request id.
                self._current = self._pool.submit(copy_context().run, self._measure)
            return self._current

    def _measure(self) -> Result:
        began = time.monotonic()
        state = "ok"
        try:
            self._run()
        except Exception as error:
            # Any error of a client library. Its message goes to the log only: /readyz is public.
            logger.warning("Health check %s failed: %s: %s", self.name, type(error).__name__, error)
            state = "failed"
        return Result(state, round((time.monotonic() - began) * 1000))


class NotReady(Exception):
    """A part of the service does not work."""


def _database() -> None:
    """Open a new connection: an established one works even if the server accepts no others."""
    own = connection.copy()
    own.settings_dict["OPTIONS"] = own.settings_dict["OPTIONS"] | {
        "connect_timeout": _CHECK_TIMEOUT_SECONDS
    }
    with closing(own), own.cursor() as cursor:
        cursor.execute("SELECT 1")


def _broker() -> None:
    options = {"socket_timeout": _CHECK_TIMEOUT_SECONDS, "retry_on_timeout": False}
    with current_app.connection_for_write(transport_options=options) as broker:
        broker.ensure_connection(max_retries=0)


def _require_heartbeats(names: Iterable[str]) -> None:
    if missing := [name for name in names if not heartbeats.is_fresh(name)]:
        raise NotReady(f"no heartbeat: {', '.join(missing)}")


def _recovery() -> None:
    _require_heartbeats(heartbeats.recovery_of(kind.name) for kind in kinds.registered())


CHECKS = [
    Check("database", _database),
    Check("broker", _broker),
    # A lambda, because the storage is not configured yet when this module is imported.
    Check("storage", lambda: file_storage.probe()),
    *(
        Check(name, partial(_require_heartbeats, keys))
        for name, keys in worker_checks(settings.PROJECT_QUEUES).items()
    ),
    Check("recovery", _recovery),
]


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """`{"status", "checks": {<name>: {"state", "milliseconds"}}}`: 200, or 503 if any is not ok."""
    began = time.monotonic()
    runs = {check.name: check.begin() for check in CHECKS}
    wait(runs.values(), timeout=_RESPONSE_TIMEOUT_SECONDS)
    late = Result("timeout", round((time.monotonic() - began) * 1000))
    results = {name: run.result() if run.done() else late for name, run in runs.items()}
    ready = all(result.state == "ok" for result in results.values())
    checks = {name: vars(result) for name, result in results.items()}
    body = {"status": "ok" if ready else "unavailable", "checks": checks}
    return JsonResponse(body, status=200 if ready else 503)
