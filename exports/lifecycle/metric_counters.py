"""What all exports that ever ended amount to; their records go, and counters must not go back.

And how many are on record now: of a million, counting takes half a second, so a scrape reads what
was counted at most a minute ago.
"""

from itertools import product

from django.db import connection
from django.db.models import Count

from exports.models import Export, ExportCount, Lane, Status

# Upper limits in seconds of how long an export took; the last one is none.
BUCKETS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, float("inf"))

_ADD = """
INSERT INTO exports_exporttotal AS total (lane, status, le, exports, rows, bytes, seconds)
SELECT lane, status, (SELECT min(le) FROM unnest(%s::float8[]) AS le WHERE le >= seconds),
    1, rows, bytes, seconds
FROM exports_export,
    LATERAL (
        SELECT greatest(0, coalesce(extract(epoch FROM completed_at - started_at), 0))
            ::float8 AS seconds
    ) AS time,
    LATERAL (
        SELECT coalesce(sum(rows), 0) AS rows, coalesce(sum(bytes), 0) AS bytes
        FROM exports_exportfile WHERE export_id = number
    ) AS files
WHERE number = %s
ON CONFLICT (lane, status, le) DO UPDATE SET
    exports = total.exports + 1,
    rows = total.rows + excluded.rows,
    bytes = total.bytes + excluded.bytes,
    seconds = total.seconds + excluded.seconds
"""


def add(export: Export) -> None:
    """Count an export that has just ended, in the transaction that ends it, its files included."""
    with connection.cursor() as cursor:
        cursor.execute(_ADD, [list(BUCKETS), export.pk])


def recount() -> None:
    """Count the exports on record."""
    found = Export.objects.order_by().values_list("lane", "status").annotate(count=Count("pk"))
    counts = {(lane, status): count for lane, status, count in found}
    # Always all of them, in one order: two recounts at a time wait for each other.
    ExportCount.objects.bulk_create(
        [
            ExportCount(lane=lane, status=status, exports=counts.get((lane, status), 0))
            for lane, status in product(Lane.values, Status.values)
        ],
        update_conflicts=True,
        unique_fields=("lane", "status"),
        update_fields=("exports",),
    )
