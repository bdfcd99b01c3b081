"""Every change of an export's status: one conditional UPDATE, and its events beside it.

Whether a worker is alive, and whether an export may be taken up, is told by one clock: the
database's.
"""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Func, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from accounts.errors import ErrorCode
from accounts.ids import new_id
from exports import announcements, totals
from exports.models import (
    ENDS,
    UNFINISHED,
    Export,
    ExportEvent,
    ExportFile,
    ExportTurn,
    Status,
    retention,
)

# What an export waits after each attempt; after one more it has failed. An outage of ten seconds
# is outlived.
DELAYS = (timedelta(seconds=5), timedelta(seconds=15))
RETRYABLE = (Status.FAILED, Status.TIMED_OUT, Status.CANCELED, Status.EXPIRED)


class Superseded(Exception):
    """The export is no longer this worker's."""


def queue(export: Export) -> None:
    """Store a new export."""
    with transaction.atomic(savepoint=False):
        export.save(force_insert=True)
        # Known without a query.
        export._prefetched_objects_cache = {"files": ExportFile.objects.none()}  # type: ignore[attr-defined]
        ExportEvent.objects.create(export=export, status=Status.QUEUED, attempt=0)
        announcements.publish(export)


def claim(number: int) -> Export | None:
    """Take up a queued export: of those that wait in the lane of this one, whose turn it is.

    That is the oldest one of the organization of which fewest are being written, and of those the
    one whose last turn is longest ago. So who asks for many waits for them, and nobody else.
    None where there is none.
    """
    lane = Subquery(Export.objects.filter(pk=number).values("lane"))
    same = Q(organization=OuterRef("organization"), lane=OuterRef("lane"))
    running = Export.objects.filter(same, status=Status.PROCESSING).order_by()
    count = running.values("organization").annotate(count=Count("pk")).values("count")
    turn = ExportTurn.objects.filter(same).values("taken_at")
    waiting = (
        Export.objects.filter(due(), lane=lane, status=Status.QUEUED)
        .annotate(running=Coalesce(Subquery(count), 0), turn=Subquery(turn))
        .order_by("running", F("turn").asc(nulls_first=True), "number")
        # Whoever else claims one has locked it; the next is as good.
        .select_for_update(skip_locked=True, of=("self",))
    )
    with transaction.atomic():
        export = waiting.first()
        if export is None:
            return None
        token = new_id("claim")
        claimed = _change(
            export,
            Q(status=Status.QUEUED),
            Status.PROCESSING,
            attempt=len(export.claims) + 1,
            started_at=Now(),
            heartbeat_at=Now(),
            processed_count=0,
            claims=Func(F("claims"), Value(token), function="array_append"),
        )
        if claimed is None:
            return None
        # Last, for others of the organization wait for this row.
        taken = {"organization_id": claimed.organization_id, "lane": claimed.lane}
        ExportTurn.objects.bulk_create(
            [ExportTurn(**taken, taken_at=Now())],
            update_conflicts=True,
            unique_fields=("organization", "lane"),
            update_fields=("taken_at",),
        )
    if export.pk != number:
        # The one that the message was for gets that of this one; where there is none, `upkeep`
        # sends another. Not in the transaction, or two workers could wait for one another.
        waits = Export.objects.filter(pk=number, status=Status.QUEUED)
        waits.update(enqueued_at=export.enqueued_at)
    return claimed


def report(export: Export, rows: int) -> None:
    """Say that a claimed export is alive and how many rows it has written.

    Raises Superseded where another attempt has it, or nobody wants it any more.
    """
    now = timezone.now()
    estimate = export.estimated_completion
    if rows and export.records_count and export.started_at:
        remaining = max(0, export.records_count - rows)
        estimate = now + (now - export.started_at) * (remaining / rows)
    held = Export.objects.filter(_held(export), pk=export.pk)
    if not held.update(heartbeat_at=Now(), processed_count=rows, estimated_completion=estimate):
        raise Superseded(export.public_id)


