"""Idle slots: how many more jobs the workers of a lane could process now."""

from typing import Any

from longshore.jobs import heartbeats, kinds
from longshore.jobs.kinds import JobKind
from longshore.jobs.queues import count_messages
from longshore.jobs.statuses import Lane, Status


def idle_slots(kind: JobKind[Any], lane: Lane) -> int:
    """Return the number of slots of a lane that no job uses and no message waits for.

    Returns 0 or less if there are none, or if Valkey does not respond; too many if only the broker
    does not. Other work in the slots is not counted.
    """
    slots = heartbeats.slots(kind, lane)
    if not slots:
        return 0
    queue = kind.queues[lane]
    used = sum(
        each.jobs.visible().filter(status=Status.PROCESSING, slot=lane).count()
        for each in kinds.registered()
        if each.queues[lane] == queue
    )
    return slots - used - count_messages(queue)
