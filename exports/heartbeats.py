"""Signs of life in Valkey, which fade: who has left none for a while is gone.

Each worker leaves one for every queue that it takes tasks from, and each recovery, which beat
plans and the upkeep worker runs, leaves one as it ends.
"""

from contextlib import suppress
from typing import Any

from celery.bootsteps import StartStopStep
from django.core.cache import cache
from redis.exceptions import RedisError

RECOVERY = "recovery"

_INTERVAL_SECONDS = 5
_WORKER_SECONDS = 30
# What shares the upkeep worker with recovery may keep it waiting for a while.
_RECOVERY_SECONDS = 60


def recovered() -> None:
    _leave(RECOVERY, _RECOVERY_SECONDS)


def fresh(name: str) -> bool:
    """Whether there is a sign of `RECOVERY`, or of a worker of this queue. Raises RedisError."""
    return cache.get(_key(name)) is not None


def _leave(name: str, seconds: int) -> None:
    # Where Valkey does not answer, readiness says so; what was to be done goes on.
    with suppress(RedisError):
        cache.set(_key(name), 1, timeout=seconds)


def _key(name: str) -> str:
    return f"heartbeat:{name}"


class Heartbeat(StartStopStep):
    """The part of a worker that leaves its signs, from the loop that also takes its tasks."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._timer: Any = None

    def start(self, parent: Any) -> None:
        queues = [queue.name for queue in parent.task_consumer.queues]
        self._beat(queues)
        self._timer = parent.timer.call_repeatedly(_INTERVAL_SECONDS, self._beat, (queues,))

    def stop(self, parent: Any) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _beat(self, queues: list[str]) -> None:
        for queue in queues:
            _leave(queue, _WORKER_SECONDS)
