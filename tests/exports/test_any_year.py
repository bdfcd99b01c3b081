"""Datetimes and dates before the year 1, and infinity, in every format."""

import csv
import io
import json
from typing import Any

import pytest
from django.db import connection
from openpyxl import load_workbook

from exports.execution.preview import preview
from exports.formats.base import FormatLimit
from exports.reading.stream import ExportStream
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.resources.registry import Registry
from tests.samples import SAMPLE, Sample

pytestmark = pytest.mark.django_db(transaction=True)

STORED = {
    "1 first": ("0001-01-01 00:00:00+00", "0001-01-01"),
    "2 before": ("0044-03-15 12:00:00+00 BC", "0044-03-15 BC"),
    "3 year 0": ("0001-06-01 12:00:00+00 BC", "0001-06-01 BC"),
    "4 late": ("10000-01-01 04:59:59+00", "10000-01-01"),
    "5 ever": ("infinity", "infinity"),
    "6 never": ("-infinity", "-infinity"),
}
DATES = ["0001-01-01", "-0043-03-15", "0000-06-01", "10000-01-01", "infinity", "-infinity"]
# New York was 4:56:02 behind UTC; ISO 8601 has no seconds in offsets.
DATETIMES = {
    "UTC": [
        "0001-01-01T00:00:00.000000+00:00",
        "-0043-03-15T12:00:00.000000+00:00",
        "0000-06-01T12:00:00.000000+00:00",
        "10000-01-01T04:59:59.000000+00:00",
        "infinity",
        "-infinity",
    ],
    "America/New_York": [
        "0000-12-31T19:03:58.000000-04:56",
        "-0043-03-15T07:03:58.000000-04:56",
        "0000-06-01T07:03:58.000000-04:56",
        "9999-12-31T23:59:59.000000-05:00",
        "infinity",
        "-infinity",
    ],
}


@pytest.fixture(autouse=True)
def stored_samples(acme: Organization, own_registry: Registry, samples: None) -> None:
    own_registry.register(SAMPLE)
    for key, stored in STORED.items():
        Sample.objects.create(id=key, organization=acme, text="t")
        with connection.cursor() as cursor:
            update = "UPDATE tests_sample SET datetime = %s, date = %s WHERE id = %s"
            cursor.execute(update, [*stored, key])


def body(file_format: str, keys: str = "", **output: Any) -> dict[str, Any]:
    columns = ["id", "datetime", "date"]
    options = {"order_by": "id"} | ({"id": keys} if keys else {})
    return {
        "resource": "sample",
        "format": file_format,
        "options": options,
        "csv_field_options": {"columns": columns, **output},
    }


def file(organization: Organization, request: dict[str, Any]) -> bytes:
    return b"".join(ExportStream(parse_export(request), organization.pk))


def table(organization: Organization, request: dict[str, Any]) -> list[list[Any]]:
    """Return the texts of `datetime` and `date` of each row."""
    content = file(organization, request)
    match request["format"]:
        case "csv":
            return [row[1:] for row in csv.reader(io.StringIO(content.decode()))][1:]
        case "json":
            return [[row["datetime"], row["date"]] for row in json.loads(content)]
        case _:
            rows = map(json.loads, content.splitlines())
            return [[row["datetime"], row["date"]] for row in rows]


@pytest.mark.parametrize("zone", DATETIMES)
@pytest.mark.parametrize("file_format", ["csv", "json", "jsonl"])
def test_text_formats_write_astronomical_years_and_infinity(
    file_format: str, zone: str, acme: Organization
) -> None:
    request = body(file_format, timezone=zone)
    expected = [list(row) for row in zip(DATETIMES[zone], DATES, strict=True)]
    assert table(acme, request) == expected
    rows = [json.loads(row) for row in preview(parse_export(request), acme.pk).rows]
    texts = [row[1:] if isinstance(row, list) else [row["datetime"], row["date"]] for row in rows]
    assert texts == expected


@pytest.mark.parametrize("zone", DATETIMES)
def test_a_spreadsheet_has_texts_for_values_that_excel_cannot_show(
    zone: str, acme: Organization
) -> None:
    request = body("xlsx", timezone=zone)
    sheet = load_workbook(io.BytesIO(file(acme, request))).active
    rows = [row[1:] for row in sheet.iter_rows(min_row=2, values_only=True)]
    late = "9999-12-31T23:59:59" if zone != "UTC" else DATETIMES[zone][3]
    assert [row[1] for row in rows] == DATES
    assert [str(row[0]) for row in rows][:3] == DATETIMES[zone][:3]
    assert str(rows[3][0]).replace(" ", "T").startswith(late)
    assert [str(row[0]) for row in rows][4:] == DATETIMES[zone][4:]
    assert len(preview(parse_export(request), acme.pk).rows) == len(STORED)


@pytest.mark.parametrize(
    ("pattern", "texts"),
    [
        ("yyyy-MM-dd", DATES),
        ("y", ["1", "-43", "0", "10000", "infinity", "-infinity"]),
        ("yy", ["01", "43", "00", "00", "infinity", "-infinity"]),
        ("yyyy G", ["0001 AD", "0044 BC", "0001 BC", "10000 AD", "infinity", "-infinity"]),
        ("'T'", ["T", "T", "T", "T", "infinity", "-infinity"]),
        ("VV", ["UTC", "UTC", "UTC", "UTC", "infinity", "-infinity"]),
    ],
)
def test_patterns_write_astronomical_years_unless_they_have_an_era(
    pattern: str, texts: list[str], acme: Organization
) -> None:
    for file_format in ("csv", "jsonl"):
        rows = table(acme, body(file_format, datetime_format=pattern))
        assert [at for at, _ in rows] == texts


@pytest.mark.parametrize("key", ["2 before", "4 late", "5 ever", "6 never"])
def test_parquet_refuses_values_out_of_its_range_and_names_the_column(
    key: str, acme: Organization
) -> None:
    for column in ("datetime", "date"):
        request = body("parquet", key, columns=["id", column])
        with pytest.raises(FormatLimit, match=f"The column '{column}' does not fit into Parquet"):
            file(acme, request)
    assert file(acme, body("parquet", "1 first"))
