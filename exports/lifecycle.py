"""Every change of an export's status: one conditional UPDATE that must change one row.

What is compared with a time is written by the clock that it is compared with: the database's.
"""

import logging
from datetime import timedelta
from typing import Any

import psycopg
from celery import current_app
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import F, Func, Q, Value
from django.db.models.functions import Now
from django.utils import timezone

from accounts.errors import ErrorCode, InvalidInput, Problem
from accounts.ids import new_id
from accounts.models import ApiKey, Organization
from exports.compiler import compile_count
from exports.models import Export, ExportFile, Status, end_of_retention
from exports.spec import ExportSpec
from exports.storage import delete_files

logger = logging.getLogger(__name__)

# The name of the task, which stands a floor above.
RUN_EXPORT = "exports.run"

# A worker that has not been heard of for this long is dead; it reports every second.
SILENCE = timedelta(seconds=30)
# A queued export that nobody took up for this long may have been lost by the broker.
PATIENCE = timedelta(minutes=5)
# A request that has just been stored is still being queued by the one that stored it.
SETTLED = timedelta(seconds=5)
# What an export waits after each attempt; after one more it has failed.
DELAYS = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 300, 900))
# Counting a large table must not hold up the answer; the worker has the time.
_COUNT_MILLISECONDS = 5_000
# Rows a second, for the first estimate.
_USUAL_RATE = 50_000


class Superseded(Exception):
    """The export is no longer this worker's."""


def create(
    organization: Organization, api_key: ApiKey | None, request: Any, spec: ExportSpec
) -> Export:
    """Store a request and queue it once the transaction is committed.

    Raises InvalidInput where only the database can tell that it is wrong.
    """
    count = count_rows(spec, organization.pk)
    now = timezone.now()
    with transaction.atomic():
        export = Export.objects.create(
            organization=organization,
            api_key=api_key,
            resource=spec.resource,
            format=spec.format,
            compression=spec.compression,
            request=request,
            spec=spec.to_json(),
            records_count=count,
            estimated_completion=now + timedelta(seconds=expected_seconds(count or 0)),
        )
        transaction.on_commit(lambda: enqueue(export))
    return export


def expected_seconds(rows: int) -> float:
    """From the request to the file, where no other is being written."""
    return 1 + rows / _USUAL_RATE


