"""Periodic maintenance of a kind of job: requeue lost jobs, delete expired files, purge rows.

Each function is safe to run concurrently and continues where an earlier run stopped.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from math import inf
from typing import TypeVar

from django.core.cache import cache
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Now
from redis.exceptions import RedisError

from longshore.accounts.models import Organization
from longshore.database import chunks
from longshore.files.storage import file_storage
from longshore.jobs import admission, counters, heartbeats, kinds
from longshore.jobs.fairness import is_due
from longshore.jobs.leases import lease
from longshore.jobs.lifecycle import Lifecycle, Superseded
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
# TTL of the lease: the time of a run and of a last request that the storage does not respond.
_LEASE_SECONDS = 120
# The next recovery is due after this time and must not wait for the storage.
_CLEANING_SECONDS = 5.0
_WITHOUT_FILES = (Status.EXPIRED, Status.FAILED, Status.TIMED_OUT, Status.CANCELED)


def recover(lifecycle: Lifecycle[J]) -> None:
    """Requeue the jobs of dead workers, and enqueue jobs whose message was lost."""
    kind = lifecycle.kind
    jobs = _jobs(lifecycle).visible()
    silent = jobs.filter(status=Status.PROCESSING, heartbeat_at__lt=Now() - MAX_SILENCE)
    requeue_lost = partial(_requeue_lost, lifecycle)
    requeued = [job for job in chunks.read(silent) if succeeds(requeue_lost, job)]
    lost = Q(enqueued_at=None) | Q(enqueued_at__lt=Now() - MAX_MESSAGE_AGE)
    queued = jobs.filter(lost, is_due(), status=Status.QUEUED, created_at__lt=Now() - MIN_AGE)
    for lane, queue in kind.queues.items():
        # As long as a lane has messages, its jobs need no more of them.
        if count_messages(queue) == 0:
            waiting = queued.filter(lane=lane).order_by("number")[:MAX_ENQUEUED]
            # `all` stops at the first failure: a dead broker may take seconds for each message.
            all(enqueue(kind, job) for job in waiting)
    heartbeats.record_recovery(kind.name)
    # Last, because an unavailable storage may delay it. Files that are left are deleted when the
    # job ends or expires.
    end = time.monotonic() + _CLEANING_SECONDS
    delete = partial(delete_attempts, lifecycle)
    for job in requeued:
        succeeds(delete, job, end)


def _requeue_lost(lifecycle: Lifecycle[J], job: J, _: float) -> bool:
    logger.warning("No heartbeat for the %s %s; requeueing it.", lifecycle.kind.name, job)
    try:
        lifecycle.retry_later(job, "The worker stopped responding.")
    except Superseded:
        return False
    return True


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
                _for_each(lifecycle, requested, partial(_abandon, lifecycle), "requested", end)
            with_files = jobs.filter(status__in=(*TERMINAL, Status.EXPIRED), has_files=True)
            _for_each(lifecycle, with_files, partial(expire_one, lifecycle), "expired", end)
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


def delete_attempts(lifecycle: Lifecycle[J], job: J, end: float = inf) -> bool:
    """Delete what the attempts of a job wrote. Return False if a file is left.

    end: as for `expire_one`.
    """
    return lifecycle.delete_attempts(job, job.claims, end)


def _abandon(lifecycle: Lifecycle[J], job: J, _: float) -> bool:
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
        if kind.folder is not None:
            path = kind.folder(instance.pk)
            DiscardedFolder.objects.get_or_create(kind=kind.name, path=path)
            transaction.on_commit(partial(request_discard, kind))


def purge(lifecycle: Lifecycle[J]) -> None:
    """Delete the rows of jobs that ended long ago, and files that belong to no job."""
    ended_before = Now() - lifecycle.kind.record_retention()
    jobs = _jobs(lifecycle).filter(status__in=_WITHOUT_FILES, has_files=False)
    chunks.delete(jobs.filter(completed_at__lt=ended_before))
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
    _for_each(lifecycle, folders, _clear_folder, "folders", now + seconds / 2)
    deleted = _jobs(lifecycle).filter(deleted_at__isnull=False)
    _for_each(lifecycle, deleted, purge_one, "deleted", now + seconds)


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


def _for_each(
    lifecycle: Lifecycle[J],
    rows: QuerySet[Row, Row],
    action: Callable[[Row, float], bool],
    name: str,
    end: float,
) -> None:
    """Act on rows in the order of their keys until `end`, on the monotonic clock.

    A run that stops early records where: the next one continues there, so rows that fail delay no
    others.
    """
    key = f"maintenance:{lifecycle.kind.name}:{name}"
    start = stopped_at = 0
    with suppress(RedisError):
        start = cache.get(key) or 0
    consecutive_failures = 0
    for part in (rows.filter(pk__gt=start), rows.filter(pk__lte=start)):
        for row in chunks.read(part, end - time.monotonic()):
            consecutive_failures = 0 if succeeds(action, row, end) else consecutive_failures + 1
            # An unavailable storage may take its time for each attempt.
            if consecutive_failures == MAX_FAILURES or time.monotonic() > end:
                stopped_at = row.pk
                break
        if stopped_at:
            break
    with suppress(RedisError):
        cache.set(key, stopped_at, timeout=None)


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
