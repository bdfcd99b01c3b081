import django.db.models.expressions
from django.db import migrations, models

# What `longshore.jobs.counters.add` would have counted. Of an expired export, only the files say
# how many bytes it had.
_COUNT = """
INSERT INTO longshore_jobs_jobhour (organization_id, hour, kind, status, jobs, rows, bytes)
SELECT ended.organization_id, ended.hour, 'export', ended.status, count(*), sum(ended.rows),
    sum(ended.bytes)
FROM (
    SELECT export.organization_id, date_trunc('hour', export.completed_at, 'UTC') AS hour,
        CASE WHEN done.once THEN 'completed' ELSE export.status END AS status,
        CASE WHEN done.once THEN coalesce(export.records_count, 0) ELSE 0 END AS rows,
        CASE WHEN done.once THEN coalesce((
            SELECT sum(file.bytes) FROM exports_exportfile AS file
            WHERE file.export_id = export.number
        ), 0) ELSE 0 END AS bytes
    FROM exports_export AS export,
        LATERAL (SELECT export.status IN ('completed', 'expired') AS once) AS done
    WHERE export.completed_at > now() - interval '31 days'
        AND export.status IN ('completed', 'expired', 'failed', 'timed_out', 'canceled')
) AS ended
GROUP BY ended.organization_id, ended.hour, ended.status
ON CONFLICT DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [
        ("exports", "0003_search"),
        ("longshore_accounts", "0001_initial"),
        ("longshore_jobs", "0003_job_hours"),
    ]

    operations = [
        migrations.RunSQL(_COUNT, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(
                models.OrderBy(models.F("completed_at"), descending=True),
                models.F("organization"),
                condition=models.Q(
                    ("deleted_at__isnull", True), ("status__in", ("failed", "timed_out"))
                ),
                name="export_failed",
            ),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(
                models.OrderBy(
                    django.db.models.expressions.CombinedExpression(
                        models.F("completed_at"), "-", models.F("started_at")
                    ),
                    descending=True,
                ),
                models.F("completed_at"),
                models.F("organization"),
                condition=models.Q(
                    ("deleted_at__isnull", True),
                    ("started_at__isnull", False),
                    ("status__in", ("completed", "expired")),
                ),
                name="export_slowest",
            ),
        ),
    ]
