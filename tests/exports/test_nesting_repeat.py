"""`repeat`: the file has one row for each record of a to-many relation."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exports.execution import runner
from exports.lifecycle.creation import count_rows
from exports.models import Export, Status
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.api.errors import InvalidInput
from longshore.domains.logistics.models import Contact, Group, Item, Location
from longshore.resources.registry import Registry, Resource
from longshore.resources.relations import Relation
from tests.exports.nested import table_of

pytestmark = pytest.mark.django_db(transaction=True)

FIELDS = ["id", "name", "location_id"]
HEADER = ["name", "groups.id", "groups.name", "groups.location_id", "metadata"]
COLUMNS = ["name", "groups", "metadata"]


@pytest.fixture
def groups(acme: Organization) -> list[Group]:
    """Four groups, two of one name."""
    dock = Location.objects.create(organization=acme, name="Dock")
    return [
        Group.objects.create(organization=acme, name=name, location=location)
        for name, location in [("Crew", dock), ("Zoo", None), ("Crew", None), ('A, "b"', dock)]
    ]


def member(organization: Organization, name: str, *groups: Group, **fields: Any) -> Contact:
    contact = Contact.objects.create(organization=organization, name=name, **fields)
    contact.groups.set(groups)
    return contact


def rows_of(contact: Contact) -> list[list[str]]:
    listed = contact.groups.order_by("name", "pk").values_list(*FIELDS)
    rows = [["" if value is None else value for value in group] for group in listed]
    return [[contact.name, *row, "{}"] for row in rows or [["", "", ""]]]


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    members=st.lists(st.sets(st.integers(0, 3)), max_size=6),
    limit=st.sampled_from(["all", 1, 3]),
    direction=st.sampled_from(["asc", "desc"]),
)
def test_a_record_has_one_row_per_related_record_or_one_row_without_related_records(
    members: list[set[int]], limit: Any, direction: str, acme: Organization, groups: list[Group]
) -> None:
    Contact.objects.all().delete()
    for number, indexes in enumerate(members):
        member(acme, f"{number:03}", *(groups[index] for index in indexes))
    options = {"order_by": "name", "direction": direction, "limit": limit}
    header, *rows = table_of(acme, "repeat", output={"columns": COLUMNS}, options=options)
    contacts = Contact.objects.order_by("name" if direction == "asc" else "-name")
    chosen = list(contacts[: None if limit == "all" else limit])
    assert header == HEADER
    assert rows == [row for contact in chosen for row in rows_of(contact)]

    body = {"resource": "contact", "options": options}
    output = {"properties": "repeat", "columns": COLUMNS}
    assert count_rows(parse_export(body | {"csv_field_options": output}), acme.pk) == len(rows)


def test_rows_of_one_record_are_adjacent_without_an_order(
    acme: Organization, groups: list[Group]
) -> None:
    contacts = [member(acme, f"{number}", *groups[: number % 4]) for number in range(40)]
    rows = table_of(acme, "repeat", output={"columns": COLUMNS})[1:]
    starts = [row[0] for number, row in enumerate(rows) if row[0] != rows[number - 1][0]]
    assert sorted(starts) == sorted(contact.name for contact in contacts)
    assert sorted(rows) == sorted(row for contact in contacts for row in rows_of(contact))


def test_a_single_field_of_the_relation_repeats_rows(
    acme: Organization, groups: list[Group]
) -> None:
    member(acme, "one", *groups[:2])
    columns = {"groups.name": "Team", "name": True}
    rows = table_of(acme, "repeat", output={"columns": columns})
    assert rows == [["Team", "name"], ["Crew", "one"], ["Zoo", "one"]]


def test_the_header_of_a_renamed_relation_prefixes_its_fields(acme: Organization) -> None:
    columns = {"groups": "Team", "name": "Name"}
    assert table_of(acme, "repeat", output={"columns": columns}) == [
        ["Team.id", "Team.name", "Team.location_id", "Name"]
    ]


def test_other_nested_columns_are_merged(acme: Organization, groups: list[Group]) -> None:
    child = Group.objects.create(organization=acme, name="Child", parent=groups[0])
    output = {"columns": ["name", "children", "location", "metadata"]}
    Group.objects.filter(pk=groups[0].pk).update(metadata={"a": [1]})
    rows = table_of(acme, "repeat", resource="group", output=output, options={"id": groups[0].pk})
    assert rows == [
        ["name", "children.id", "children.name", "location", "metadata"],
        ["Crew", child.pk, "Child", "Dock", '{"a": [1]}'],
    ]


def test_records_with_a_foreign_key_to_the_record_repeat_its_row(acme: Organization) -> None:
    item = Item.objects.create(organization=acme, name="Box")
    for shelf, quantity in [("B", 2), ("A", 1), (None, 3)]:
        location = Location.objects.create(organization=acme, name=f"Place {shelf}")
        item.levels.create(location=location, layout_name=shelf, verified_qty=quantity)
    output = {"columns": ["name", "levels.layout_name", "levels.verified_qty"]}
    assert table_of(acme, "repeat", resource="item", output=output)[1:] == [
        ["Box", "A", "1"],
        ["Box", "B", "2"],
        ["Box", "", "3"],
    ]


def test_related_records_of_another_organization_are_omitted(
    acme: Organization, globex: Organization
) -> None:
    secret = Group.objects.create(organization=globex, name="Secret")
    member(acme, "one", secret)
    assert table_of(acme, "repeat", output={"columns": ["name", "groups.name"]})[1:] == [
        ["one", ""]
    ]


def test_related_datetimes_have_the_requested_time_zone_and_pattern(
    acme: Organization, own_registry: Registry
) -> None:
    relation = Relation("groups", fields=("created_at", "metadata"))
    own_registry.register(Resource("person", "people", Contact, relations=(relation,)))
    at = datetime(2024, 7, 1, 12, 30, tzinfo=UTC)
    fields = {"created_at": at, "metadata": {"a": 1}}
    member(acme, "one", Group.objects.create(organization=acme, name="Crew", **fields))
    output = {
        "columns": ["groups"],
        "timezone": "America/New_York",
        "datetime_format": "dd/MM/yyyy HH:mm xxx",
    }
    assert table_of(acme, "repeat", resource="person", output=output) == [
        ["groups.created_at", "groups.metadata"],
        ["01/07/2024 08:30 -04:00", '{"a": 1}'],
    ]


def test_the_records_count_of_an_export_counts_repeated_rows(
    queued: Export, acme: Organization, contacts: list[Contact]
) -> None:
    output = {"properties": "repeat", "columns": COLUMNS}
    spec = parse_export({"resource": "contact", "csv_field_options": output})
    Export.objects.update(spec=spec.to_json())
    runner.run(queued.pk)
    queued.refresh_from_db()
    # One of the five contacts is in two groups.
    assert (queued.status, queued.records_count, queued.processed_count) == (Status.COMPLETED, 6, 6)
    assert queued.files.get().rows == 6


@pytest.mark.parametrize(
    "columns",
    [
        ["groups", "groups.name"],
        {"groups": True, "name": "groups.id"},
    ],
)
def test_columns_with_the_same_header_are_rejected(columns: Any) -> None:
    output = {"properties": "repeat", "columns": columns}
    with pytest.raises(InvalidInput) as invalid:
        parse_export({"resource": "contact", "csv_field_options": output})
    [problem] = invalid.value.problems
    assert (problem.code, problem.field) == ("invalid_column", "csv_field_options.columns")
