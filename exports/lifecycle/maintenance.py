"""Periodic maintenance: requeue lost exports, delete expired files, purge records.

Safe to run concurrently.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from math import inf
from typing import TypeVar

from django.conf import settings
from django.core.cache import cache
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Now
from redis.exceptions import RedisError

from exports.lifecycle import limits, metric_counters, transitions
from exports.lifecycle.queues import discard_soon, enqueue, waiting
from exports.lifecycle.storage import delete_files, organization_folder, orphans
from exports.models import (
    ENDS,
    DiscardedFolder,
    Export,
    ExportQuerySet,
    Lane,
    Status,
)
from longshore.accounts.models import Organization
from longshore.database import chunks
from longshore.files.storage import file_storage
from longshore.jobs import heartbeats
from longshore.jobs.leases import lease

logger = logging.getLogger(__name__)

Row = TypeVar("Row", bound=Model)

# A worker that has not been heard of for this long is dead; it reports every second.
SILENCE = timedelta(seconds=15)
# The message of a queued export that nobody took up for this long may be lost. If the message was
# not lost, the duplicate is harmless.
PATIENCE = timedelta(seconds=30)
# A request that has just been stored is still being queued by the one that stored it.
SETTLED = timedelta(seconds=5)
# For this long after an organization was deleted, a worker may still write a file of it.
STRAGGLERS = timedelta(minutes=15)
# Of a long queue, so many are queued again at a time.
_MAX_AT_ONCE = 100
# After so many failures without a success between them, the storage does not answer.
_MAX_FAILURES = 10
# One run at a time deletes files: recovery has the other slots of the upkeep worker. The TTL is the
# time of a run and of a last request that the storage does not answer.
_LEASE = "exports.files"
_LEASE_SECONDS = 120
# The next recovery is due after this time; it must not wait for the storage.
_CLEANING_SECONDS = 5.0
_GONE = (Status.EXPIRED, Status.FAILED, Status.TIMED_OUT, Status.CANCELED)


def recover() -> None:
    """Take back what a dead worker holds, and queue what waits, or what a broker lost."""
    silent = _exports().visible().filter(status=Status.PROCESSING, heartbeat_at__lt=Now() - SILENCE)
    read = chunks.read(silent)
    taken_back = [export for export in read if _succeeds(_take_back, export, inf)]
    lost = Q(enqueued_at=None) | Q(enqueued_at__lt=Now() - PATIENCE)
    queued = (
        _exports()
        .visible()
        .filter(lost, transitions.due(), status=Status.QUEUED, created_at__lt=Now() - SETTLED)
    )
    for lane in Lane:
        # As long as a lane has messages, its exports need no more of them.
        if waiting(lane) == 0:
            # A dead broker is asked once: it may take seconds to refuse a message.
            all(map(enqueue, queued.filter(lane=lane).order_by("number")[:_MAX_AT_ONCE]))
    heartbeats.recovered()
    # Last, for the storage may be what holds everything up. What is left is deleted as the export
    # ends or expires.
    end = time.monotonic() + _CLEANING_SECONDS
    for export in taken_back:
        delete_files(export, end)


def _take_back(export: Export, _: float) -> bool:
    logger.warning("The worker of export %s is silent.", export)
    try:
        transitions.try_again(export, "the loss of its worker")
    except transitions.Superseded:
        return False
    return True


def expire() -> None:
    """Delete the files of expired exports, and what `discard` left.

    Files go first: a death between the two steps is made good by the next run.
    """
    due = _exports().visible().filter(status__in=ENDS, expires_at__lte=Now()).exclude(claims=[])
    with lease(_LEASE, _LEASE_SECONDS) as is_held:
        if is_held:
            end = time.monotonic() + chunks.SECONDS
            _discard(chunks.SECONDS / 2)
            _for_each(due, expire_one, "expired", end)
    metric_counters.recount()


def discard() -> None:
    """Delete the files of deleted exports and organizations.

    If another run deletes files at this moment, the next `expire` does so.
    """
    with lease(_LEASE, _LEASE_SECONDS) as is_held:
        if is_held:
            _discard(chunks.SECONDS)


def _discard(seconds: float) -> None:
    now = time.monotonic()
    hidden = _exports().filter(deleted_at__isnull=False)
    _for_each(DiscardedFolder.objects.all(), _discard_folder, "folders", now + seconds / 2)
    _for_each(hidden, forget, "hidden", now + seconds)


def _for_each(
    rows: QuerySet[Row, Row], action: Callable[[Row, float], bool], name: str, end: float
) -> None:
    """Act on rows in the order of their keys until `end`, on the monotonic clock.

    Where a run stops early, the next one continues: rows that fail keep no other waiting.
    """
    key = f"upkeep:{name}"
    start = stopped_at = 0
    with suppress(RedisError):
        start = cache.get(key) or 0
    failures = 0
    for part in (rows.filter(pk__gt=start), rows.filter(pk__lte=start)):
        for row in chunks.read(part, end - time.monotonic()):
            failures = 0 if _succeeds(action, row, end) else failures + 1
            # Where the storage is away, each attempt may take its time.
            if failures == _MAX_FAILURES or time.monotonic() > end:
                stopped_at = row.pk
                break
        if stopped_at:
            break
    with suppress(RedisError):
        cache.set(key, stopped_at, timeout=None)


def _succeeds(action: Callable[[Row, float], bool], row: Row, end: float) -> bool:
    """Whether an action on a row succeeded. A row that fails does not stop the others."""
    try:
        return action(row, end)
    except (OperationalError, InterfaceError):
        # The database is away, for all of them.
        raise
    except Exception:
        logger.exception("The upkeep of %s failed.", row)
        return False


def expire_one(export: Export, end: float = inf) -> bool:
    """Delete what an ended export has in storage; False if something is left."""
    if not delete_files(export, end):
        return False
    if export.status == Status.COMPLETED:
        transitions.expire(export)
    else:
        # Unless it was asked for again meanwhile.
        same = Export.objects.filter(pk=export.pk, status=export.status, claims=export.claims)
        same.update(claims=[])
    return True


def forget(export: Export, end: float) -> bool:
    """Delete a hidden export, its files first; False if something is left."""
    if not delete_files(export, end):
        return False
    Export.objects.filter(pk=export.pk).exclude(deleted_at=None).delete()
    return True


def remember_files(sender: object, instance: Organization, **_: object) -> None:
    """Note an organization's folder as it is deleted, and delete its files on commit.

    Its exports are deleted with it, so workers that write one stop within a second. If the message
    is lost, the next `expire` deletes the files.
    """
    # As whoever ends an export does: first the organization, then its exports. Otherwise the two
    # could wait for each other.
    limits.lock(instance.pk)
    DiscardedFolder.objects.get_or_create(path=organization_folder(instance.pk))
    transaction.on_commit(discard_soon)


def _discard_folder(folder: DiscardedFolder, end: float) -> bool:
    if not file_storage.delete_folder(folder.path, end):
        return False
    DiscardedFolder.objects.filter(pk=folder.pk, created_at__lt=Now() - STRAGGLERS).delete()
    return True


def purge() -> None:
    """Delete the records of what ended long ago, and files that belong to nothing."""
    days = timedelta(days=settings.EXPORT_RECORD_DAYS)
    old = _exports().filter(status__in=_GONE, completed_at__lt=Now() - days, claims=[])
    chunks.delete(old)
    end = time.monotonic() + chunks.SECONDS
    for key in orphans(older_than=timedelta(days=1)):
        logger.warning("The file %s belongs to no export.", key)
        file_storage.try_delete(key)
        if time.monotonic() > end:
            break


def _exports() -> ExportQuerySet:
    return Export.objects.only(
        "public_id", "organization_id", "status", "lane", "claims", "replica_failures"
    )
