"""Maintains the counters that the metrics of jobs and the admin's home read.

`JobTotal` counts the jobs that ended, and `JobHour` those of each hour. Their rows outlive the
jobs, because counters must not decrease. `JobCount` holds the number of stored jobs as of the last
recount: counting a million jobs takes half a second, too long for a scrape.
"""

from datetime import timedelta
from itertools import product
from typing import Any

from django.db import connection
from django.db.models import Count
from django.db.models.functions import Now
from psycopg import sql

from longshore.database import chunks
from longshore.jobs.kinds import JobKind
from longshore.jobs.models import Job, JobCount, JobHour
from longshore.jobs.statuses import Lane

# Upper bounds in seconds of the buckets of job durations.
BUCKETS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, float("inf"))

# The admin's home shows at most 30 days, and counts by whole hours.
HOURS_KEPT = timedelta(days=31)

# Every column is qualified: the table of a kind of job may have columns of the same names.
_ADD = sql.SQL(
    """
WITH ended AS (
    SELECT job.organization_id, job.lane, job.status,
        date_trunc('hour', coalesce(job.completed_at, now()), 'UTC') AS hour,
        CASE WHEN job.status = 'completed' THEN job.records_count ELSE 0 END AS rows,
        CASE WHEN job.status = 'completed' THEN job.stored_bytes ELSE 0 END AS stored,
        CASE WHEN job.status = 'completed' THEN coalesce(job.{bytes}, 0) ELSE 0 END AS moved,
        greatest(0, coalesce(extract(epoch FROM job.completed_at - job.started_at), 0))::float8
            AS seconds
    FROM {jobs} AS job
    WHERE job.number = %(number)s
),
in_hour AS (
    INSERT INTO longshore_jobs_jobhour AS total
        (organization_id, hour, kind, status, jobs, rows, bytes)
    SELECT ended.organization_id, ended.hour, %(kind)s, ended.status, 1, ended.rows, ended.moved
    FROM ended
    ON CONFLICT (organization_id, hour, kind, status) DO UPDATE SET
        jobs = total.jobs + 1,
        rows = total.rows + excluded.rows,
        bytes = total.bytes + excluded.bytes
)
INSERT INTO longshore_jobs_jobtotal AS total
    (kind, lane, status, bucket, jobs, rows, bytes, seconds)
SELECT %(kind)s, ended.lane, ended.status,
    (
        SELECT min(bucket.seconds) FROM unnest(%(buckets)s::float8[]) AS bucket (seconds)
        WHERE bucket.seconds >= ended.seconds
    ),
    1, ended.rows, ended.stored, ended.seconds
FROM ended
ON CONFLICT (kind, lane, status, bucket) DO UPDATE SET
    jobs = total.jobs + 1,
    rows = total.rows + excluded.rows,
    bytes = total.bytes + excluded.bytes,
    seconds = total.seconds + excluded.seconds
"""
)


def add(kind: JobKind[Any], job: Job) -> None:
    """Count a job that has just ended. Call it in the transaction that ends the job."""
    names = {"jobs": kind.job._meta.db_table, "bytes": kind.bytes_field}
    statement = _ADD.format(**{name: sql.Identifier(value) for name, value in names.items()})
    values: dict[str, Any] = {"kind": kind.name, "buckets": list(BUCKETS), "number": job.pk}
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def recount(kind: JobKind[Any]) -> None:
    """Count the stored jobs of a kind."""
    found = kind.jobs.order_by().values_list("lane", "status").annotate(count=Count("pk"))
    counts = {(lane, status): count for lane, status, count in found}
    # Always all rows in one order, so that concurrent recounts wait instead of deadlocking.
    JobCount.objects.bulk_create(
        [
            JobCount(kind=kind.name, lane=lane, status=status, jobs=counts.get((lane, status), 0))
            for lane, status in product(Lane.values, kind.statuses)
        ],
        update_conflicts=True,
        unique_fields=("kind", "lane", "status"),
        update_fields=("jobs",),
    )


def purge_hours(kind: JobKind[Any]) -> None:
    """Delete the hours of a kind that no page shows any more."""
    chunks.delete(JobHour.objects.filter(kind=kind.name, hour__lt=Now() - HOURS_KEPT))
