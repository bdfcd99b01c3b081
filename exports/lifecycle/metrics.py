"""`/metrics`: what Prometheus asks of exports, read from the database at each scrape.

So it is the same whichever process of whichever machine answers.
"""

from collections.abc import Iterator
from itertools import accumulate, product
from math import isinf

from django.conf import settings
from django.db.models import Count, Min, OuterRef, Subquery
from django.db.models.functions import Coalesce, Now
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from exports.lifecycle.metric_counters import BUCKETS
from exports.lifecycle.transitions import due
from exports.models import (
    ENDS,
    UNFINISHED,
    Export,
    ExportCount,
    ExportEvent,
    ExportTotal,
    Lane,
    Status,
)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    if not settings.METRICS_TOKEN:
        raise Http404
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not constant_time_compare(token, settings.METRICS_TOKEN):
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
    registry = CollectorRegistry()
    registry.register(ExportCollector())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class ExportCollector(Collector):
    """All organizations together: who exports what is nobody's business here."""

    def describe(self) -> list[Metric]:
        """Nothing yet, or registration would ask the database for it."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield _counted()
        yield _oldest()
        yield from _totals()


def _counted() -> Metric:
    metric = GaugeMetricFamily(
        "longshore_exports",
        "Exports on record; those that ended, as of the last minute.",
        labels=["lane", "status"],
    )
    unfinished = Export.objects.filter(status__in=UNFINISHED).order_by()
    found = unfinished.values_list("lane", "status").annotate(count=Count("pk"))
    ended = ExportCount.objects.exclude(status__in=UNFINISHED)
    counts = {
        (lane, status): count
        for lane, status, count in [*found, *ended.values_list("lane", "status", "exports")]
    }
    for lane, status in product(Lane.values, Status.values):
        metric.add_metric([lane, status], counts.get((lane, status), 0))
    return metric


def _oldest() -> Metric:
    """Since when the one that has waited longest could have been taken up.

    One that waits for its next attempt cannot; one that is asked for again waits anew.
    """
    metric = GaugeMetricFamily(
        "longshore_oldest_queued_seconds",
        "How long the export waits that waits longest for a worker; 0 if none does.",
        labels=["lane"],
    )
    queued = ExportEvent.objects.filter(export=OuterRef("pk")).order_by("-pk").values("created_at")
    waiting = Export.objects.filter(due(), status=Status.QUEUED).annotate(
        since=Coalesce("not_before", Subquery(queued[:1]), "created_at")
    )
    found = waiting.order_by().values_list("lane").annotate(first=Min("since"), now=Now())
    ages = {lane: (now - first).total_seconds() for lane, first, now in found}
    for lane in Lane.values:
        metric.add_metric([lane], max(0, ages.get(lane, 0)))
    return metric


def _totals() -> Iterator[Metric]:
    ended = CounterMetricFamily(
        "longshore_exports_ended", "Exports that ended so.", labels=["lane", "status"]
    )
    rows = CounterMetricFamily(
        "longshore_export_rows", "Rows of completed exports.", labels=["lane"]
    )
    size = CounterMetricFamily(
        "longshore_export_bytes", "Bytes of completed exports' files.", labels=["lane"]
    )
    seconds = HistogramMetricFamily(
        "longshore_export_seconds",
        "Seconds that the last attempt of completed exports took.",
        labels=["lane"],
    )
    totals = list(ExportTotal.objects.all())
    for lane, status in product(Lane.values, ENDS):
        of = [total for total in totals if (total.lane, total.status) == (lane, status)]
        ended.add_metric([lane, status.value], sum(total.exports for total in of))
        if status == Status.COMPLETED:
            rows.add_metric([lane], sum(total.rows for total in of))
            size.add_metric([lane], sum(total.bytes for total in of))
            in_bucket = {total.le: total.exports for total in of}
            counts = accumulate(in_bucket.get(le, 0) for le in BUCKETS)
            buckets = [(_label(le), count) for le, count in zip(BUCKETS, counts, strict=True)]
            seconds.add_metric([lane], buckets, sum(total.seconds for total in of))
    yield from (ended, rows, size, seconds)


def _label(le: float) -> str:
    return "+Inf" if isinf(le) else str(le)