def count_rows(spec: ExportSpec, organization_id: str) -> int | None:
    """The number of rows now; None where counting takes too long to wait for.

    Raises InvalidInput for a time zone that this PostgreSQL does not know.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT set_config('TimeZone', %s, true)", [spec.timezone])
            cursor.execute(f"SET LOCAL statement_timeout = {_COUNT_MILLISECONDS}")
            cursor.execute(compile_count(spec, organization_id).as_string(None))
            return int(cursor.fetchone()[0])
    except DatabaseError as error:
        if isinstance(error.__cause__, psycopg.errors.QueryCanceled):
            return None
        if isinstance(error.__cause__, psycopg.errors.InvalidParameterValue):
            field, text = "csv_field_options.timezone", f"Unknown time zone: {spec.timezone}"
            problem = Problem(ErrorCode.INVALID_TIMEZONE, field, spec.timezone, text)
            raise InvalidInput(problem) from error
        raise


def enqueue(export: Export) -> None:
    """Hand a queued export to the workers; a broker that is down costs nothing but time."""
    try:
        current_app.send_task(RUN_EXPORT, [export.pk])
    except Exception as error:
        # Whatever its client raises, the export is stored, and `recover` will try again.
        logger.warning("Export %s waits for the broker: %s", export, error)
        return
    Export.objects.filter(pk=export.pk).update(enqueued_at=Now())


def claim(number: int) -> Export | None:
    """Take up a queued export; None where there is none of this number in the queue."""
    token = new_id("claim")
    changed = _change(
        _due() & Q(pk=number, status=Status.QUEUED),
        status=Status.PROCESSING,
        started_at=Now(),
        heartbeat_at=Now(),
        processed_count=0,
        claims=Func(F("claims"), Value(token), function="array_append"),
    )
    return Export.objects.select_related("organization").get(pk=number) if changed else None


def report(export: Export, rows: int) -> None:
    """Say that a claimed export is alive and how many rows it has written.

    Raises Superseded where another attempt has it, or nobody wants it any more.
    """
    now = timezone.now()
    estimate = export.estimated_completion
    if rows and export.records_count and export.started_at:
        remaining = max(0, export.records_count - rows)
        estimate = now + (now - export.started_at) * (remaining / rows)
    if not _change(
        _held(export), heartbeat_at=Now(), processed_count=rows, estimated_completion=estimate
    ):
        raise Superseded(export.public_id)


def complete(export: Export, file: ExportFile) -> None:
    """The file is there and verified. Raises Superseded."""
    with transaction.atomic():
        if not _change(
            _held(export),
            status=Status.COMPLETED,
            completed_at=timezone.now(),
            expires_at=end_of_retention(),
            estimated_completion=None,
            records_count=file.rows,
            processed_count=file.rows,
        ):
            raise Superseded(export.public_id)
        file.save()


def fail(export: Export, code: ErrorCode, message: str) -> None:
    """Give a claimed export up, for good. Raises Superseded."""
    _end(export, Status.FAILED, code, message)


def time_out(export: Export) -> None:
    """Give a claimed export up because of its time. Raises Superseded."""
    text = f"The export took more than {settings.EXPORT_TIME_LIMIT_SECONDS} seconds. Ask for less."
    _end(export, Status.TIMED_OUT, ErrorCode.TIMEOUT, text)


def retry(export: Export, reason: str) -> None:
    """Put a claimed export back into the queue, later each time; in the end it has failed.

    reason: the kind of error, or what happened to the worker. Raises Superseded.
    """
    attempts = len(export.claims)
    if attempts > len(DELAYS):
        text = f"The export was given up after {attempts} attempts; the last ended in {reason}."
        fail(export, ErrorCode.INTERNAL_ERROR, text)
    elif not _change(
        _held(export),
        status=Status.QUEUED,
        enqueued_at=None,
        not_before=Now() + DELAYS[attempts - 1],
        processed_count=0,
    ):
        raise Superseded(export.public_id)


def recover() -> None:
    """Take back what a dead worker holds, and queue what waits, or what a broker lost."""
    exports = Export.objects.only("public_id", "organization_id", "status", "claims")
    silent = exports.filter(status=Status.PROCESSING, heartbeat_at__lt=Now() - SILENCE)
    for export in silent.iterator():
        logger.warning("The worker of export %s is silent.", export)
        try:
            retry(export, "the loss of its worker")
        except Superseded:
            continue
        delete_files(export)
    lost = Q(enqueued_at=None) | Q(enqueued_at__lt=Now() - PATIENCE)
    queued = exports.filter(lost, _due(), status=Status.QUEUED, created_at__lt=Now() - SETTLED)
    for export in queued.iterator():
        enqueue(export)


def expire() -> None:
    """Delete the files of exports whose time is over, and what failed ones may have left."""
    ended = (Status.COMPLETED, Status.FAILED, Status.TIMED_OUT)
    exports = Export.objects.only("public_id", "organization_id", "status", "claims")
    due = exports.filter(status__in=ended, expires_at__lte=Now()).exclude(claims=[])
    for export in due.iterator():
        # Files go first: a death between the two steps is made good by the next run.
        if delete_files(export):
            status = Status.EXPIRED if export.status == Status.COMPLETED else export.status
            _change(Q(pk=export.pk, status=export.status), status=status, claims=[])


def _due() -> Q:
    return Q(not_before=None) | Q(not_before__lte=Now())


def _held(export: Export) -> Q:
    """True of a claimed export as long as no later attempt has it."""
    return Q(pk=export.pk, status=Status.PROCESSING, claims=export.claims)


def _end(export: Export, status: Status, code: ErrorCode, message: str) -> None:
    if not _change(
        _held(export),
        status=status,
        completed_at=timezone.now(),
        estimated_completion=None,
        error={"error": code.value, "message": message},
    ):
        raise Superseded(export.public_id)


def _change(condition: Q, **values: Any) -> bool:
    """The one UPDATE; true where it changed its row."""
    return Export.objects.filter(condition).update(**values) == 1
