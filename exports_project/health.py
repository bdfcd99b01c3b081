"""`/healthz` reports that the process runs.

`/readyz` reports whether every part that an export needs works.
"""

import logging
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import closing
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any

from celery import current_app
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from exports.models import Lane
from longshore.jobs import heartbeats
from webhooks.queueing import QUEUE as WEBHOOKS

logger = logging.getLogger(__name__)

# All checks begin at once, and an answer waits so long for the slowest.
_ANSWER_TIMEOUT_SECONDS = 2.5
# A part that does not answer is let go of after this, at the latest a moment later.
_CHECK_TIMEOUT_SECONDS = 2


@dataclass(frozen=True)
class Result:
    """state: ok, failed, or timeout where there is no answer yet."""

    state: str
    milliseconds: int


class Check:
    """Looks after one part, in a thread of its own.

    Callers that arrive during a check share its result, so a part that hangs holds one thread.
    """

    def __init__(self, name: str, look: Callable[[], object]) -> None:
        self.name = name
        self._look = look
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"ready-{name}")
        self._run: Future[Result] | None = None

    def begin(self) -> "Future[Result]":
        with self._lock:
            if self._run is None or self._run.done():
                # In the context of the request, for the log to say whose it is.
                self._run = self._pool.submit(copy_context().run, self._measure)
            return self._run

    def _measure(self) -> Result:
        began = time.monotonic()
        state = "ok"
        try:
            self._look()
        except Exception as error:
            # Whatever a client raises; what it says is for the log, not for the world.
            logger.warning("Not ready, %s: %s: %s", self.name, type(error).__name__, error)
            state = "failed"
        return Result(state, round((time.monotonic() - began) * 1000))


class Missing(Exception):
    """What should be there is not."""


def _database() -> None:
    """On a new connection: one that stands says nothing of a server that lets nobody in."""
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


def _storage() -> None:
    """Disks fill up, and are written to. A bucket does not, and a request for it alone is cheap."""
    storage: Any = default_storage
    if not isinstance(storage, FileSystemStorage):
        storage.connection.meta.client.head_bucket(Bucket=storage.bucket_name)
        return
    name = storage.save("readyz", ContentFile(b"ready"))
    try:
        with storage.open(name) as file:
            if file.read() != b"ready":
                raise Missing("what was written is not what is read")
    finally:
        storage.delete(name)


def _alive(name: str) -> None:
    if not heartbeats.is_fresh(name):
        raise Missing("no sign of life")


CHECKS = [
    Check("database", _database),
    Check("broker", _broker),
    Check("storage", _storage),
    *(Check(f"worker_{queue}", partial(_alive, queue)) for queue in (*Lane.values, WEBHOOKS)),
    Check("recovery", partial(_alive, heartbeats.recovery_of("export"))),
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
    wait(runs.values(), timeout=_ANSWER_TIMEOUT_SECONDS)
    late = Result("timeout", round((time.monotonic() - began) * 1000))
    results = {name: run.result() if run.done() else late for name, run in runs.items()}
    ready = all(result.state == "ok" for result in results.values())
    checks = {name: vars(result) for name, result in results.items()}
    body = {"status": "ok" if ready else "unavailable", "checks": checks}
    return JsonResponse(body, status=200 if ready else 503)
