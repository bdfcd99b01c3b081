"""The compiled statement of an export: its rows, their order, and the values of the cells."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from exports.request.parser import parse_export
from exports.sql.compiler import compile_count, compile_export
from longshore.accounts.models import Organization
from longshore.jobs.specs import ObsoleteSpec
from longshore.resources.registry import registry
from tests.factories import (
    ArticleFactory,
    ContactFactory,
    FulfillmentFactory,
    GroupFactory,
    ItemFactory,
    LevelFactory,
    LocationFactory,
    ManifestFactory,
    ShipmentFactory,
    TrackerFactory,
)

pytestmark = pytest.mark.django_db
CREATED = datetime(2024, 7, 4, 12, 30, tzinfo=UTC)


def rows(organization: Organization, resource: str, *columns: str, **body: Any) -> Any:
    """Return the cells of CSV as lists, or the objects of JSON, read on the test's connection.

    Also compares the number of rows with that of `compile_count`.
    """
    output = {"columns": list(columns)} | body.pop("output", {})
    spec = parse_export({"resource": resource, "csv_field_options": output, **body})
    statement = compile_export(spec, organization.pk)
    with connection.cursor() as wrapper:
        for name, value in statement.settings.items():
            wrapper.execute("SELECT set_config(%s, %s, true)", [name, value])
        with wrapper.cursor.copy(statement.copy) as copy:
            lines = [bytes(line).decode() for line in copy]
        wrapper.execute(compile_count(spec, organization.pk).as_string(None))
        assert wrapper.fetchone() == (len(lines),)
    if spec.format == "csv":
        return list(csv.reader(io.StringIO("".join(lines), newline="")))
    return [json.loads(line) for line in lines]


def test_equal_specs_compile_to_equal_statements(acme: Organization) -> None:
    body = {"resource": "shipment", "options": {"search": "smith", "limit": 3}}
    first, second = (compile_export(parse_export(body), acme.pk) for _ in range(2))
    assert first.copy.as_string(None) == second.copy.as_string(None)
    assert first.settings["TimeZone"] == "UTC"
    headers = [column.header for column in first.columns]
    assert headers == [column.header for column in parse_export(body).columns]


def test_compiling_a_resource_that_is_not_registered_raises_obsolete_spec(
    acme: Organization,
) -> None:
    spec = replace(parse_export({"resource": "shipment"}), resource="unknown")
    with pytest.raises(ObsoleteSpec, match="the resource 'unknown' does not exist any more"):
        compile_export(spec, acme.pk)
    with pytest.raises(ObsoleteSpec):
        compile_count(spec, acme.pk)


@pytest.mark.parametrize("name", registry.names())
@pytest.mark.parametrize("file_format", ["csv", "json", "jsonl"])
@pytest.mark.slow
def test_the_statement_of_all_columns_runs_for_every_resource(
    name: str, file_format: str, acme: Organization
) -> None:
    assert rows(acme, name, output={"columns": None}, format=file_format) == []


@pytest.fixture
def fees(acme: Organization) -> None:
    for key, fee, status, day in [("a", 2, "lost", 1), ("b", None, "lost", 2), ("c", 1, "lost", 3)]:
        created = CREATED.replace(day=day)
        ShipmentFactory(organization=acme, id=key, fee=fee, status=status, created_at=created)
    ShipmentFactory(organization=acme, id="d", fee=2, status="created", created_at=CREATED)


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ({"order_by": "fee"}, "cadb"),
        ({"order_by": "fee", "direction": "desc"}, "dacb"),
        ({"order_by": "-fee"}, "dacb"),
        ({"order_by": "-fee", "direction": "desc"}, "cadb"),
        ({"order_by": "status,fee"}, "dcab"),
        ({"order_by": "status,-fee"}, "dacb"),
        ({"order_by": ["-status", "created_at"]}, "abcd"),
        ({"direction": "asc"}, "abcd"),
        ({"direction": "desc"}, "dcba"),
        ({"limit": 2}, "dc"),
        ({"limit": "1", "order_by": "id"}, "a"),
        ({"limit": 2, "status": "lost", "direction": "asc"}, "ab"),
        ({"limit": 10, "order_by": "id"}, "abcd"),
    ],
)
@pytest.mark.usefixtures("fees")
def test_order_and_limit_select_the_rows(
    options: dict[str, Any], ids: str, acme: Organization
) -> None:
    assert rows(acme, "shipment", "id", options=options) == [[key] for key in ids]


def test_columns_have_the_requested_order_and_headers(acme: Organization) -> None:
    ShipmentFactory(organization=acme, id="s", status="lost", notes="n")
    headers = {"notes": 'My "Notes", 1', "status": True, "id": "Shipment ID", "type": False}
    output = {"columns": headers, "column_order": ["id"]}
    (row,) = rows(acme, "shipment", output=output, format="json")
    assert list(row.items()) == [("Shipment ID", "s"), ('My "Notes", 1', "n"), ("status", "lost")]


def test_datetimes_have_the_requested_time_zone_and_pattern(acme: Organization) -> None:
    ShipmentFactory(organization=acme, created_at=CREATED, pickup_at=None)
    for file_format, null in (("csv", ""), ("jsonl", None)):
        for zone, pattern, text in [
            ("UTC", None, "2024-07-04T12:30:00.000000+00:00"),
            ("America/New_York", None, "2024-07-04T08:30:00.000000-04:00"),
            ("Asia/Kolkata", "dd.MM.yyyy HH:mm", "04.07.2024 18:00"),
        ]:
            output = {"columns": ["created_at", "pickup_at"], "timezone": zone}
            output |= {"datetime_format": pattern} if pattern else {}
            (row,) = rows(acme, "shipment", output=output, format=file_format)
            assert list(row if isinstance(row, list) else row.values()) == [text, null]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": 1, "b": [None]}, '{"a": 1, "b": [null]}'),
        (["x", 1, 1.50, True, None, ""], "x, 1, 1.5, true, , "),
        ([[1, 2], 3], "[[1, 2], 3]"),
        ([{"a": 1}], '[{"a": 1}]'),
        ([], ""),
        ("text", "text"),
        ("", ""),
        (12.25, "12.25"),
        (False, "false"),
        ({}, "{}"),
    ],
)
def test_json_columns_are_merged_in_csv_and_keep_their_structure_in_json(
    value: Any, text: str, acme: Organization
) -> None:
    ShipmentFactory(organization=acme, metadata=value)
    assert rows(acme, "shipment", "metadata", "id")[0][0] == text
    assert rows(acme, "shipment", "metadata", format="jsonl") == [{"metadata": value}]


def test_relations_are_labels_in_csv_and_objects_in_json(acme: Organization) -> None:
    hall = LocationFactory(organization=acme, id="hall", name='Hall, "A"')
    crew = GroupFactory(organization=acme, id="crew", name="Crew")
    dock = GroupFactory(organization=acme, id="dock", name="Dock", location=hall)
    ContactFactory(organization=acme, name="both", groups=[dock, crew], locations=[hall])
    ContactFactory(organization=acme, name="none")
    columns = ("name", "groups", "groups.location_id", "locations.name")
    options = {"order_by": "name"}
    assert rows(acme, "contact", *columns, options=options) == [
        ["both", "Crew, Dock", ", hall", '"Hall, ""A"""'],
        ["none", "", "", ""],
    ]
    assert rows(acme, "contact", *columns, options=options, format="json") == [
        {
            "name": "both",
            "groups": [
                {"id": "crew", "name": "Crew", "location_id": None},
                {"id": "dock", "name": "Dock", "location_id": "hall"},
            ],
            "groups.location_id": [None, "hall"],
            "locations.name": ['Hall, "A"'],
        },
        {"name": "none", "groups": [], "groups.location_id": [], "locations.name": []},
    ]


