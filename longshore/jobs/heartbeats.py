"""Heartbeats in Valkey, with a TTL: a process whose heartbeat has expired is dead.

Each worker leaves one heartbeat per queue that it consumes, and one per kind of job with the
number of jobs that it processes at a time (its slots). Each recovery of a kind of job leaves one
when it ends.

A worker offers all its slots to each kind whose queues it consumes. A worker that consumes queues
of two kinds is therefore counted for both, so an organization with jobs of both kinds may hold all
its slots. To keep a slot for other organizations, run separate workers for each kind.
"""

from collections.abc import Container, Iterable
from contextlib import suppress
from typing import Any

from celery.bootsteps import StartStopStep
from kombu import Queue
from redis.exceptions import RedisError

from longshore.cache import cache
from longshore.jobs import kinds
from longshore.jobs.kinds import JobKind
from longshore.jobs.statuses import Lane

# The order of preference: a worker that consumes both queues has slots of `large`, which also
# take small jobs.
_LANES = (Lane.LARGE, Lane.QUICK)
_INTERVAL_SECONDS = 5
_WORKER_SECONDS = 30
# Other tasks of the maintenance worker may delay a recovery for a while.
_RECOVERY_SECONDS = 60


def recovery_of(kind: str) -> str:
    """Return the name of the heartbeat of the recovery of a kind of job, for `is_fresh`."""
    return f"recovery:{kind}"


def record_recovery(kind: str) -> None:
    """Write the heartbeat of the recovery of a kind of job, which has just ended."""
    _write(recovery_of(kind), _RECOVERY_SECONDS)


def is_fresh(name: str) -> bool:
    """Return whether a heartbeat exists. Raises RedisError.

    name: a queue, or `recovery_of(kind)`.
    """
    return cache.get(_key(name)) is not None


def lane_of(kind: JobKind[Any], queues: Container[str]) -> Lane | None:
    """Return the lane of a worker that consumes `queues`; None if none is a queue of the kind."""
    return next((lane for lane in _LANES if kind.queues[lane] in queues), None)


def names_of(queues: Iterable[Queue]) -> list[str]:
    """Return the names of queues without the prefix of the installation, which aliases are."""
    return [queue.alias or queue.name for queue in queues]  # type: ignore[attr-defined]


def slots(kind: JobKind[Any], lane: Lane) -> int:
    """Return how many jobs the live workers of a lane process at a time.

    Returns 0 if Valkey does not respond.
    """
    try:
        workers = cache.get(_workers(kind, lane)) or []
        return sum(cache.get_many([_slots(kind, lane, worker) for worker in workers]).values())
    except RedisError:
        return 0


def offer_slots(kind: JobKind[Any], lane: Lane, worker: str, number: int) -> None:
    """Record that a worker is alive and has `number` slots.

    Workers that start at the same moment may overwrite each other's name in the list of workers.
    The next heartbeat adds the missing name again.
    """
    with suppress(RedisError):
        cache.set(_slots(kind, lane, worker), number, timeout=_WORKER_SECONDS)
        workers = cache.get(_workers(kind, lane)) or []
        if worker not in workers:
            known = cache.get_many([_slots(kind, lane, name) for name in workers])
            alive = [name for name in workers if _slots(kind, lane, name) in known]
            cache.set(_workers(kind, lane), [*alive, worker], timeout=None)


def withdraw_slots(kind: JobKind[Any], lane: Lane, worker: str) -> None:
    """Record that a worker has no more slots."""
    with suppress(RedisError):
        cache.delete(_slots(kind, lane, worker))


def _workers(kind: JobKind[Any], lane: Lane) -> str:
    return f"workers:{kind.name}:{lane}"


def _slots(kind: JobKind[Any], lane: Lane, worker: str) -> str:
    return f"slots:{kind.name}:{lane}:{worker}"


def _write(name: str, seconds: int) -> None:
    # Readiness reports that Valkey does not respond; the work itself continues.
    with suppress(RedisError):
        cache.set(_key(name), 1, timeout=seconds)


def _key(name: str) -> str:
    return f"heartbeat:{name}"


class Heartbeat(StartStopStep):
    """The step of a Celery worker that writes its heartbeats, in the loop that receives tasks."""

    requires = ("celery.worker.consumer.tasks:Tasks",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self._timer: Any = None

    def start(self, parent: Any) -> None:
        queues = names_of(parent.task_consumer.queues)
        self._beat(parent, queues)
        arguments = (parent, queues)
        self._timer = parent.timer.call_repeatedly(_INTERVAL_SECONDS, self._beat, arguments)

    def stop(self, parent: Any) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        # Delete the slots at once: their TTL would count a stopped worker as alive.
        for kind in kinds.registered():
            for lane in _LANES:
                withdraw_slots(kind, lane, parent.hostname)

    def _beat(self, parent: Any, queues: list[str]) -> None:
        for queue in queues:
            _write(queue, _WORKER_SECONDS)
        for kind in kinds.registered():
            if lane := lane_of(kind, queues):
                offer_slots(kind, lane, parent.hostname, parent.pool.num_processes)
