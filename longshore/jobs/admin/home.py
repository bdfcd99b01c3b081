"""The part of the admin's home about jobs: counts, queue, charts, failed and slowest jobs.

A kind of job that has pages in the admin is shown to people who may view its model. Sums come from
`JobHour`, so their cost does not depend on the number of jobs. The rest reads indexes of the jobs.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Count, F, Min, QuerySet, Sum
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from longshore.accounts.admin.home import HomeScope, with_organization
from longshore.jobs import kinds
from longshore.jobs.admin.charts import Chart, Period, Series, bar_chart, byte_unit
from longshore.jobs.admin.presentation import (
    EMPTY,
    Table,
    duration,
    link,
    nowrap,
    relative_and_exact_time,
    resource_label,
    table,
)
from longshore.jobs.admin.progress import STATUS_COLORS
from longshore.jobs.fairness import due
from longshore.jobs.kinds import JobKind
from longshore.jobs.models import Job, JobHour
from longshore.jobs.statuses import FAILED, SUCCEEDED, TERMINAL, Status

_MAX_LISTED = 5
_MAX_REASON_CHARACTERS = 160


@dataclass(frozen=True)
class _Hour:
    """Sums over the jobs of a kind that ended in a status within an hour."""

    begin: datetime
    kind: str
    status: str
    jobs: int
    rows: int
    bytes: int


@dataclass(frozen=True)
class _Unfinished:
    """The jobs of a kind that have not ended.

    ready_since: when the first of the jobs that a worker could claim became ready; None if none is.
    """

    counts: dict[str, int]
    ready_since: datetime | None


def job_section(request: HttpRequest, scope: HomeScope, period: Period) -> dict[str, Any] | None:
    """Return the context of the section; None if the person may view no kind of job.

    Costs one query, and five for each kind of job.
    """
    shown = [kind for kind in _kinds() if _may_view(request, kind)]
    if not shown:
        return None
    now = timezone.now()
    begin = period.begin(now)
    hours = list(_hours(shown, scope, begin, now))
    unfinished = {kind.name: _unfinished(kind, scope) for kind in shown}
    stored = [(kind.title, _stored_bytes(kind, scope)) for kind in shown]
    return {
        "kinds": [_card(kind, hours, unfinished[kind.name]) for kind in shown],
        "queue": _queue(shown, unfinished, now),
        "stored": filesizeformat(sum(size for _, size in stored)),
        "stored_of": [(title, filesizeformat(size)) for title, size in stored],
        "charts": _charts(shown, hours, period, now),
        "failed": _failed(shown, scope, begin),
        "slowest": _slowest(shown, scope, begin),
        "is_empty": not hours and not any(each.counts for each in unfinished.values()),
    }


def has_jobs() -> bool:
    """Return whether any job of any organization is stored."""
    return any(kind.jobs.exists() for kind in _kinds())


def _kinds() -> list[JobKind[Any]]:
    """Return the kinds of job that have pages in the admin."""
    return [kind for kind in kinds.registered() if admin.site.is_registered(kind.job)]


def _may_view(request: HttpRequest, kind: JobKind[Any]) -> bool:
    options = kind.job._meta
    return request.user.has_perm(f"{options.app_label}.view_{options.model_name}")


def _page(kind: JobKind[Any], page: str, *args: object) -> str:
    options = kind.job._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_{page}", args=args)


# --- Queries ----------------------------------------------------------------------------------


def _hours(
    shown: Iterable[JobKind[Any]], scope: HomeScope, begin: datetime, now: datetime
) -> Iterable[_Hour]:
    """Return the sums of the period.

    An hour that begins after `now` is left out, because the charts have no place for it. A job that
    has just ended, or a server whose clock is fast, stores such an hour.
    """
    names = [kind.name for kind in shown]
    period = JobHour.objects.filter(kind__in=names, hour__gte=begin, hour__lte=now)
    hours = scope.of(period).order_by()
    groups = hours.values_list("hour", "kind", "status")
    sums = groups.annotate(all_jobs=Sum("jobs"), all_rows=Sum("rows"), all_bytes=Sum("bytes"))
    return (_Hour(*values) for values in sums)


def _unfinished(kind: JobKind[Any], scope: HomeScope) -> _Unfinished:
    jobs = scope.of(kind.jobs.visible().filter(status__in=kind.unfinished)).order_by()
    counts = dict(jobs.values_list("status").annotate(count=Count("pk")))
    ready = scope.of(due(kind).filter(deleted_at=None)).aggregate(first=Min("since"))
    return _Unfinished(counts, ready["first"])


def _stored_bytes(kind: JobKind[Any], scope: HomeScope) -> int:
    stored = scope.of(kind.jobs.filter(stored_bytes__gt=0)).aggregate(sum=Sum("stored_bytes"))
    return int(stored["sum"] or 0)


def _listed(jobs: QuerySet[Any, Any]) -> list[Any]:
    """Return the first jobs with what the tables show, without request and spec."""
    fields = ("public_id", "resource", "started_at", "completed_at", "records_count", "error")
    found = jobs.select_related("organization").only(*fields, "organization__name")
    return list(found[:_MAX_LISTED])


# --- Cards ------------------------------------------------------------------------------------


def _card(kind: JobKind[Any], hours: Sequence[_Hour], unfinished: _Unfinished) -> dict[str, Any]:
    """Return the card of a kind: today by status, and the success rate of the period.

    Only the unfinished statuses link to the list: it has no filter for the time when a job ended.

    Today begins at midnight in the current zone. In a zone that differs from UTC by a fraction of
    an hour, it begins with the next whole hour of UTC.
    """
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    ended = _ended(kind, hours)
    today = _ended(kind, (hour for hour in hours if hour.begin >= midnight))
    completed, failed = ended[Status.COMPLETED], sum(ended[status] for status in FAILED)
    counts = [
        *((status, unfinished.counts.get(status, 0)) for status in kind.unfinished),
        *((status, today[status]) for status in TERMINAL if status != Status.COMPLETED),
    ]
    page = _page(kind, "changelist")
    return {
        "title": kind.title,
        "url": page,
        "completed": f"{today[Status.COMPLETED]:,}",
        "statuses": [
            {
                "text": f"{count:,} {status.label.lower()}",
                "color": STATUS_COLORS[status],
                "url": None if status in TERMINAL else f"{page}?status__exact={status}",
            }
            for status, count in counts
            if count
        ],
        "success_rate": _percent(completed, completed + failed),
        "ended": f"{completed + failed:,}",
    }


def _ended(kind: JobKind[Any], hours: Iterable[_Hour]) -> Counter[str]:
    """Return the number of jobs of a kind by their final status."""
    ended = Counter[str]()
    for hour in hours:
        if hour.kind == kind.name:
            ended[hour.status] += hour.jobs
    return ended


def _percent(part: int, whole: int) -> str | None:
    """Return a percentage, rounded down, so that one failure is never 100 %."""
    return f"{1000 * part // whole / 10:g}" if whole else None


def _queue(
    shown: Sequence[JobKind[Any]], unfinished: dict[str, _Unfinished], now: datetime
) -> dict[str, Any]:
    queued = [unfinished[kind.name].counts.get(Status.QUEUED, 0) for kind in shown]
    since = [each.ready_since for each in unfinished.values() if each.ready_since]
    return {
        "length": f"{sum(queued):,}",
        "oldest": duration(max(now - min(since), timedelta())) if since else None,
        "parts": [(kind.title, f"{count:,}") for kind, count in zip(shown, queued, strict=True)],
    }


# --- Charts -----------------------------------------------------------------------------------


def _charts(
    shown: Sequence[JobKind[Any]], hours: Sequence[_Hour], period: Period, now: datetime
) -> list[Chart]:
    steps = period.steps(now)
    places = {step: place for place, step in enumerate(steps)}
    rows_of = {kind.name: [0] * len(steps) for kind in shown}
    bytes_of = {kind.name: [0] * len(steps) for kind in shown}
    for hour in hours:
        place = places[period.step_of(hour.begin)]
        rows_of[hour.kind][place] += hour.rows
        bytes_of[hour.kind][place] += hour.bytes
    rows = [Series(kind.title, rows_of[kind.name]) for kind in shown]
    sizes = [Series(kind.title, bytes_of[kind.name]) for kind in shown]
    factor, unit = byte_unit(max(value for each in sizes for value in each.values))
    scaled = [Series(each.label, [value / factor for value in each.values]) for each in sizes]
    row_totals = _totals(rows, lambda total: f"{total:,} rows")
    size_totals = _totals(sizes, filesizeformat)
    return [
        bar_chart(f"Rows per {period.step_label}", row_totals, period, steps, rows),
        bar_chart(f"Data per {period.step_label} in {unit}", size_totals, period, steps, scaled),
    ]


def _totals(series: Iterable[Series], text: Callable[[int], str]) -> str:
    return " · ".join(f"{each.label} {text(int(sum(each.values)))}" for each in series)


# --- Tables -----------------------------------------------------------------------------------


def _failed(shown: Iterable[JobKind[Any]], scope: HomeScope, begin: datetime) -> Table:
    found: list[tuple[JobKind[Any], Job]] = []
    for kind in shown:
        jobs = kind.jobs.visible().filter(status__in=FAILED, completed_at__gte=begin)
        found += ((kind, job) for job in _listed(scope.of(jobs).order_by("-completed_at")))
    found.sort(key=lambda each: each[1].completed_at or begin, reverse=True)
    rows = [
        [
            _subject(kind, job),
            Truncator((job.error or {}).get("message", EMPTY)).chars(_MAX_REASON_CHARACTERS),
            nowrap(relative_and_exact_time(job.completed_at)[0]),
        ]
        for kind, job in found[:_MAX_LISTED]
    ]
    return table("Failed", ["Job", "Reason", "When"], rows)


def _slowest(shown: Iterable[JobKind[Any]], scope: HomeScope, begin: datetime) -> Table:
    elapsed = F("completed_at") - F("started_at")
    found: list[tuple[JobKind[Any], Any]] = []
    for kind in shown:
        jobs = kind.jobs.visible().filter(
            status__in=SUCCEEDED, started_at__isnull=False, completed_at__gte=begin
        )
        slowest = scope.of(jobs).order_by(elapsed.desc())
        found += ((kind, job) for job in _listed(slowest))
    found.sort(key=lambda each: each[1].completed_at - each[1].started_at, reverse=True)
    rows = [
        [
            _subject(kind, job),
            f"{job.records_count or 0:,}",
            nowrap(duration(job.completed_at - job.started_at)),
        ]
        for kind, job in found[:_MAX_LISTED]
    ]
    return table("Slowest", ["Job", "Rows", "Duration"], rows)


def _subject(kind: JobKind[Any], job: Job) -> SafeString:
    """Return the first cell of a row: a link to the job, above its organization."""
    name = kind.job._meta.verbose_name
    text = f"{resource_label(job.resource)}, {name} {job.public_id[-6:]}"
    return with_organization(link(_page(kind, "change", job.pk), text), job.organization)