def complete(export: Export, files: list[ExportFile]) -> None:
    """The files are there and verified. Raises Superseded."""
    rows = sum(file.rows for file in files)
    with transaction.atomic():
        ExportFile.objects.bulk_create(files)
        _end(
            export,
            Status.COMPLETED,
            expires_at=Now() + retention(),
            snapshot_at=export.snapshot_at,
            records_count=rows,
            processed_count=rows,
        )


def fail(export: Export, code: ErrorCode, message: str) -> None:
    """Give a claimed export up, for good. Raises Superseded."""
    _end(export, Status.FAILED, message, error={"error": code.value, "message": message})


def time_out(export: Export, seconds: int) -> None:
    """Give a claimed export up because of its time. Raises Superseded."""
    text = f"The export took longer than {seconds} s, its limit. Ask for less."
    _end(export, Status.TIMED_OUT, text, error={"error": ErrorCode.TIMEOUT, "message": text})


def try_again(export: Export, reason: str) -> None:
    """Put a claimed export back into the queue, later each time; in the end it has failed.

    reason: the kind of error, or what happened to the worker. Raises Superseded.
    """
    attempts = len(export.claims)
    if attempts > len(DELAYS):
        text = f"The export was given up after {attempts} attempts; the last ended in {reason}."
        fail(export, ErrorCode.INTERNAL_ERROR, text)
    elif not _change(
        export,
        _held(export),
        Status.QUEUED,
        f"The attempt ended in {reason}.",
        attempt=attempts,
        enqueued_at=None,
        not_before=Now() + DELAYS[attempts - 1],
        processed_count=0,
    ):
        raise Superseded(export.public_id)


def cancel(export: Export) -> bool:
    """End an export that nobody wants any more; false where it has ended. Its worker notices."""
    canceled = _change(
        export,
        Q(status__in=UNFINISHED),
        Status.CANCELED,
        attempt=len(export.claims),
        completed_at=Now(),
        estimated_completion=None,
        error=None,
    )
    return canceled is not None


def restart(export: Export) -> bool:
    """Queue an ended export, of whose files nothing is left, anew; false where that is not so."""
    with transaction.atomic():
        queued = _change(
            export,
            Q(status__in=RETRYABLE, deleted_at=None),
            Status.QUEUED,
            "It was asked for again.",
            attempt=0,
            claims=[],
            started_at=None,
            heartbeat_at=None,
            completed_at=None,
            snapshot_at=None,
            enqueued_at=None,
            not_before=None,
            estimated_completion=None,
            expires_at=Now() + retention(),
            processed_count=0,
            error=None,
        )
        if queued:
            ExportFile.objects.filter(export=export).delete()
    return queued is not None


def expire(export: Export) -> None:
    """The files of a completed export are gone."""
    ended = Q(status=Status.COMPLETED, claims=export.claims)
    _change(export, ended, Status.EXPIRED, attempt=len(export.claims), claims=[])


def hide(export: Export) -> None:
    """From now on nobody sees it; its record goes with its files."""
    Export.objects.visible().filter(pk=export.pk).update(deleted_at=Now())


def due() -> Q:
    """True of a queued export that need not wait any more."""
    return Q(not_before=None) | Q(not_before__lte=Now())


def _held(export: Export) -> Q:
    """True of a claimed export as long as no later attempt has it."""
    return Q(status=Status.PROCESSING, claims=export.claims)


def _end(export: Export, status: Status, reason: str = "", **values: Any) -> None:
    if not _change(
        export,
        _held(export),
        status,
        reason,
        attempt=len(export.claims),
        completed_at=Now(),
        estimated_completion=None,
        **values,
    ):
        raise Superseded(export.public_id)


def _change(
    export: Export, condition: Q, status: Status, reason: str = "", *, attempt: int, **values: Any
) -> Export | None:
    """The one UPDATE; the export as it is then, or None where its row was not changed."""
    row = Export.objects.filter(condition, pk=export.pk)
    with transaction.atomic(savepoint=False):
        if not row.update(status=status, **values):
            return None
        ExportEvent.objects.create(export=export, status=status, attempt=attempt, reason=reason)
        if status in ENDS:
            totals.add(export)
        # Still locked: a moment later it could be somebody else's token that is read.
        changed = Export.objects.get(pk=export.pk)
        announcements.publish(changed)
    return changed
