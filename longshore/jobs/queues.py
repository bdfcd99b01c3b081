"""Sends messages to the queues of jobs.

A message makes a worker claim one job, the next in turn and not necessarily the job of the message.
A lost message is harmless: maintenance sends another one. A duplicate is harmless too: its worker
claims another waiting job, or none.
"""

import logging
from typing import Any

from celery import current_app
from django.db.models.functions import Now

from longshore.api.periodic_tasks import MAINTENANCE_QUEUE
from longshore.jobs import heartbeats
from longshore.jobs.kinds import JobKind
from longshore.jobs.models import Job
from longshore.jobs.statuses import Lane, Status

logger = logging.getLogger(__name__)

# TTL of the second message of a small job, which allows workers of `large` to claim it.
SECOND_MESSAGE_SECONDS = 30
# If a queue has this many messages, no optional message is sent to it: its workers are busy or
# down, and a broker keeps even an expired message until a worker takes it.
MAX_OPTIONAL_MESSAGES = 20


def count_messages(queue: str) -> int:
    """Return the number of messages that wait in a queue; 0 if the broker does not respond."""
    try:
        with current_app.connection_or_acquire() as broker:
            # Not passively: Valkey has no empty queues, and the error for a queue that does not
            # exist makes kombu close its connections, which costs four times as much.
            waiting = current_app.amqp.queues[queue]
            declared: Any = waiting.queue_declare(channel=broker.default_channel)
            return int(declared.message_count)
    except Exception:
        # Broker clients raise many kinds of error.
        return 0


def lane_of_worker(kind: JobKind[Any]) -> Lane:
    """Return the lane of the worker process that calls this."""
    consumed = current_app.amqp.queues.consume_from.values()
    return heartbeats.lane_of(kind, heartbeats.names_of(consumed)) or Lane.LARGE


def transfer_message(kind: JobKind[Any], number: int, claimed: Job) -> None:
    """Record that the message of `claimed` is now that of job `number` of the same lane.

    The worker received the message of job `number`, but claimed another job. If `claimed` had no
    message, recovery sends one.
    """
    waits = kind.jobs.filter(pk=number, status=Status.QUEUED, lane=claimed.lane)
    waits.update(enqueued_at=claimed.enqueued_at)


def request_discard(kind: JobKind[Any]) -> None:
    """Ask a worker to delete the files of deleted jobs and organizations.

    If no message is sent, the periodic task `expire` deletes them.
    """
    try:
        if count_messages(MAINTENANCE_QUEUE) < MAX_OPTIONAL_MESSAGES:
            current_app.send_task(kind.task("discard"), queue=MAINTENANCE_QUEUE)
    except Exception as error:
        # Broker clients raise many kinds of error.
        text = (
            "Could not request the deletion of files of deleted %s; "
            "the task `expire` deletes them: %s"
        )
        logger.warning(text, kind.plural, error)


def enqueue(kind: JobKind[Any], job: Job, *, is_marked: bool = False) -> bool:
    """Send a message for a queued job. Return False if the broker does not respond.

    A small job also gets a message in the queue `large`. With a single message in a shared queue, a
    busy worker of `large` could hold it back from the workers of `quick`.

    is_marked: whether `enqueued_at` is already stored; reset if no message is sent.
    """
    jobs = kind.jobs.filter(pk=job.pk)
    task, large = kind.task("run"), kind.queues[Lane.LARGE]
    try:
        current_app.send_task(task, [job.pk], queue=kind.queues[Lane(job.lane)])
        if job.lane == Lane.QUICK and count_messages(large) < MAX_OPTIONAL_MESSAGES:
            current_app.send_task(task, [job.pk], queue=large, expires=SECOND_MESSAGE_SECONDS)
    except Exception as error:
        # Broker clients raise many kinds of error. The job is stored; recovery tries again.
        text = "Could not send a message for the %s %s; recovery retries: %s"
        logger.warning(text, kind.name, job, error)
        if is_marked:
            jobs.update(enqueued_at=None)
        return False
    if not is_marked:
        jobs.update(enqueued_at=Now())
    return True
