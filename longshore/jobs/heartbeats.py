"""Heartbeats in Valkey, with a TTL: a process whose heartbeat has expired is gone.

Each worker leaves one for every queue that it takes tasks from, and says how many exports it
writes at a time. Each recovery, which beat plans and the upkeep worker runs, leaves one as it ends.
"""

from collections.abc import Container
from contextlib import suppress
from typing import Any

from celery.bootsteps import StartStopStep
from django.core.cache import cache
from redis.exceptions import RedisError

RECOVERY = "recovery"

# The values of `exports.models.Lane`: models cannot be imported before Django is set up.
_LANES = ("large", "quick")
_INTERVAL_SECONDS = 5
_WORKER_SECONDS = 30
# What shares the upkeep worker with recovery may keep it waiting for a while.
_RECOVERY_SECONDS = 60


def recovered() -> None:
    _leave(RECOVERY, _RECOVERY_SECONDS)


def fresh(name: str) -> bool:
    """Whether there is a sign of `RECOVERY`, or of a worker of this queue. Raises RedisError."""
    return cache.get(_key(name)) is not None


def lane_of(queues: Container[str]) -> str | None:
    """The lane of a worker of these queues: one of `large` belongs there, and also helps `quick`.

    None for a worker that writes no exports.
    """
    return next((lane for lane in _LANES if lane in queues), None)


def slots(lane: str) -> int:
    """How many exports the live workers of a lane write at a time; 0 if Valkey does not answer."""
    try:
        workers = cache.get(_workers(lane)) or []
        return sum(cache.get_many([_slots(lane, worker) for worker in workers]).values())
    except RedisError:
        return 0


def _offer(lane: str, worker: str, number: int) -> None:
    """Say that a worker is alive, and how many slots it has.

    Workers that start at the same moment may overwrite each other's name in the list of workers.
    The next heartbeat adds the missing name again.
    """
    with suppress(RedisError):
        cache.set(_slots(lane, worker), number, timeout=_WORKER_SECONDS)
        workers = cache.get(_workers(lane)) or []
        if worker not in workers:
            known = cache.get_many([_slots(lane, each) for each in workers])
            alive = [each for each in workers if _slots(lane, each) in known]
            cache.set(_workers(lane), [*alive, worker], timeout=None)


def _withdraw(lane: str, worker: str) -> None:
    with suppress(RedisError):
        cache.delete(_slots(lane, worker))


def _workers(lane: str) -> str:
    return f"workers:{lane}"


def _slots(lane: str, worker: str) -> str:
    return f"slots:{lane}:{worker}"


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
        self._beat(parent, queues)
        arguments = (parent, queues)
        self._timer = parent.timer.call_repeatedly(_INTERVAL_SECONDS, self._beat, arguments)

    def stop(self, parent: Any) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        # A worker that ends has no slots from now on: nobody waits for its heartbeat to expire.
        for lane in _LANES:
            _withdraw(lane, parent.hostname)

    def _beat(self, parent: Any, queues: list[str]) -> None:
        for queue in queues:
            _leave(queue, _WORKER_SECONDS)
        if lane := lane_of(queues):
            _offer(lane, parent.hostname, parent.pool.num_processes)
