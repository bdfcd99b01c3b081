"""Every change of an export's status: one conditional UPDATE, and its events beside it.

Whether a worker is alive, and whether an export may be taken up, is told by one clock: the
database's.
"""

from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import (
    Case,
    Count,
    F,
    Func,
    OuterRef,
    Q,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from exports.errors import ExportErrorCode
from exports.lifecycle import limits, metric_counters, webhook_events
from exports.lifecycle.queues import hand_on
from exports.models import (
    ENDS,
    UNFINISHED,
    Export,
    ExportEvent,
    ExportFile,
    ExportQuerySet,
    ExportTurn,
    Lane,
    Status,
    retention,
)
from longshore.api.errors import BaseErrorCode, ErrorCode
from longshore.database.ids import new_id

# What an export waits after each attempt; after one more it has failed. An outage of ten seconds
# is outlived.
DELAYS = (timedelta(seconds=5), timedelta(seconds=15))
# The same after failures of the read replica, which are counted apart: an export is not at fault,
# and a replica may take minutes to catch up or to start again.
REPLICA_DELAYS = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 60, 120))
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
        webhook_events.publish(export)


def claim(number: int, slot: Lane | None = None, slots: int = 0) -> Export | None:
    """Take up the queued export whose turn it is, on a message for export `number`.

    slot: the lane of the worker, by default that of the message. A worker of `large` takes a small
    export if no large one waits.
    slots: how many exports the workers of this lane write at a time.

    Within a lane it is the turn of the organization with the fewest exports being written, then
    of the one whose last turn is longest ago, and of its oldest export. One organization never
    holds the last of two or more slots. None if there is no export that may be taken.
    """
    if slot is None:
        lanes = Export.objects.filter(pk=number).values_list("lane", flat=True)
        slot = Lane(lanes.first() or Lane.QUICK)
    for lane in _lanes(slot):
        if claimed := _claim(lane, slot, slots):
            if claimed.pk != number:
                # Not in the transaction, or two workers could wait for one another.
                hand_on(number, claimed)
            return claimed
    return None


def waiting_of(organization_id: str, slot: Lane) -> Export | None:
    """An export of an organization that waits for a slot, a large one first."""
    visible = Export.objects.visible()
    own = visible.filter(due(), organization=organization_id, status=Status.QUEUED)
    waiting = own.filter(lane__in=_lanes(slot))
    return waiting.order_by(Case(When(lane=Lane.LARGE, then=0), default=1), "number").first()


def _lanes(slot: Lane) -> tuple[Lane, ...]:
    """The lanes that a worker serves, in this order."""
    return (Lane.LARGE, Lane.QUICK) if slot == Lane.LARGE else (Lane.QUICK,)


def _claim(lane: Lane, slot: Lane, slots: int) -> Export | None:
    visible = Export.objects.visible()
    of_organization = visible.filter(organization=OuterRef("organization")).order_by()
    processing = of_organization.filter(status=Status.PROCESSING)
    turn = ExportTurn.objects.filter(organization=OuterRef("organization"), lane=lane)
    waiting = (
        visible.filter(due(), lane=lane, status=Status.QUEUED)
        .annotate(running=_number(processing.filter(lane=lane)))
        .annotate(turn=Subquery(turn.values("taken_at")))
        .order_by("running", F("turn").asc(nulls_first=True), "number")
        # Whoever else claims one has locked it; the next is as good.
        .select_for_update(skip_locked=True, of=("self",))
    )
    with transaction.atomic():
        if slots > 1:
            # Workers of a lane claim one after the other, or two could take the last two slots.
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"exports.{slot}"])
            held = _number(processing.filter(slot=slot))
            waiting = waiting.alias(held=held).filter(held__lt=slots - 1)
        export = waiting.first()
        if export is None:
            return None
        token = new_id("claim")
        claimed = _change(
            export,
            Q(status=Status.QUEUED),
            Status.PROCESSING,
            attempt=len(export.claims) + 1,
            slot=slot,
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
    return claimed


def _number(exports: ExportQuerySet) -> Coalesce:
    count = exports.values("organization").annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(count), 0)


def report(export: Export, rows: int) -> None:
    """Say that a claimed export is alive and how many rows it has written.

    Raises Superseded where another attempt has it, or nobody wants it any more.
    """
    now = timezone.now()
    estimate = export.estimated_completion
    if rows and export.records_count and export.started_at:
        remaining = max(0, export.records_count - rows)
        estimate = now + (now - export.started_at) * (remaining / rows)
    held = Export.objects.visible().filter(_held(export), pk=export.pk)
    if not held.update(heartbeat_at=Now(), processed_count=rows, estimated_completion=estimate):
        raise Superseded(export.public_id)


