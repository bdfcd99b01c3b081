"""Servers and records of the benchmarks. Imports Django only where a function needs it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from longshore.domains.logistics.models.base import Record

ORGANIZATION = "benchmark"
# The columns of a shipment that are exported, in this order.
DATETIMES = ("created_at", "updated_at", "estimated_delivery_at")
JSON = ("recipient", "parcels", "metadata")
COLUMNS = (
    "id", "tracking_number", "status", "provider", "type", "order_number", "amount",
    "billed_amount", "currency", "paid", "tracking_url", "location_id", *DATETIMES, *JSON,
)  # fmt: skip
_SEED, _SEED_ROWS = "benchmark-seed", 50_000
# Repeats the rows of the seed under new ids, so that texts and JSON have realistic sizes.
_COPY = """
INSERT INTO {table} ({columns}) SELECT {values} FROM {table} WHERE organization_id = %s LIMIT %s"""
_SEARCH_INDEXES = """
SELECT indexname FROM pg_indexes WHERE tablename = %s AND indexdef LIKE '%% USING gin %%'"""
_GROUPS = 20
_JOIN_GROUPS = """
INSERT INTO longshore_logistics_contactgroup (contact_id, group_id)
SELECT contact.id, "group".id
FROM (SELECT id, row_number() OVER () AS number FROM longshore_logistics_contact
      WHERE organization_id = %(organization)s AND NOT EXISTS
      (SELECT FROM longshore_logistics_contactgroup
       WHERE contact_id = longshore_logistics_contact.id)) AS contact
JOIN (SELECT id, row_number() OVER () AS number FROM longshore_logistics_group
      WHERE organization_id = %(organization)s) AS "group"
ON "group".number - 1 IN (contact.number %% %(groups)s, (contact.number + 7) %% %(groups)s)"""


@contextmanager
def servers(*, durable: bool = False) -> Iterator[None]:
    """Run PostgreSQL and Valkey in a temporary folder, and set up Django with them.

    durable: flush each commit to the disk, for benchmarks that write.
    """
    with tempfile.TemporaryDirectory(prefix="longshore-") as folder:
        os.environ |= {"LOCAL_DIR": folder, "ENV_FILE": os.devnull, "DATABASE_URL": ""}
        os.environ |= {"BROKER_URL": "", "CACHE_URL": "", "AWS_STORAGE_BUCKET_NAME": ""}
        os.environ["DJANGO_SETTINGS_MODULE"] = "exports_project.settings"
        # A line for each export would hide the progress.
        os.environ.setdefault("LOG_LEVEL", "WARNING")
        from exports_project.embedded import servers

        with servers.running(Path(folder), durable=durable):
            import django
            from django.core.management import call_command

            django.setup()
            call_command("migrate", verbosity=0)
            yield


def fill(rows: int) -> None:
    """Add shipments until the benchmark's organization has `rows`, and analyze the table."""
    from longshore.domains.logistics.models import Shipment

    _fill(Shipment, "ship", rows)


def fill_contacts(rows: int) -> None:
    """Add contacts until the organization has `rows`, each in two of twenty groups."""
    from django.db import connection

    from longshore.accounts.models import Organization
    from longshore.domains.logistics.models import Contact, Group

    _fill(Contact, "ctct", rows)
    ours = Organization.objects.get(slug=ORGANIZATION)
    for number in range(_GROUPS):
        Group.objects.get_or_create(organization=ours, name=f"Group {number}")
    with connection.cursor() as cursor:
        cursor.execute(_JOIN_GROUPS, {"organization": ours.pk, "groups": _GROUPS})
        cursor.execute(
            "VACUUM (FREEZE, ANALYZE) longshore_logistics_contactgroup, longshore_logistics_group"
        )


def _fill(model: "type[Record]", prefix: str, rows: int) -> None:
    from django.core.management import call_command
    from django.db import connection

    from longshore.accounts.models import Organization
    from longshore.resources.columns import column_name

    if not Organization.objects.filter(slug=_SEED).exists():
        call_command("demo_data", rows=_SEED_ROWS, organization=_SEED, verbosity=0)
    seed = Organization.objects.get(slug=_SEED)
    ours, _ = Organization.objects.get_or_create(slug=ORGANIZATION, name=ORGANIZATION)
    records = model._default_manager
    present = records.filter(organization=ours).count()
    seed_rows = records.filter(organization=seed).count()
    fields = [f for f in model._meta.concrete_fields if f.name != "search_text"]
    columns = {column_name(field): column_name(field) for field in fields}
    table = model._meta.db_table
    with connection.cursor() as cursor:
        # The indexes for searches of the admin take most of the time of filling a table.
        cursor.execute(_SEARCH_INDEXES, [table])
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP INDEX "{name}"')
        # Copy the whole seed at a time: compression would profit from equal neighboring rows.
        while present < rows:
            number = f"({present} + row_number() OVER ())::text"
            columns |= {"id": f"'{prefix}_' || lpad({number}, 22, '0')"}
            columns |= {"organization_id": f"'{ours.pk}'"}
            names, values = ", ".join(columns), ", ".join(columns.values())
            # With a higher limit, PostgreSQL would search the whole table for more rows.
            missing = min(rows - present, seed_rows)
            cursor.execute(
                _COPY.format(table=table, columns=names, values=values), [seed.pk, missing]
            )
            present += cursor.rowcount
        cursor.execute(f"VACUUM (FREEZE, ANALYZE) {table}")
