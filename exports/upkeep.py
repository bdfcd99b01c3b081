"""What is done again and again: take back, queue, expire, forget, and sweep up.

Each can run twice at a time, or die half-way.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from exports import heartbeats, lifecycle
from exports.models import ENDS, Export, ExportQuerySet, Status
from exports.queue import enqueue
from exports.storage import delete_files, discard, orphans

logger = logging.getLogger(__name__)

# A worker that has not been heard of for this long is dead; it reports every second.
SILENCE = timedelta(seconds=15)
# A queued export that nobody took up for this long may have been lost by the broker. One that
# was not costs a look at the queue when it is taken up twice.
PATIENCE = timedelta(seconds=30)
# A request that has just been stored is still being queued by the one that stored it.
SETTLED = timedelta(seconds=5)
# Of a long queue, so many are queued again at a time.
_MOST_AT_ONCE = 100
_GONE = (Status.EXPIRED, Status.FAILED, Status.TIMED_OUT, Status.CANCELED)


def recover() -> None:
    """Take back what a dead worker holds, and queue what waits, or what a broker lost."""
    silent = _exports().filter(status=Status.PROCESSING, heartbeat_at__lt=Now() - SILENCE)
    for export in silent.iterator():
        logger.warning("The worker of export %s is silent.", export)
        try:
            lifecycle.try_again(export, "the loss of its worker")
        except lifecycle.Superseded:
            continue
        delete_files(export)
    lost = Q(enqueued_at=None) | Q(enqueued_at__lt=Now() - PATIENCE)
    queued = _exports().filter(
        lost, lifecycle.due(), status=Status.QUEUED, created_at__lt=Now() - SETTLED
    )
    for export in queued.order_by("number")[:_MOST_AT_ONCE]:
        enqueue(export)
    heartbeats.recovered()


def expire() -> None:
    """Delete the files of exports whose time is over, and what others may have left.

    Files go first: a death between the two steps is made good by the next run.
    """
    due = _exports().filter(status__in=ENDS, expires_at__lte=Now()).exclude(claims=[])
    for export in due.iterator():
        expire_one(export)
    for export in _exports().exclude(deleted_at=None).iterator():
        forget(export)


def expire_one(export: Export) -> None:
    """Delete what an ended export has in storage."""
    if not delete_files(export):
        return
    if export.status == Status.COMPLETED:
        lifecycle.expire(export)
    else:
        Export.objects.filter(pk=export.pk, status=export.status).update(claims=[])


def forget(export: Export) -> bool:
    """Delete an export that nobody sees any more, its files first; false where some stay."""
    if not delete_files(export):
        return False
    Export.objects.filter(pk=export.pk).exclude(deleted_at=None).delete()
    return True


def purge() -> None:
    """Delete the records of what ended long ago, and files that belong to nothing."""
    days = timedelta(days=settings.EXPORT_RECORD_DAYS)
    old = _exports().filter(status__in=_GONE, completed_at__lt=Now() - days, claims=[])
    old.delete()
    for key in orphans(older_than=timedelta(days=1)):
        logger.warning("The file %s belongs to no export.", key)
        discard(key)


def _exports() -> ExportQuerySet:
    return Export.objects.only("public_id", "organization_id", "status", "lane", "claims")