def test_a_related_record_without_a_label_is_shown_by_its_key(acme: Organization) -> None:
    manifest = ManifestFactory(organization=acme, id="m", reference_number=None)
    ShipmentFactory(organization=acme, id="a", manifest=manifest)
    ShipmentFactory(organization=acme, id="b")
    columns, options = ("id", "manifest", "manifest.status"), {"order_by": "id"}
    assert rows(acme, "shipment", *columns, options=options) == [
        ["a", "m", "created"],
        ["b", "", ""],
    ]
    with_manifest, without = rows(acme, "shipment", *columns, options=options, format="jsonl")
    assert with_manifest["manifest"] == {"id": "m", "reference_number": None, "status": "created"}
    assert without == {"id": "b", "manifest": None, "manifest.status": None}


def test_related_records_that_are_not_a_resource_are_exported(acme: Organization) -> None:
    order = FulfillmentFactory(organization=acme)
    ArticleFactory(fulfillment=order, name="Bolt", value="1.50", requested_qty=3)
    LevelFactory(item=ItemFactory(organization=acme), layout_name="Shelf", verified_qty=7)
    ((articles, quantities),) = rows(acme, "fulfillment", "articles", "articles.requested_qty")
    assert (articles, quantities) == ("Bolt", "3")
    ((level,),) = [row["levels"] for row in rows(acme, "item", "levels", format="json")]
    assert (level["layout_name"], level["verified_qty"]) == ("Shelf", 7)


def test_cells_show_no_related_record_of_another_organization(
    acme: Organization, globex: Organization
) -> None:
    location = LocationFactory(organization=globex, name="Secret")
    group = GroupFactory(organization=globex, name="Secret")
    contact = ContactFactory(organization=globex, name="Secret", groups=[group])
    ContactFactory(organization=acme, groups=[group], locations=[location])
    ShipmentFactory(organization=acme, location=location, destination_contact=contact)
    TrackerFactory(organization=acme, destination_location=location, sender_contact=contact)
    GroupFactory(organization=acme, location=location, parent=group)
    for name in ("contact", "shipment", "tracker", "group"):
        for file_format in ("csv", "jsonl"):
            exported = rows(acme, name, output={"columns": None}, format=file_format)
            assert len(exported) == 1
            assert "Secret" not in json.dumps(exported)


def test_a_row_of_one_empty_cell_is_not_an_empty_line(acme: Organization) -> None:
    ContactFactory(organization=acme, name="", email=None, metadata=[])
    for column in ("name", "email", "groups", "metadata", "alternate_names", "address"):
        assert rows(acme, "contact", column) == [[""]]
