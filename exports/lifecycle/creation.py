"""From a spec to a queued export, within what its organization may ask for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from exports.lifecycle import limits, transitions
from exports.lifecycle.limits import (
    Limits,
    admit_one_more,
    limits_of,
    unfinished_of,
)
from exports.lifecycle.queues import enqueue
from exports.models import Export, Lane
from exports.request.body import DATE_FROM, DATE_TO
from exports.spec import TIMEZONE_FIELD, ExportSpec
from exports.sql.compiler import compile_count
from longshore.accounts.models import ApiKey, Organization
from longshore.resources.reading import TookTooLong, reading

# Counting a large table must not hold up the answer; the worker has the time.
_COUNT_MILLISECONDS = 5_000
# Rows a second, for the first estimate.
_DEFAULT_ROWS_PER_SECOND = 50_000


@dataclass(frozen=True)
class Creation:
    """created: false where an export that was there already is what was asked for."""

    export: Export
    created: bool


def create(
    organization: Organization,
    api_key: ApiKey | None,
    request: Mapping[str, Any],
    spec: ExportSpec,
    *,
    dedupe: bool = False,
) -> Creation:
    """Store a request and queue it once the transaction is committed.

    dedupe: take an unfinished export of the same instead, where there is one.
    Raises InvalidInput where only the database can tell that it is wrong, and ApiError for what
    is over a limit.
    """
    limits.check_request(request, spec)
    allowed = limits_of(organization.pk)
    alike = unfinished_of(organization.pk)
    alike = alike.filter(spec=spec.to_json()) if dedupe else alike.none()
    if alike.exists():
        with transaction.atomic():
            # A deletion waits for this lock: it then also deletes the answer that is stored for
            # an Idempotency-Key.
            limits.lock(organization.pk)
            if same := alike.first():
                return Creation(same, created=False)
    # Counting may take seconds of the database: not for a request that is refused anyway.
    admit_one_more(organization.pk, allowed)
    count = count_rows(spec, organization.pk)
    with transaction.atomic():
        limits.lock(organization.pk)
        if same := alike.first():
            return Creation(same, created=False)
        _check(count, spec, allowed)
        admit_one_more(organization.pk, allowed)
        now = timezone.now()
        export = Export(
            organization=organization,
            organization_number=limits.count_one_more(organization.pk, new=True),
            api_key=api_key,
            resource=spec.resource,
            format=spec.format,
            compression=spec.compression,
            request=request,
            date_from=_end(request, DATE_FROM),
            date_to=_end(request, DATE_TO),
            spec=spec.to_json(),
            lane=_lane(count),
            records_count=count,
            estimated_completion=now + timedelta(seconds=expected_seconds(count or 0)),
            # In advance, which saves a statement and a commit. If this process dies before it
            # sends the message, recovery sends one, as for a message that the broker lost.
            enqueued_at=now,
        )
        transitions.queue(export)
        transaction.on_commit(lambda: enqueue(export, is_marked=True))
    return Creation(export, created=True)


def expected_seconds(rows: int) -> float:
    """From the request to the file, where no other is being written."""
    return 1 + rows / _DEFAULT_ROWS_PER_SECOND


def count_rows(
    spec: ExportSpec, organization_id: str, milliseconds: int = _COUNT_MILLISECONDS
) -> int | None:
    """The number of rows now; None where counting takes longer than that.

    Raises InvalidInput for a time zone that this PostgreSQL does not know.
    """
    try:
        with reading(spec.timezone, milliseconds, TIMEZONE_FIELD) as cursor:
            cursor.execute(compile_count(spec, organization_id).as_string(None))
            return int(cursor.fetchone()[0])
    except TookTooLong:
        return None


def _check(count: int | None, spec: ExportSpec, allowed: Limits) -> None:
    """Refuse what is known to be too many, or too few; the worker checks again."""
    if count is None:
        return
    if allowed.records is not None and count > allowed.records:
        raise limits.too_many_records(count, allowed.records)
    if spec.max_rows_per_file and count > spec.max_rows_per_file * limits.MAX_FILES:
        raise limits.too_many_files()
    if count == 0 and spec.refuse_empty:
        raise limits.empty()


def _end(request: Mapping[str, Any], name: str) -> str | None:
    """An end of the request's range as it was given; an epoch may be a number."""
    return None if request.get(name) is None else str(request[name])


def _lane(count: int | None) -> Lane:
    small = count is not None and count < settings.EXPORT_PARALLEL_ROWS
    return Lane.QUICK if small else Lane.LARGE
