"""`/metrics` for Prometheus: reads all kinds of job from the database at each scrape.

Every process of every machine therefore returns the same metrics. No metric has a label of the
organization.
"""

from collections.abc import Iterator
from itertools import accumulate, product
from math import isinf
from typing import Any

from django.conf import settings
from django.db.models import Count, Min
from django.db.models.functions import Now
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

from longshore.jobs import kinds
from longshore.jobs.counters import BUCKETS
from longshore.jobs.fairness import due
from longshore.jobs.kinds import JobKind
from longshore.jobs.models import JobCount, JobTotal
from longshore.jobs.statuses import TERMINAL, Lane, Status


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics for the bearer token METRICS_TOKEN; 404 if the setting is empty."""
    if not settings.METRICS_TOKEN:
        raise Http404
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not constant_time_compare(token, settings.METRICS_TOKEN):
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
    registry = CollectorRegistry()
    registry.register(JobCollector())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class JobCollector(Collector):
    """Collects the metrics of all registered kinds of job."""

    def describe(self) -> list[Metric]:
        """Return nothing, so that registration does not query the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        counts, totals = list(JobCount.objects.all()), list(JobTotal.objects.all())
        for kind in kinds.registered():
            yield _stored(kind, [count for count in counts if count.kind == kind.name])
        yield _oldest()
        for kind in kinds.registered():
            yield from _ended(kind, [total for total in totals if total.kind == kind.name])


def _stored(kind: JobKind[Any], recounted: list[JobCount]) -> Metric:
    metric = GaugeMetricFamily(
        f"longshore_{kind.plural}",
        f"Number of stored {kind.plural}. Ended {kind.plural} are counted once a minute.",
        labels=["lane", "status"],
    )
    unfinished = kind.jobs.filter(status__in=kind.unfinished).order_by()
    found = unfinished.values_list("lane", "status").annotate(count=Count("pk"))
    counts = {(count.lane, count.status): count.jobs for count in recounted}
    for status in kind.unfinished:
        counts |= {(lane, status): 0 for lane in Lane.values}
    counts |= {(lane, status): count for lane, status, count in found}
    for lane, status in product(Lane, kind.statuses):
        metric.add_metric([lane.value, status.value], counts.get((lane, status), 0))
    return metric


def _oldest() -> Metric:
    """Return, for each kind and lane, for how many seconds the oldest waiting job was ready."""
    metric = GaugeMetricFamily(
        "longshore_oldest_queued_seconds",
        "Age of the job that waits longest for a worker; 0 if none waits.",
        labels=["kind", "lane"],
    )
    for kind in kinds.registered():
        waiting = due(kind).values_list("lane")
        found = waiting.annotate(first=Min("since"), now=Now())
        ages = {lane: (now - first).total_seconds() for lane, first, now in found}
        for lane in Lane:
            metric.add_metric([kind.name, lane.value], max(0, ages.get(lane, 0)))
    return metric


def _ended(kind: JobKind[Any], totals: list[JobTotal]) -> Iterator[Metric]:
    ended = CounterMetricFamily(
        f"longshore_{kind.plural}_ended",
        f"{kind.plural.capitalize()} that ended in a status.",
        labels=["lane", "status"],
    )
    rows = CounterMetricFamily(
        f"longshore_{kind.name}_rows", f"Rows of completed {kind.plural}.", labels=["lane"]
    )
    size = CounterMetricFamily(
        f"longshore_{kind.name}_bytes",
        f"Bytes of the files of completed {kind.plural}.",
        labels=["lane"],
    )
    seconds = HistogramMetricFamily(
        f"longshore_{kind.name}_seconds",
        f"Duration of the last attempt of completed {kind.plural}, in seconds.",
        labels=["lane"],
    )
    for lane, status in product(Lane, TERMINAL):
        group = [total for total in totals if (total.lane, total.status) == (lane, status)]
        ended.add_metric([lane.value, status.value], sum(total.jobs for total in group))
        if status == Status.COMPLETED:
            rows.add_metric([lane.value], sum(total.rows for total in group))
            size.add_metric([lane.value], sum(total.bytes for total in group))
            in_bucket = {total.bucket: total.jobs for total in group}
            counts = accumulate(in_bucket.get(bucket, 0) for bucket in BUCKETS)
            labels = ["+Inf" if isinf(bucket) else str(bucket) for bucket in BUCKETS]
            buckets = list(zip(labels, counts, strict=True))
            seconds.add_metric([lane.value], buckets, sum(total.seconds for total in group))
    yield from (ended, rows, size, seconds)
