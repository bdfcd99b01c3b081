"""Includes in tables: columns and repeated rows of the related records."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exports.execution.preview import preview
from exports.lifecycle.creation import count_rows
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact
from longshore.resources.registry import Registry, registry
from tests.conftest import KeyClient
from tests.exports.related import embedded as embedded_of
from tests.exports.related import (
    fill,
    header_of,
    objects,
    related,
    resource,
    rows_of,
    stored,
    table,
)
from tests.factories import (
    ContactFactory,
    GroupFactory,
    LocationFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)
ONE_LEVEL = [(each.name, path) for each in registry for path in each.includable if "." not in path]


@pytest.fixture
def records(acme: Organization, globex: Organization) -> None:
    fill(acme, globex)


@pytest.mark.parametrize("file_format", ["csv", "parquet", "xlsx"])
def test_every_include_exports_the_stored_records_in_tables(
    file_format: str, records: None, acme: Organization
) -> None:
    for name, path in ONE_LEVEL:
        header, *rows = table(acme, name, file_format, includes=[path])
        assert header == header_of(resource(name), path)
        expected = [row for each in stored(name, acme) for row in rows_of(each, path, acme)]
        texts = ([", ".join(c) if isinstance(c, list) else c for c in row] for row in rows)
        actual = [dict(zip(header, row, strict=True)) for row in texts]
        assert [{key: row[key] or None for key in expected[0]} for row in actual] == expected
        spec = parse_export({"resource": name, "format": file_format, "includes": [path]})
        assert count_rows(spec, acme.pk) == len(rows)


@pytest.mark.parametrize("file_format", ["csv", "parquet", "xlsx"])
def test_embedded_records_are_exported_in_tables(
    records: None, acme: Organization, file_format: str
) -> None:
    orders = stored("fulfillment", acme)
    expected = [[article["name"] for article in embedded_of(each, "articles")] for each in orders]
    bodies: list[dict[str, Any]] = [
        {"includes": []},
        {"fields": ["*"]},
        {"includes": ["location"]},
    ]
    for body in bodies:
        header, *rows = table(acme, "fulfillment", file_format, **body)
        cells = [row[header.index("articles")] for row in rows]
        joined = [cell if isinstance(cell, list) else (cell or "").split(", ") for cell in cells]
        assert [sorted(filter(None, each)) for each in joined] == [sorted(e) for e in expected]
    header, *rows = table(acme, "fulfillment", file_format, fields=["id", "articles.name"])
    assert header == ["id", "articles.name"]
    assert [row[1] or None for row in rows] == [
        name for names in expected for name in names or [None]
    ]


def test_to_many_relations_are_repeated_in_turn(acme: Organization) -> None:
    crew, dock = (GroupFactory(organization=acme, name=name) for name in ("Crew", "Dock"))
    yard = LocationFactory.create(organization=acme, name="Yard")
    ContactFactory(organization=acme, name="Ann", groups=[dock, crew], locations=[yard])
    ContactFactory(organization=acme, name="Bo", locations=[yard])
    ContactFactory(organization=acme, name="Cy")
    body: dict[str, Any] = {
        "fields": ["name", "groups.name", "locations.name", "groups.checksum"],
        "options": {"order_by": "name"},
    }
    brief = body | {"fields": body["fields"][:-1]}
    assert table(acme, "contact", "csv", **brief) == [
        ["name", "groups.name", "locations.name"],
        ["Ann", "Crew", ""],
        ["Ann", "Dock", ""],
        ["Ann", "", "Yard"],
        ["Bo", "", "Yard"],
        ["Cy", "", ""],
    ]
    # Computed columns of groups are empty in the rows of locations.
    _, *rows = table(acme, "contact", "csv", **body)
    assert [bool(row[2]) for row in rows] == [True, True, False, False, False]
    # A limit counts records; `count_rows` counts rows.
    body["options"] |= {"limit": 2}
    spec = parse_export({"resource": "contact", **body})
    assert count_rows(spec, acme.pk) == len(table(acme, "contact", "csv", **body)[1:]) == 4
    output = {"properties": "repeat", "columns": ["name", "locations.name", "groups.name"]}
    rows = table(acme, "contact", "csv", options=body["options"], csv_field_options=output)[1:]
    assert rows[:3] == [["Ann", "Yard", ""], ["Ann", "", "Crew"], ["Ann", "", "Dock"]]


def test_rows_of_one_record_are_adjacent_without_an_order(acme: Organization) -> None:
    groups = GroupFactory.create_batch(3, organization=acme)
    locations = LocationFactory.create_batch(3, organization=acme)
    contacts = Contact.objects.bulk_create(
        Contact(organization=acme, name=f"Contact {number}") for number in range(3000)
    )
    links: Any = (
        (Contact.groups.through, "group", groups),
        (Contact.locations.through, "location", locations),
    )
    for model, name, targets in links:
        model._default_manager.bulk_create(
            model(contact=contact, **{name: targets[index]})
            for number, contact in enumerate(contacts)
            for index in range(number % 4)
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "ANALYZE longshore_logistics_contact, longshore_logistics_contactgroup, "
            "longshore_logistics_group"
        )
    _, *rows = table(
        acme, "contact", "csv", fields=["name", "groups.id", "locations.id"], options={}
    )
    starts = [row[0] for number, row in enumerate(rows) if row[0] != rows[number - 1][0]]
    assert len(starts) == len(contacts)
    assert len(rows) == sum(max(1, 2 * (number % 4)) for number in range(3000))


@pytest.mark.usefixtures("records")
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_any_combination_of_includes_gives_the_expected_rows(
    acme: Organization, data: st.DataObject
) -> None:
    names = [each.name for each in registry if each.includes]
    name = data.draw(st.sampled_from(names))
    paths = [path for path in resource(name).includable if "." not in path]
    includes = data.draw(st.lists(st.sampled_from(paths), unique=True, max_size=4))
    header, *rows = table(acme, name, "csv", includes=includes)
    many = [each for each in includes if resource(name).related(each)[0].repeatable]
    if many:
        many = list(dict.fromkeys([*resource(name).embedded, *many]))
    expected = 0
    for record in stored(name, acme):
        parts = {each: related(record, each, acme) for each in many}
        expected += max(1, sum(map(len, parts.values())))
        own = [row for row in rows if row[header.index("id")] == record.pk]
        for each in many:
            column = header.index(f"{each}.id")
            assert [row[column] for row in own if row[column]] == [p.pk for p in parts[each]]
            keys = [[row[header.index(f"{other}.id")] for other in many] for row in own]
            assert all(sum(map(bool, key)) <= 1 for key in keys)
    assert len(rows) == expected
    spec = parse_export({"resource": name, "format": "csv", "includes": includes})
    assert count_rows(spec, acme.pk) == expected


def test_a_table_includes_one_level_and_warns_about_deeper_includes(
    records: None, acme: Organization, alice: KeyClient
) -> None:
    for file_format in ("csv", "xlsx", "parquet"):
        rows = table(acme, "contact", file_format, includes=["groups.location"])
        assert rows == table(acme, "contact", file_format, includes=["groups"])
    body = {"resource": "contact", "format": "csv", "includes": ["groups.location", "locations"]}
    warning = (
        "groups.location is left out: csv shows one level of related records, json and jsonl "
        "show all."
    )
    created = alice.post("/v1/exports", body).json()
    assert created["warnings"] == [warning]
    assert alice.get(created["url"]).json()["warnings"] == [warning]
    assert alice.get("/v1/exports").json()["results"][0]["warnings"] == [warning]
    assert alice.post("/v1/exports/preview", body).json()["warnings"] == [warning]
    whole = alice.post("/v1/exports", body | {"format": "json"}).json()
    assert whole["warnings"] == []


def test_columns_and_headers_apply_to_included_relations(records: None, acme: Organization) -> None:
    output = {"columns": {"groups": "Team", "name": "Name"}}
    header, *_ = table(acme, "contact", "csv", includes=["groups"], csv_field_options=output)
    assert header[:2] == ["Team.id", "Team.name"]
    assert header[-1] == "Name"
    contacts = objects(
        acme, "contact", includes=["groups"], csv_field_options={"columns": ["name"]}
    )
    assert all(list(contact) == ["name", "groups"] for contact in contacts)


def test_a_computed_column_is_empty_without_a_related_record(
    records: None, acme: Organization
) -> None:
    body: dict[str, Any] = {"fields": ["id", "destination_contact._inbound_trackers"]}
    exported = objects(acme, "tracker", **body)
    _, *rows = table(acme, "tracker", "csv", **body)
    assert {each["destination_contact"] is None for each in exported} == {True, False}
    assert [cell for _, cell in rows] == [
        str(each["destination_contact"]["_inbound_trackers"]) if each["destination_contact"] else ""
        for each in exported
    ]


def test_a_preview_has_the_header_and_row_count_of_the_file(
    records: None, acme: Organization
) -> None:
    body = {"resource": "contact", "includes": ["groups"], "format": "csv"}
    result = preview(parse_export(body), acme.pk)
    header, *rows = table(acme, "contact", "csv", includes=["groups"])
    assert result.header == header
    assert result.records_count == len(rows)


def test_a_joined_relation_has_one_cell_per_field(
    records: None, acme: Organization, own_registry: Registry
) -> None:
    contact = resource("contact")
    joined = replace(contact.relations_by_name["locations"], joined=True)
    relations = (contact.relations_by_name["groups"], joined)
    own_registry.register(replace(contact, name="person", plural="people", relations=relations))
    fields = ["id", "groups.id", "locations.*"]
    header, *rows = table(acme, "person", "csv", fields=fields)
    assert header == ["id", "groups.id", "locations.id", "locations.name"]
    expected = []
    for each in stored("contact", acme):
        locations = each.locations.filter(organization=acme).order_by("name", "pk")
        cells = [", ".join(getattr(at, name) for at in locations) for name in ("id", "name")]
        groups = each.groups.filter(organization=acme).order_by("name", "pk")
        expected += [[each.pk, group, *cells] for group in [g.pk for g in groups] or [""]]
    assert rows == expected
    *_, full = objects(acme, "person", includes=["locations"])
    assert set(full["locations"][0]) == set(resource("location").columns_by_name)
