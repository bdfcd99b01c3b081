"""Several ways to write 18 columns of shipments to a CSV file.

Each function takes a number of rows and returns the size of the file in bytes. Three columns are
datetimes in a time zone, three are JSON.
"""

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from rest_framework import serializers

from benchmarks import names
from benchmarks.data import COLUMNS, DATETIMES, JSON, ORGANIZATION
from exports.execution import runner
from exports.lifecycle.creation import create
from exports.request.parser import parse_export
from exports.sql.compiler import compile_export
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Shipment
from longshore.files.storage import file_storage

ZONE = "America/New_York"


def body(rows: int) -> dict[str, Any]:
    """Return the request. It has a limit only if the table has more rows."""
    total = Shipment.objects.filter(organization__slug=ORGANIZATION).count()
    return {
        "resource": "shipment",
        "compression": "gzip",
        "options": {} if rows >= total else {"limit": rows},
        "csv_field_options": {
            "timezone": ZONE,
            "datetime_format": "yyyy-MM-dd HH:mm:ss",
            "columns": list(COLUMNS),
        },
    }


def server_copy(rows: int) -> int:
    """COPY of the same SQL to /dev/null on the server: the lower bound of any client."""
    return copied(body(rows))


def copied(request: dict[str, Any]) -> int:
    """COPY the rows of a request to /dev/null on the server."""
    spec = parse_export(request)
    statement = compile_export(spec, Organization.objects.get(slug=ORGANIZATION).pk)
    copy = statement.copy.as_string(None).replace("TO STDOUT", "TO '/dev/null'")
    with connection.cursor() as cursor:
        for name, value in statement.settings.items():
            cursor.execute("SELECT set_config(%s, %s, false)", [name, value])
        cursor.execute(copy)
    return 0


def longshore(rows: int) -> int:
    return exported(body(rows), rows)


def exported(request: dict[str, Any], rows: int) -> int:
    """Run an export: claim, stream, compress, hash, store, verify, complete."""
    organization = Organization.objects.get(slug=ORGANIZATION)
    with patch("longshore.jobs.actions.enqueue"):  # No worker shall run it.
        export, _ = create(organization, None, request, parse_export(request))
    runner.run(export.pk)
    export.refresh_from_db()
    file = export.files.get()
    file_storage.delete(file.storage_key)  # Otherwise the next run waits for the disk.
    if file.rows != rows:
        raise SystemExit(f"{file.rows} rows instead of {rows}")
    return file.bytes


def iterator_loop(rows: int) -> int:
    """`values_list().iterator()`, a `csv.writer` and gzip."""
    zone = ZoneInfo(ZONE)
    path = Path(settings.LOCAL_DIR) / "iterator.csv.gz"
    queryset = Shipment.objects.filter(organization__slug=ORGANIZATION).order_by()
    dates = [COLUMNS.index(name) for name in DATETIMES]
    documents = [COLUMNS.index(name) for name in JSON]
    with gzip.open(path, "wt", compresslevel=6, newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for record in queryset.values_list(*COLUMNS)[:rows].iterator(chunk_size=2000):
            row = list(record)
            for index in dates:
                if row[index] is not None:
                    row[index] = row[index].astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
            for index in documents:
                row[index] = json.dumps(row[index])
            writer.writerow(row)
    return path.stat().st_size


def import_export(rows: int) -> int:
    """django-import-export: a ModelResource with its dataset in memory."""
    from import_export.resources import ModelResource, modelresource_factory

    resource: ModelResource = modelresource_factory(Shipment)()
    fields = {name: resource.fields[name.removesuffix("_id")] for name in COLUMNS}
    resource.fields = {field.column_name: field for field in fields.values()}
    resource._meta.fields = list(resource.fields)
    queryset = Shipment.objects.filter(organization__slug=ORGANIZATION).order_by()[:rows]
    return len(gzip.compress(resource.export(queryset).csv.encode(), 6))


class ShipmentSerializer(serializers.ModelSerializer[Shipment]):
    class Meta:
        model = Shipment
        fields = tuple(name.removesuffix("_id") for name in COLUMNS)


def serializer_loop(rows: int) -> int:
    """A ModelSerializer of REST framework per record, and a `csv.DictWriter`."""
    queryset = Shipment.objects.filter(organization__slug=ORGANIZATION).order_by()[:rows]
    text = io.StringIO()
    writer = csv.DictWriter(text, ShipmentSerializer.Meta.fields)
    writer.writeheader()
    for shipment in queryset.iterator(chunk_size=2000):
        writer.writerow(ShipmentSerializer(shipment).data)
    return len(gzip.compress(text.getvalue().encode(), 6))


CONTENDERS: dict[str, Callable[[int], int]] = {
    names.SERVER: server_copy,
    names.EXPORT: longshore,
    names.ITERATOR: iterator_loop,
    names.IMPORT_EXPORT: import_export,
    names.SERIALIZER: serializer_loop,
}
