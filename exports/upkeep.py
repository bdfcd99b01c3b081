"""What is done again and again: take back, queue, expire, forget, and sweep up.

Each can run twice at a time, or die half-way.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from accounts import batches
from accounts.models import Organization
from exports import heartbeats, lifecycle, totals
from exports.models import ENDS, DiscardedFolder, Export, ExportQuerySet, Lane, Status
from exports.queue import discard_soon, enqueue, waiting
from exports.storage import clear, delete_files, discard, organization_folder, orphans

logger = logging.getLogger(__name__)

# A worker that has not been heard of for this long is dead; it reports every second.
SILENCE = timedelta(seconds=15)
# A queued export that nobody took up for this long may have been lost by the broker. One that
# was not costs a look at the queue when it is taken up twice.
PATIENCE = timedelta(seconds=30)
# A request that has just been stored is still being queued by the one that stored it.
SETTLED = timedelta(seconds=5)
# For this long after an organization was deleted, a worker may still write a file of it.
STRAGGLERS = timedelta(minutes=15)
# Of a long queue, so many are queued again at a time.
_MOST_AT_ONCE = 100
# One file that cannot be deleted does not keep the files of later exports.
_MAX_FAILURES = 10
_GONE = (Status.EXPIRED, Status.FAILED, Status.TIMED_OUT, Status.CANCELED)


def recover() -> None:
    """Take back what a dead worker holds, and queue what waits, or what a broker lost."""
    silent = _exports().visible().filter(status=Status.PROCESSING, heartbeat_at__lt=Now() - SILENCE)
    taken_back = [export for export in batches.read(silent) if _succeeds(_take_back, export)]
    lost = Q(enqueued_at=None) | Q(enqueued_at__lt=Now() - PATIENCE)
    queued = (
        _exports()
        .visible()
        .filter(lost, lifecycle.due(), status=Status.QUEUED, created_at__lt=Now() - SETTLED)
    )
    for lane in Lane:
        # As long as a lane has messages, its exports need no more of them.
        if waiting(lane) == 0:
            # A dead broker is asked once: it may take seconds to refuse a message.
            all(map(enqueue, queued.filter(lane=lane).order_by("number")[:_MOST_AT_ONCE]))
    heartbeats.recovered()
    # Last, for the storage may be what holds everything up.
    for export in taken_back:
        delete_files(export)


def _take_back(export: Export) -> bool:
    logger.warning("The worker of export %s is silent.", export)
    try:
        lifecycle.try_again(export, "the loss of its worker")
    except lifecycle.Superseded:
        return False
    return True


def expire() -> None:
    """Delete the files of exports whose time is over, and what others may have left.

    Files go first: a death between the two steps is made good by the next run.
    """
    due = _exports().visible().filter(status__in=ENDS, expires_at__lte=Now()).exclude(claims=[])
    hidden = _exports().filter(deleted_at__isnull=False)
    for action, exports in ((expire_one, due), (forget, hidden)):
        failures = 0
        for export in batches.read(exports):
            failures += not _succeeds(action, export)
            # Where the storage is away, each attempt may take its time.
            if failures == _MAX_FAILURES:
                break
    discard_folders()
    totals.recount()


def _succeeds(action: Callable[[Export], bool], export: Export) -> bool:
    """Whether an action on an export succeeded. An export that fails does not stop the others."""
    try:
        return action(export)
    except (OperationalError, InterfaceError):
        # The database is away, for all of them.
        raise
    except Exception:
        logger.exception("The upkeep of export %s failed.", export)
        return False


def expire_one(export: Export) -> bool:
    """Delete what an ended export has in storage; false where some stays."""
    if not delete_files(export):
        return False
    if export.status == Status.COMPLETED:
        lifecycle.expire(export)
    else:
        # Unless it was asked for again meanwhile.
        same = Export.objects.filter(pk=export.pk, status=export.status, claims=export.claims)
        same.update(claims=[])
    return True


def forget(export: Export) -> bool:
    """Delete an export that nobody sees any more, its files first; false where some stay."""
    if not delete_files(export):
        return False
    Export.objects.filter(pk=export.pk).exclude(deleted_at=None).delete()
    return True


def remember_files(sender: object, instance: Organization, **_: object) -> None:
    """Note an organization's folder as it is deleted, and delete its files on commit.

    Its exports are deleted with it, so workers that write one stop within a second. If the message
    is lost, the next `expire` deletes the files.
    """
    DiscardedFolder.objects.get_or_create(path=organization_folder(instance.pk))
    transaction.on_commit(discard_soon)


def discard_folders() -> None:
    """Delete the files of deleted organizations."""
    for folder in DiscardedFolder.objects.order_by("pk"):
        # One after the other: the storage may answer for none of them.
        if not clear(folder.path):
            return
        DiscardedFolder.objects.filter(pk=folder.pk, created_at__lt=Now() - STRAGGLERS).delete()


def purge() -> None:
    """Delete the records of what ended long ago, and files that belong to nothing."""
    days = timedelta(days=settings.EXPORT_RECORD_DAYS)
    old = _exports().filter(status__in=_GONE, completed_at__lt=Now() - days, claims=[])
    batches.delete(old)
    for key in orphans(older_than=timedelta(days=1)):
        logger.warning("The file %s belongs to no export.", key)
        discard(key)


def _exports() -> ExportQuerySet:
    return Export.objects.only(
        "public_id", "organization_id", "status", "lane", "claims", "replica_failures"
    )
