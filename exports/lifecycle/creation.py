"""Creates queued exports from specs, within the limits of their organization."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from exports.lifecycle import limits
from exports.lifecycle.transitions import EXPORTS, export_lifecycle
from exports.models import Export, ExportLimits, Lane
from exports.request.body import DATE_FROM, DATE_TO
from exports.spec import TIMEZONE_FIELD, ExportSpec
from exports.sql.compiler import compile_count
from exports.sql.declared_names import resources_of
from longshore.accounts.models import ApiKey, Organization
from longshore.jobs import actions, admission
from longshore.jobs.specs import check_size
from longshore.resources.readers import check_key
from longshore.resources.reading import StatementTimeout, reading

# Counting a large table must not delay the response; the worker counts anyway.
_COUNT_MILLISECONDS = 5_000
# The last sentence of the error for a request or spec that is too large to be stored.
SIZE_ADVICE = "Use shorter filters, or several exports."
# Rows per second, for the first estimate.
_DEFAULT_ROWS_PER_SECOND = 50_000


def create(
    organization: Organization,
    api_key: ApiKey | None,
    request: Mapping[str, Any],
    spec: ExportSpec,
    *,
    dedupe: bool = False,
) -> tuple[Export, bool]:
    """Store an export and enqueue it when the transaction is committed.

    dedupe: return an unfinished export with the same spec instead, if there is one.
    Returns the export, and whether it is a new one.
    Raises InvalidInput if only the database can detect that the spec is invalid, and ApiError if
    a limit is exceeded or the key may not read a resource of the spec.
    """
    check_size(request, spec, SIZE_ADVICE)
    read = resources_of(spec)
    if api_key is not None:
        check_key(read, api_key)
    allowed = ExportLimits.applied_to(organization.pk)
    quotas = admission.Quotas(EXPORTS, organization.pk, allowed)

    def find_same() -> Export | None:
        if not dedupe:
            return None
        unfinished = admission.unfinished_of(EXPORTS, organization.pk)
        return unfinished.filter(spec=spec.to_json()).first()

    if find_same():
        with transaction.atomic():
            # A deletion waits for this lock, and then also deletes the response that is stored for
            # an Idempotency-Key.
            admission.lock(organization.pk)
            if existing := find_same():
                return existing, False
    # Counting may cost the database seconds: not for a request that is refused anyway.
    quotas.check()
    count = count_rows(spec, organization.pk)
    with transaction.atomic():
        admission.lock(organization.pk)
        if existing := find_same():
            return existing, False
        _check(count, spec, allowed)
        export = Export(
            organization=organization,
            api_key=api_key,
            resource=spec.resource,
            other_resources=sorted({each.name for each in read} - {spec.resource}),
            format=spec.format,
            compression=spec.compression,
            request=request,
            date_from=_bound(request, DATE_FROM),
            date_to=_bound(request, DATE_TO),
            spec=spec.to_json(),
            lane=_lane(count),
            records_count=count,
            estimated_completion=timezone.now() + timedelta(seconds=expected_seconds(count or 0)),
        )
        actions.create_locked(export_lifecycle, export, quotas)
    return export, True


def expected_seconds(rows: int) -> float:
    """Return the expected time from the request to the file if no other export is running."""
    return 1 + rows / _DEFAULT_ROWS_PER_SECOND


def count_rows(
    spec: ExportSpec, organization_id: str, milliseconds: int = _COUNT_MILLISECONDS
) -> int | None:
    """Return the current number of rows, or None if counting takes longer than `milliseconds`.

    Raises InvalidInput for a time zone that this PostgreSQL does not know.
    """
    try:
        with reading(spec.timezone, milliseconds, TIMEZONE_FIELD) as cursor:
            cursor.execute(compile_count(spec, organization_id).as_string(None))
            return int(cursor.fetchone()[0])
    except StatementTimeout:
        return None


def _check(count: int | None, spec: ExportSpec, allowed: ExportLimits) -> None:
    """Refuse a count that is known to be outside the limits. The worker checks again."""
    if count is None:
        return
    maximum = limits.max_records(spec, allowed)
    if maximum is not None and count > maximum:
        raise limits.too_many_records(count, maximum)
    if spec.max_rows_per_file and count > spec.max_rows_per_file * limits.MAX_FILES:
        raise limits.too_many_files()
    if count == 0 and spec.refuse_empty:
        raise limits.empty()


def _bound(request: Mapping[str, Any], name: str) -> str | None:
    """Return a bound of the request's range as text; an epoch may be a number."""
    return None if request.get(name) is None else str(request[name])


def _lane(count: int | None) -> Lane:
    is_small = count is not None and count < settings.EXPORT_PARALLEL_ROWS
    return Lane.QUICK if is_small else Lane.LARGE
