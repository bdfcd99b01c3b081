"""Servers of the benchmarks' own, with as many shipments as they ask for."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ORGANIZATION = "benchmark"
_SEED, _SEED_ROWS = "benchmark-seed", 50_000
# Rows of the seed over and over: texts and JSON of real sizes, under ids of their own.
_COPY = """
INSERT INTO logistics_shipment ({columns})
SELECT {values} FROM logistics_shipment, generate_series(1, {times}) AS copy
WHERE organization_id = %s LIMIT %s"""


@contextmanager
def servers() -> Iterator[None]:
    """PostgreSQL and Valkey in a temporary folder, which the settings then use."""
    with tempfile.TemporaryDirectory(prefix="longshore-") as folder:
        os.environ |= {"LOCAL_DIR": folder, "ENV_FILE": os.devnull, "DATABASE_URL": ""}
        os.environ |= {"BROKER_URL": "", "CACHE_URL": "", "AWS_STORAGE_BUCKET_NAME": ""}
        os.environ["DJANGO_SETTINGS_MODULE"] = "exports_project.settings"
        from exports_project.embedded import servers

        with servers.running(Path(folder), durable=False):
            import django
            from django.core.management import call_command

            django.setup()
            call_command("migrate", verbosity=0)
            yield


def fill(rows: int) -> None:
    """Exactly `rows` shipments of the benchmark's organization, analyzed; more each time."""
    from django.core.management import call_command
    from django.db import connection

    from accounts.models import Organization
    from resources.columns import column_name
    from resources.logistics.models import Shipment

    if not Organization.objects.filter(slug=_SEED).exists():
        call_command("demo_data", rows=_SEED_ROWS, organization=_SEED, verbosity=0)
    seed = Organization.objects.get(slug=_SEED)
    ours, _ = Organization.objects.get_or_create(slug=ORGANIZATION, name=ORGANIZATION)
    present = Shipment.objects.filter(organization=ours).count()
    fields = [f for f in Shipment._meta.concrete_fields if f.name != "search_text"]
    values = {column_name(field): column_name(field) for field in fields} | {
        "id": f"'ship_' || lpad(({present} + row_number() OVER ())::text, 22, '0')",
        "organization_id": f"'{ours.pk}'",
    }
    times = (rows - present) // Shipment.objects.filter(organization=seed).count() + 1
    sql = _COPY.format(columns=", ".join(values), values=", ".join(values.values()), times=times)
    with connection.cursor() as cursor:
        cursor.execute(sql, [seed.pk, rows - present])
        cursor.execute("VACUUM (FREEZE, ANALYZE) logistics_shipment")
