"""Values of types that most projects do not have, in all formats, previews, filters and flatten."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import models

from exports.execution.preview import preview
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.api.errors import InvalidInput
from longshore.resources.field_sql import is_zoneless
from tests.awkward.files import rows
from tests.awkward.models import Typed

FORMATS = ("csv", "json", "jsonl", "parquet", "xlsx")
MOMENT = datetime(2024, 7, 4, 12, 30, tzinfo=UTC)
IN_PARIS = "2024-07-04T14:30:00.000000+02:00"
PARIS = {"output": {"timezone": "Europe/Paris"}}
BYTES = bytes(range(256))


@pytest.fixture
def typed(awkward: None, acme: Organization) -> Typed:
    record = Typed.objects.create(
        organization=acme,
        mood="happy",
        free_mood="sad",
        matrix=[[1, 2], [3, 4]],
        moments=[MOMENT, None],
        days=[date(2024, 7, 4)],
        flags=[True, False, None],
        moods=["sad", "happy"],
        blobs=[b"\x00", BYTES],
        local=MOMENT,
        blob=BYTES,
        attributes={"size": "L", "none": None},
    )
    Typed.objects.create(organization=acme, moments=[], flags=[])
    assert isinstance(record, Typed)
    return record


def base64(content: bytes) -> str:
    from base64 import b64encode

    return b64encode(content).decode()


TABLE: dict[str, Any] = {
    "mood": "happy",
    "free_mood": "sad",
    "matrix": "[[1, 2], [3, 4]]",
    "days": "2024-07-04",
    "flags": "true, false, ",
    "moods": "sad, happy",
    "blobs": f"AA==, {base64(BYTES)}",
    "moments": f"{IN_PARIS}, ",
    "blob": base64(BYTES),
    "attributes": '{"none": null, "size": "L"}',
}
JSON: dict[str, Any] = {
    "mood": "happy",
    "free_mood": "sad",
    "matrix": [[1, 2], [3, 4]],
    "days": ["2024-07-04"],
    "flags": [True, False, None],
    "moods": ["sad", "happy"],
    "blobs": ["AA==", base64(BYTES)],
    "moments": [IN_PARIS, None],
    "blob": base64(BYTES),
    "attributes": {"none": None, "size": "L"},
    "local": IN_PARIS,
}
EXPECTED: dict[str, dict[str, Any]] = {
    "csv": TABLE | {"local": IN_PARIS},
    "xlsx": TABLE | {"local": datetime(2024, 7, 4, 14, 30)},
    "json": JSON,
    "jsonl": JSON,
    "parquet": JSON
    | {
        "matrix": "[[1, 2], [3, 4]]",
        "flags": ["true", "false", None],
        "attributes": '{"none": null, "size": "L"}',
        "local": MOMENT,
    },
}


@pytest.mark.slow
@pytest.mark.parametrize("file_format", FORMATS)
def test_values_in_every_format(file_format: str, typed: Typed, acme: Organization) -> None:
    options = {"id": str(typed.pk)}
    [row] = rows(acme, "typed", file_format, *TABLE, "local", options=options, **PARIS)
    assert row == EXPECTED[file_format]


@pytest.mark.parametrize("file_format", FORMATS)
def test_null_and_empty_values(file_format: str, typed: Typed, acme: Organization) -> None:
    columns = ("moments", "flags", "matrix", "blob", "attributes", "local", "mood")
    options = {"id": f"not_equals:{typed.pk}"}
    [row] = rows(acme, "typed", file_format, *columns, options=options)
    null = "" if file_format == "csv" else None
    empty: Any = "" if file_format in ("csv", "xlsx") else []
    assert [*row.values()] == [empty, empty, *[null] * 5]


def test_flattened_values(typed: Typed, acme: Organization) -> None:
    output = {"properties": "flatten", "timezone": "Europe/Paris"}
    columns = ("matrix", "moments", "flags", "attributes", "days")
    options = {"id": str(typed.pk)}
    [row] = rows(acme, "typed", "csv", *columns, output=output, options=options)
    assert row == {
        "matrix.0.0": "1",
        "matrix.0.1": "2",
        "matrix.1.0": "3",
        "matrix.1.1": "4",
        "moments.0": IN_PARIS,
        "moments.1": "",
        "flags.0": "true",
        "flags.1": "false",
        "flags.2": "",
        "attributes.none": "",
        "attributes.size": "L",
        "days.0": "2024-07-04",
    }


@pytest.mark.parametrize("file_format", FORMATS)
def test_previews_of_all_columns(file_format: str, typed: Typed, acme: Organization) -> None:
    found = preview(parse_export({"resource": "typed", "format": file_format}), acme.pk)
    assert (len(found.rows), found.records_count) == (2, 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "filters",
    [
        {"mood": "happy"},
        {"free_mood": "sad"},
        {"free_mood": "in:sad,happy"},
        {"flags": "true"},
        {"moods": "sad"},
        {"days": "2024-07-04"},
        {"moments": "2024-07-04T12:30:00.000000+00:00"},
        {"blob": base64(BYTES)},
        {"attributes.size": "L"},
        {"attributes": {"size": "L"}},
        {"matrix": [[1, 2]]},
        {"matrix": "is_not_null"},
        {"local": "2024-07-04T12:30:00Z"},
        {"local": "2024-07-04T14:30:00+02:00"},
        {"local": "gte:2024-07-04"},
        {"local": "bwi:2024-07-04,2024-07-04"},
    ],
    ids=str,
)
def test_filters(filters: dict[str, Any], typed: Typed, acme: Organization) -> None:
    found = rows(acme, "typed", "json", "id", options=filters)
    assert found == [{"id": typed.pk}]


def test_predicates_and_order(typed: Typed, acme: Organization) -> None:
    assert rows(acme, "typed", "json", "id", filters={"free_mood_start": "sa"}) == [
        {"id": typed.pk}
    ]
    ordered = rows(acme, "typed", "json", "id", options={"order_by": "free_mood,mood,local"})
    assert ordered[0] == {"id": typed.pk}


def test_local_time_is_filtered_as_it_is_shown(typed: Typed, acme: Organization) -> None:
    zone = {"csv_field_options": {"timezone": "Europe/Paris"}}
    bounds = {"date_from": "2024-07-04T14:30:00", "date_to": "2024-07-04T14:30:00"}
    spec = parse_export({"resource": "typed", **zone, **bounds})
    found = preview(spec, acme.pk)
    assert found.records_count == 1
    assert MOMENT.astimezone(timezone(timedelta(hours=2))).isoformat() in found.rows[0].replace(
        ".000000", ""
    )


def test_password_is_hidden(typed: Typed, acme: Organization) -> None:
    [row, _] = rows(acme, "typed", "json")
    assert "password" not in row
    for body in ({"fields": ["password"]}, {"filters": {"password_eq": "hash"}}):
        with pytest.raises(InvalidInput):
            parse_export({"resource": "typed", **body})


class Stamp(models.DateTimeField):  # type: ignore[type-arg]
    def __init__(self, db_type: str) -> None:
        super().__init__()
        self._type = db_type

    def db_type(self, connection: object) -> str:
        return self._type


@pytest.mark.parametrize(
    ("db_type", "expected"),
    [
        ("timestamp", True),
        ("timestamp(3) without time zone", True),
        ("timestamptz", False),
        ("timestamp(3) with time zone", False),
    ],
)
def test_a_timestamp_without_a_time_zone_is_recognized(db_type: str, expected: bool) -> None:
    assert is_zoneless(Stamp(db_type)) == expected
