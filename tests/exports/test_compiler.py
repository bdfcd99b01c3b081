"""The statement of an export: which rows, in which order, and what each cell shows."""

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from exports.request.parser import parse_export
from exports.sql.compiler import compile_count, compile_export
from longshore.accounts.models import Organization
from longshore.resources.registry import Registry, registry
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
    """The cells of a CSV as lists, or the objects of a JSON, read on the test's connection."""
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


def test_the_same_spec_gives_the_same_statement(acme: Organization) -> None:
    body = {"resource": "shipment", "options": {"search": "smith", "limit": 3}}
    once, again = (compile_export(parse_export(body), acme.pk) for _ in range(2))
    assert once.copy.as_string(None) == again.copy.as_string(None)
    assert once.settings["TimeZone"] == "UTC"
    headers = [column.header for column in once.columns]
    assert headers == [column.header for column in parse_export(body).columns]


def test_a_resource_that_is_gone_is_said(own_registry: Registry, acme: Organization) -> None:
    spec = parse_export({"resource": "shipment"})
    own_registry._resources.pop("shipment")
    with pytest.raises(LookupError, match="there is no resource 'shipment' any more"):
        compile_export(spec, acme.pk)
    with pytest.raises(LookupError):
        compile_count(spec, acme.pk)


@pytest.mark.parametrize("name", registry.names())
@pytest.mark.parametrize("file_format", ["csv", "json", "jsonl"])
def test_every_column_of_every_resource_can_be_read(
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
def test_order_and_limit(options: dict[str, Any], ids: str, acme: Organization) -> None:
    assert rows(acme, "shipment", "id", options=options) == [[key] for key in ids]


def test_columns_stand_as_chosen_under_their_headers(acme: Organization) -> None:
    ShipmentFactory(organization=acme, id="s", status="lost", notes="n")
    headers = {"notes": 'My "Notes", 1', "status": True, "id": "Shipment ID", "type": False}
    output = {"columns": headers, "column_order": ["id"]}
    (row,) = rows(acme, "shipment", output=output, format="json")
    assert list(row.items()) == [("Shipment ID", "s"), ('My "Notes", 1', "n"), ("status", "lost")]


def test_datetimes_are_shown_in_the_zone_and_pattern(acme: Organization) -> None:
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
def test_json_is_merged_to_a_text_and_kept_in_json(
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


def test_a_to_one_relation_without_a_label_shows_its_key(acme: Organization) -> None:
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


def test_records_that_are_no_resource_are_shown_too(acme: Organization) -> None:
    order = FulfillmentFactory(organization=acme)
    ArticleFactory(fulfillment=order, name="Bolt", value="1.50", requested_qty=3)
    LevelFactory(item=ItemFactory(organization=acme), layout_name="Shelf", verified_qty=7)
    ((articles, quantities),) = rows(acme, "fulfillment", "articles", "articles.requested_qty")
    assert (articles, quantities) == ("Bolt", "3")
    ((level,),) = [row["levels"] for row in rows(acme, "item", "levels", format="json")]
    assert (level["layout_name"], level["verified_qty"]) == ("Shelf", 7)


def test_cells_never_show_another_organizations_records(
    acme: Organization, globex: Organization
) -> None:
    place = LocationFactory(organization=globex, name="Secret")
    group = GroupFactory(organization=globex, name="Secret")
    contact = ContactFactory(organization=globex, name="Secret", groups=[group])
    ContactFactory(organization=acme, groups=[group], locations=[place])
    ShipmentFactory(organization=acme, location=place, destination_contact=contact)
    TrackerFactory(organization=acme, destination_location=place, sender_contact=contact)
    GroupFactory(organization=acme, location=place, parent=group)
    for name in ("contact", "shipment", "tracker", "group"):
        for file_format in ("csv", "jsonl"):
            shown = rows(acme, name, output={"columns": None}, format=file_format)
            assert len(shown) == 1
            assert "Secret" not in json.dumps(shown)


def test_a_single_column_without_a_value_is_still_a_row(acme: Organization) -> None:
    ContactFactory(organization=acme, name="", email=None, metadata=[])
    for column in ("name", "email", "groups", "metadata", "alternate_names", "address"):
        assert rows(acme, "contact", column) == [[""]]
