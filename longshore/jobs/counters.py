"""Maintains the counters that the metrics of jobs read.

`JobTotal` counts the jobs that ended. Its rows outlive the jobs, because counters must not
decrease. `JobCount` holds the number of stored jobs as of the last recount: counting a million
jobs takes half a second, too long for a scrape.
"""

from itertools import product
from typing import Any

from django.db import connection
from django.db.models import Count
from psycopg import sql

from longshore.jobs.kinds import JobKind
from longshore.jobs.models import Job, JobCount
from longshore.jobs.statuses import Lane

# Upper bounds in seconds of the buckets of job durations.
BUCKETS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, float("inf"))

# Every column is qualified: the table of a kind of job may have columns of the same names.
_ADD = sql.SQL(
    """
INSERT INTO longshore_jobs_jobtotal AS total
    (kind, lane, status, bucket, jobs, rows, bytes, seconds)
SELECT %s, job.lane, job.status,
    (
        SELECT min(bucket.seconds) FROM unnest(%s::float8[]) AS bucket (seconds)
        WHERE bucket.seconds >= duration.seconds
    ),
    1, size.rows, size.bytes, duration.seconds
FROM {jobs} AS job,
    LATERAL (
        SELECT greatest(0, coalesce(extract(epoch FROM job.completed_at - job.started_at), 0))
            ::float8 AS seconds
    ) AS duration,
    LATERAL (
        SELECT CASE WHEN job.status = 'completed' THEN job.records_count ELSE 0 END AS rows,
            CASE WHEN job.status = 'completed' THEN job.stored_bytes ELSE 0 END AS bytes
    ) AS size
WHERE job.number = %s
ON CONFLICT (kind, lane, status, bucket) DO UPDATE SET
    jobs = total.jobs + 1,
    rows = total.rows + excluded.rows,
    bytes = total.bytes + excluded.bytes,
    seconds = total.seconds + excluded.seconds
"""
)


def add(kind: JobKind[Any], job: Job) -> None:
    """Count a job that has just ended. Call it in the transaction that ends the job."""
    table = sql.Identifier(kind.job._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(_ADD.format(jobs=table), [kind.name, list(BUCKETS), job.pk])


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