def complete(export: Export, files: list[ExportFile]) -> None:
    """The files are there and verified. Raises Superseded, and ApiError if over the quota."""
    rows = sum(file.rows for file in files)
    size = sum(file.bytes for file in files)
    with transaction.atomic():
        limits.admit_stored_bytes(export.organization_id, size)
        ExportFile.objects.bulk_create(files)
        _end(
            export,
            Status.COMPLETED,
            expires_at=Now() + retention(),
            snapshot_at=export.snapshot_at,
            records_count=rows,
            processed_count=rows,
            stored_bytes=size,
        )


def fail(export: Export, code: BaseErrorCode, message: str) -> None:
    """Give a claimed export up, for good. Raises Superseded."""
    _end(export, Status.FAILED, message, error={"error": code.value, "message": message})


def time_out(export: Export, seconds: int) -> None:
    """Give a claimed export up because of its time. Raises Superseded."""
    text = f"The export took longer than {seconds} s, its limit. Add filters, or set `limit`."
    _end(export, Status.TIMED_OUT, text, error={"error": ErrorCode.TIMEOUT, "message": text})


def try_again(export: Export, reason: str) -> None:
    """Put a claimed export back into the queue, later each time; in the end it has failed.

    reason: the kind of error, or what happened to the worker. Raises Superseded.
    """
    attempts = len(export.claims)
    failures = attempts - export.replica_failures
    if failures > len(DELAYS):
        text = f"The export was given up after {attempts} attempts; the last ended in {reason}."
        fail(export, ErrorCode.INTERNAL_ERROR, text)
    else:
        _requeue(export, DELAYS[failures - 1], f"The attempt ended in {reason}.")


def try_replica_again(export: Export, reason: str) -> None:
    """As `try_again`, for an attempt that the read replica ended.

    reason: what the replica did, and how to prevent it.
    """
    failures = export.replica_failures + 1
    if failures > len(REPLICA_DELAYS):
        text = f"The export was given up after {len(export.claims)} attempts. {reason}"
        fail(export, ExportErrorCode.REPLICA_UNAVAILABLE, text)
    else:
        _requeue(export, REPLICA_DELAYS[failures - 1], reason, replica_failures=failures)


def cancel(export: Export) -> bool:
    """Cancel a queued or running export; return False if it has already ended."""
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
            Q(status__in=RETRYABLE),
            Status.QUEUED,
            "It was asked for again.",
            attempt=0,
            claims=[],
            stored_bytes=0,
            started_at=None,
            heartbeat_at=None,
            completed_at=None,
            snapshot_at=None,
            replica_failures=0,
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
    attempt = len(export.claims)
    _change(export, ended, Status.EXPIRED, attempt=attempt, claims=[], stored_bytes=0)


def delete(export: Export) -> None:
    """Cancel an export and hide it from everybody; its record goes with its files. Idempotent.

    Its request, its events and their deliveries, and the answers kept for an Idempotency-Key are
    deleted at once, whatever the storage does.
    """
    with transaction.atomic():
        # A request whose answer shows the export holds this lock until its answer is stored.
        limits.lock(export.organization_id)
        row = Export.objects.visible().filter(pk=export.pk)
        # Locked before it is canceled: no other status change comes between the two.
        deleted = row.select_for_update(no_key=True, of=("self",)).first()
        if deleted is None:
            return
        if cancel(deleted):
            deleted.refresh_from_db()
        webhook_events.publish_deletion(deleted)
        row.update(deleted_at=Now(), request={}, spec={}, date_from=None, date_to=None, error=None)


def due() -> Q:
    """True of a queued export that need not wait any more."""
    return Q(not_before=None) | Q(not_before__lte=Now())


def _held(export: Export) -> Q:
    """True of a claimed export as long as no later attempt has it."""
    return Q(status=Status.PROCESSING, claims=export.claims)


def _requeue(export: Export, delay: timedelta, reason: str, **values: Any) -> None:
    if not _change(
        export,
        _held(export),
        Status.QUEUED,
        reason,
        attempt=len(export.claims),
        enqueued_at=None,
        not_before=Now() + delay,
        processed_count=0,
        **values,
    ):
        raise Superseded(export.public_id)


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
    row = Export.objects.visible().filter(condition, pk=export.pk)
    with transaction.atomic(savepoint=False):
        if not row.update(status=status, **values):
            return None
        ExportEvent.objects.create(export=export, status=status, attempt=attempt, reason=reason)
        if status in ENDS:
            metric_counters.add(export)
        # Still locked: a moment later it could be somebody else's token that is read.
        changed = Export.objects.get(pk=export.pk)
        webhook_events.publish(changed)
    return changed
