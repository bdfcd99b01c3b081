"""Periodic maintenance of a kind of job: requeue lost jobs, delete expired files, purge rows.

Each function is safe to run concurrently and continues where an earlier run stopped.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import chain
from math import inf
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Now
from redis.exceptions import RedisError

from longshore.accounts.models import Organization
from longshore.cache import cache
from longshore.database import chunks
from longshore.files.storage import file_storage
from longshore.jobs import admission, counters, heartbeats, kinds
from longshore.jobs.fairness import is_due
from longshore.jobs.kinds import JobKind
from longshore.jobs.leases import lease
from longshore.jobs.lifecycle import Lifecycle, held_by
from longshore.jobs.models import DiscardedFolder, Job, JobQuerySet
from longshore.jobs.queues import count_messages, enqueue, request_discard
from longshore.jobs.statuses import TERMINAL, Status

logger = logging.getLogger(__name__)

J = TypeVar("J", bound=Job)
Row = TypeVar("Row", bound=Model)

# A worker whose last heartbeat is older than this is dead: live workers report every second.
MAX_SILENCE = timedelta(seconds=15)
# The message of a job that waited this long without being claimed may be lost. If it was not lost,
# the duplicate is harmless.
MAX_MESSAGE_AGE = timedelta(seconds=30)
# A job younger than this may still be enqueued by the request that created it.
MIN_AGE = timedelta(seconds=5)
# For this long after an organization was deleted, a worker may still write a file of it.
MAX_LATE_WRITE_AGE = timedelta(minutes=15)
MIN_ORPHAN_AGE = timedelta(days=1)
# Number of jobs of a lane that one run enqueues.
MAX_ENQUEUED = 100
# After this many consecutive failures the storage is considered down.
MAX_FAILURES = 10
# TTL of the lease: enough for a run and for one last request to which the storage does not respond.
_LEASE_SECONDS = 120
# The next recovery is due after this time and must not wait for the storage.
_CLEANING_SECONDS = 5.0
_WITHOUT_FILES = (Status.EXPIRED, Status.FAILED, Status.TIMED_OUT, Status.CANCELED)


def recover(lifecycle: Lifecycle[J]) -> None:
    """Requeue the jobs of dead workers, and enqueue jobs whose message was lost."""
    kind = lifecycle.kind
    jobs = _jobs(lifecycle).visible()
    requeue_lost = partial(_requeue_lost, lifecycle)
    requeued = [job for job in chunks.read(_silent(lifecycle)) if succeeds(requeue_lost, job)]
    unsent, lost = Q(enqueued_at=None), Q(enqueued_at__lt=Now() - MAX_MESSAGE_AGE)
    queued = jobs.filter(is_due(), status=Status.QUEUED, created_at__lt=Now() - MIN_AGE)
    for lane, queue in kind.queues.items():
        needs_message = unsent | lost if _lacks_messages(kind, queue) else unsent
        waiting = queued.filter(needs_message, lane=lane).order_by("number")[:MAX_ENQUEUED]
        # `all` stops at the first failure: a dead broker may take seconds for each message.
        all(enqueue(kind, job) for job in waiting)
    heartbeats.record_recovery(kind.name)
    # Last, because an unavailable storage may delay it. Files that are left are deleted when the
    # job ends or expires.
    end = time.monotonic() + _CLEANING_SECONDS
    delete = partial(delete_all_attempts, lifecycle)
    for job in requeued:
        if time.monotonic() > end:
            break
        succeeds(delete, job, end)


def _lacks_messages(kind: JobKind[Any], queue: str) -> bool:
    """Return whether messages of a queue may have been lost.

    If only this kind uses the queue, one message is enough: it makes a worker claim a job. If other
    kinds use it too, the messages may all be theirs: then there must be as many messages as jobs
    that wait. So there are never more replacements than jobs, however long no worker runs.
    """
    messages = count_messages(queue)
    others = [other for other in kinds.registered() if other.name != kind.name]
    if messages == 0 or not any(queue in other.queues.values() for other in others):
        return messages == 0
    waiting = sum(
        each.jobs.visible().filter(is_due(), lane=lane, status=Status.QUEUED).count()
        for each in (kind, *others)
        for lane, name in each.queues.items()
        if name == queue
    )
    return messages < waiting


def _requeue_lost(lifecycle: Lifecycle[J], job: J, _: float) -> bool:
    with transaction.atomic():
        # The worker may have reported since the job was read.
        silent = _silent(lifecycle).filter(held_by(job), pk=job.pk)
        if silent.select_for_update(no_key=True, of=("self",)).first() is None:
            return False
        logger.warning("No heartbeat for the %s %s; requeueing it.", lifecycle.kind.name, job)
        lifecycle.retry_later(job, "The worker stopped responding.")
    return True


def _silent(lifecycle: Lifecycle[J]) -> JobQuerySet[J]:
    """Return the running jobs whose worker is dead."""
    running = _jobs(lifecycle).visible().filter(status=Status.PROCESSING)
    return running.filter(heartbeat_at__lt=Now() - MAX_SILENCE)


def expire(lifecycle: Lifecycle[J]) -> None:
    """Delete the files of expired jobs, and those that `discard` left. Recount the jobs.

    A job that was never queued expires too. Files are deleted before rows change: the next run
    repairs a crash between the two steps.
    """
    jobs = _jobs(lifecycle).visible().filter(expires_at__lte=Now())
    with lease(files_lease(lifecycle), _LEASE_SECONDS) as is_held:
        if is_held:
            end = time.monotonic() + chunks.SECONDS
            _discard(lifecycle, chunks.SECONDS / 2)
            if Status.REQUESTED in lifecycle.kind.statuses:
                requested = jobs.filter(status=Status.REQUESTED)
                expire_requested = partial(_expire_requested, lifecycle)
                # Half of the remaining time: a backlog of them does not delay the files.
                half = (time.monotonic() + end) / 2
                for_each(lifecycle, requested, expire_requested, "requested", half)
            with_files = jobs.filter(status__in=(*TERMINAL, Status.EXPIRED), has_files=True)
            for_each(lifecycle, with_files, partial(expire_one, lifecycle), "expired", end)
    counters.recount(lifecycle.kind)


def expire_one(lifecycle: Lifecycle[J], job: J, end: float = inf) -> bool:
    """Delete the files of an ended job. Return False if a file is left.

    end: on the monotonic clock; no request is sent to the storage after it.
    """
    if not lifecycle.delete_files(job, end):
        return False
    if job.status == Status.COMPLETED:
        lifecycle.expire(job)
    else:
        # No effect if it was retried meanwhile.
        same = lifecycle.kind.jobs.filter(pk=job.pk, status=job.status, claims=job.claims)
        same.update(claims=[], has_files=False, stored_bytes=0)
    return True


def delete_all_attempts(lifecycle: Lifecycle[J], job: J, end: float = inf) -> bool:
    """Delete what all attempts of a job wrote, but not its input. Return False if a file is left.

    end: as for `expire_one`.
    """
    return lifecycle.delete_attempts(job, job.claims, end)


def _expire_requested(lifecycle: Lifecycle[J], job: J, _: float) -> bool:
    # The status first: a job that is queued meanwhile needs its input.
    lifecycle.expire_requested(job)
    return True


def discard(lifecycle: Lifecycle[J]) -> None:
    """Delete the files of deleted jobs and organizations.

    If another run is deleting files, the next `expire` does so.
    """
    with lease(files_lease(lifecycle), _LEASE_SECONDS) as is_held:
        if is_held:
            _discard(lifecycle, chunks.SECONDS)


def discard_folders(sender: object, instance: Organization, **_: object) -> None:
    """Mark the folders of an organization that is being deleted, and delete them on commit.

    A receiver of `pre_delete`, for all registered kinds of job. Workers of its jobs stop within a
    second. If a message is lost, the next `expire` of the kind deletes the files.
    """
    # The order of locks in `Lifecycle`: the organization, then its jobs. Another order deadlocks.
    admission.lock(instance.pk)
    for kind in kinds.registered():
        if kind.storage is not None:
            path = kind.storage.organization_folder(instance.pk)
            DiscardedFolder.objects.get_or_create(kind=kind.name, path=path)
            transaction.on_commit(partial(request_discard, kind))


def purge(lifecycle: Lifecycle[J]) -> None:
    """Delete the rows of jobs and hours that ended long ago, and files that belong to no job."""
    ended_before = Now() - lifecycle.kind.record_retention()
    jobs = _jobs(lifecycle).filter(status__in=_WITHOUT_FILES, has_files=False)
    chunks.delete(jobs.filter(completed_at__lt=ended_before))
    counters.purge_hours(lifecycle.kind)
    with lease(files_lease(lifecycle), _LEASE_SECONDS) as is_held:
        if is_held:
            _delete_orphans(lifecycle)


def _delete_orphans(lifecycle: Lifecycle[J]) -> None:
    end = time.monotonic() + chunks.SECONDS
    for key in lifecycle.orphans(MIN_ORPHAN_AGE):
        logger.warning("The file %s belongs to no %s.", key, lifecycle.kind.name)
        file_storage.try_delete(key)
        if time.monotonic() > end:
            break


def files_lease(lifecycle: Lifecycle[J]) -> str:
    """Return the name of the lease under which files of a kind of job are deleted.

    One run at a time deletes files, so that recovery keeps the other slots of the worker.
    """
    return f"{lifecycle.kind.plural}.files"


def _discard(lifecycle: Lifecycle[J], seconds: float) -> None:
    now = time.monotonic()
    folders = DiscardedFolder.objects.filter(kind=lifecycle.kind.name)
    purge_one = partial(_purge_deleted, lifecycle)
    for_each(lifecycle, folders, _clear_folder, "folders", now + seconds / 2)
    deleted = _jobs(lifecycle).filter(deleted_at__isnull=False)
    for_each(lifecycle, deleted, purge_one, "deleted", now + seconds)


def _clear_folder(folder: DiscardedFolder, end: float) -> bool:
    if not file_storage.delete_folder(folder.path, end):
        return False
    old = DiscardedFolder.objects.filter(pk=folder.pk, created_at__lt=Now() - MAX_LATE_WRITE_AGE)
    old.delete()
    return True


def _purge_deleted(lifecycle: Lifecycle[J], job: J, end: float) -> bool:
    """Delete the files of a soft-deleted job, then its row. Return False if a file is left."""
    if not lifecycle.delete_files(job, end):
        return False
    lifecycle.kind.jobs.filter(pk=job.pk).exclude(deleted_at=None).delete()
    return True


def for_each(
    lifecycle: Lifecycle[J],
    rows: QuerySet[Row, Row],
    action: Callable[[Row, float], bool],
    name: str,
    end: float,
) -> None:
    """Act on rows in the order of their keys until `end`, on the monotonic clock.

    action: gets a row and `end`; returns False, or raises an error, if it failed.
    name: of the rows, unique among those of the kind of job.
    Stops after `MAX_FAILURES` in a row. A run that stops early records the last row that it
    handled. The next run continues after it, so rows that fail delay no others.
    """
    if time.monotonic() > end:
        return
    key = f"maintenance:{lifecycle.kind.name}:{name}"
    start = 0
    with suppress(RedisError):
        start = cache.get(key) or 0
    position, consecutive_failures = start, 0
    parts = (rows.filter(pk__gt=start), rows.filter(pk__lte=start))
    for row in chain.from_iterable(chunks.read(part, end - time.monotonic()) for part in parts):
        position = row.pk
        consecutive_failures = 0 if succeeds(action, row, end) else consecutive_failures + 1
        # An unavailable storage may take its time for each attempt.
        if consecutive_failures == MAX_FAILURES or time.monotonic() > end:
            break
    is_complete = consecutive_failures < MAX_FAILURES and time.monotonic() <= end
    with suppress(RedisError):
        cache.set(key, 0 if is_complete else position, timeout=None)


def succeeds(action: Callable[[Row, float], bool], row: Row, end: float = inf) -> bool:
    """Return whether an action on a row succeeds until `end`. Log any error but the database's."""
    try:
        return action(row, end)
    except (OperationalError, InterfaceError):
        # The database is unavailable, so all other rows would fail too.
        raise
    except Exception:
        logger.exception("The maintenance of %s failed.", row)
        return False


def _jobs(lifecycle: Lifecycle[J]) -> JobQuerySet[J]:
    """Return the jobs without their large fields, which maintenance does not need."""
    return lifecycle.kind.jobs.defer("request", "spec", "error")
