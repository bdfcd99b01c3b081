"""`flatten`: a nested value has one column for each path that occurs in the rows."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.models import JSONField, Value
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from exports.reading import stream
from exports.request.parser import parse_export
from exports.sql import discovery
from longshore.accounts.models import Organization
from longshore.api.errors import InvalidInput
from longshore.domains.logistics.models import Contact, Group, Location
from longshore.resources.registry import Registry, Resource
from longshore.resources.relations import Relation
from tests.exports.nested import (
    cells_of,
    character,
    create_contact,
    flat,
    header_of,
    is_cell_of,
    json_value,
    objects_of,
    similar_value,
    table_of,
)

pytestmark = pytest.mark.django_db(transaction=True)

FIELDS = ("id", "name", "location_id")
COLUMNS = ["name", "metadata", "alternate_names", "groups", "alternate_addresses", "notes"]
property_test = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
contact = st.fixed_dictionaries(
    {
        "metadata": json_value | similar_value,
        "alternate_names": st.lists(st.text(character, max_size=3), max_size=3),
        "alternate_addresses": similar_value | st.lists(similar_value, max_size=2),
        "groups": st.sets(st.integers(0, 3), max_size=3),
    }
)

MIXED: tuple[Any, ...] = (
    *({"a": {"b": 1}}, {"a": 2}, {"a": {}}, {"a": []}, {"a": None}, {"a.b": 3}, {}, 4, None),
    *([{"0": 5}], {"0": [6]}, [7], {"-1": 8, "00": 9, " 0": 10}, [[]], {"": {"": 11}}),
)


def of_metadata(value: Any) -> dict[str, Any]:
    return {"metadata": value, "alternate_names": [], "alternate_addresses": [], "groups": set()}


@pytest.fixture
def groups(acme: Organization) -> list[Group]:
    """Four groups, two of one name."""
    dock = Location.objects.create(organization=acme, name="Dock")
    return [
        Group.objects.create(organization=acme, name=name, location=location)
        for name, location in [("Crew", dock), ("Zoo", None), ("Crew", None), ('A, "b"', dock)]
    ]


def stored(acme: Organization, groups: list[Group], values: list[dict[str, Any]]) -> list[Contact]:
    """Replace all contacts by contacts with these values. Return them in order of name."""
    Contact.objects.all().delete()
    for number, value in enumerate(values):
        # None is JSON's null here, not SQL's.
        fields = {name: Value(None, JSONField()) if v is None else v for name, v in value.items()}
        indexes = value["groups"]
        del fields["groups"]
        created = Contact.objects.create(organization=acme, name=f"{number:03}", **fields)
        created.groups.set([groups[index] for index in indexes])
    return list(Contact.objects.order_by("name"))


def related(contact: Contact) -> dict[tuple[str, ...], Any]:
    """Return the leaves of a contact's groups, ordered by label."""
    records = contact.groups.order_by("name", "pk").values(*FIELDS)
    return {
        (str(index), name): group[name] for index, group in enumerate(records) for name in FIELDS
    }


@property_test
@given(values=st.lists(contact, max_size=5), first_limit=st.sampled_from([1, 2, 1000]))
@example(values=[of_metadata(value) for value in MIXED], first_limit=1)
def test_any_values_are_flattened_to_the_paths_that_occur(
    values: list[dict[str, Any]], first_limit: int, acme: Organization, groups: list[Group]
) -> None:
    contacts = stored(acme, groups, values)
    with pytest.MonkeyPatch.context() as patch:
        # Discovery needs several queries even for few rows.
        patch.setattr(discovery, "FIRST_LIMIT", first_limit)
        patch.setattr(discovery, "GROWTH", 1)
        header, *rows = table_of(
            acme, "flatten", output={"columns": COLUMNS}, options={"order_by": "name"}
        )
    metadata: list[dict[tuple[str, ...], Any]] = [flat(contact.metadata) for contact in contacts]
    names = [flat(contact.alternate_names) for contact in contacts]
    addresses = [flat(contact.alternate_addresses) for contact in contacts]
    max_groups = max((contact.groups.count() for contact in contacts), default=0)
    assert header == [
        "name",
        *header_of("metadata", metadata),
        *header_of("alternate_names", names),
        *(
            [f"groups.{index}.{name}" for index in range(max_groups) for name in FIELDS]
            or ["groups"]
        ),
        *header_of("alternate_addresses", addresses),
        "notes",
    ]
    assert len(rows) == len(contacts)
    for number, (contact, row) in enumerate(zip(contacts, rows, strict=True)):
        group_leaves = related(contact)
        expected = [
            contact.name,
            *cells_of(metadata[number], metadata),
            *cells_of(names[number], names),
            *(
                [
                    group_leaves.get((str(index), name))
                    for index in range(max_groups)
                    for name in FIELDS
                ]
                or [None]
            ),
            *cells_of(addresses[number], addresses),
            contact.notes,
        ]
        for cell, value, title in zip(row, expected, header, strict=True):
            assert is_cell_of(cell, value), (title, cell, value)


@pytest.mark.parametrize("nesting", ["merge", "flatten", "repeat"])
@property_test
@given(values=st.lists(contact, max_size=3))
def test_json_keeps_the_structure_whatever_the_nesting(
    values: list[dict[str, Any]], nesting: str, acme: Organization, groups: list[Group]
) -> None:
    contacts = stored(acme, groups, values)
    columns = ["name", "metadata", "alternate_names", "groups", "locations"]
    for file_format in ("json", "jsonl"):
        assert objects_of(
            acme,
            nesting,
            format=file_format,
            output={"columns": columns},
            options={"order_by": "name"},
        ) == [
            {
                "name": contact.name,
                "metadata": json.loads(json.dumps(contact.metadata)),
                "alternate_names": contact.alternate_names,
                "groups": list(contact.groups.order_by("name", "pk").values(*FIELDS)),
                "locations": [],
            }
            for contact in contacts
        ]


def test_flattened_columns_replace_their_column_in_natural_order(acme: Organization) -> None:
    create_contact(
        acme, "one", {"x": list(range(11)), "b10": 1, "b9": 2, "B1": 3, "a": {"z": 4, "c": 5}}
    )
    [header, row] = table_of(acme, "flatten", output={"columns": ["name", "metadata", "notes"]})
    assert header == [
        *("name", "metadata.a.c", "metadata.a.z", "metadata.B1", "metadata.b9", "metadata.b10"),
        *(f"metadata.x.{index}" for index in range(11)),
        "notes",
    ]
    assert row == ["one", "5", "4", "3", "2", "1", *map(str, range(11)), ""]


def test_the_header_of_a_renamed_column_prefixes_its_paths(
    acme: Organization, groups: list[Group]
) -> None:
    create_contact(acme, "one", {"a": {"b": 1}}).groups.set(groups[:2])
    columns = {"metadata": "Meta", "groups": "Teams", "name": True}
    header = table_of(acme, "flatten", output={"columns": columns})[0]
    teams = [f"Teams.{index}.{field}" for index in (0, 1) for field in FIELDS]
    assert header == ["Meta.a.b", *teams, "name"]


def test_a_field_of_a_to_many_relation_has_a_column_for_each_record(
    acme: Organization, groups: list[Group]
) -> None:
    create_contact(acme, "one", {}).groups.set(groups[:2])
    columns = {"groups.name": True, "groups.id": "Team"}
    assert table_of(acme, "flatten", output={"columns": columns}) == [
        ["groups.0.name", "groups.1.name", "Team.0", "Team.1"],
        ["Crew", "Zoo", groups[0].pk, groups[1].pk],
    ]


def test_a_to_one_relation_has_a_column_for_each_field(
    acme: Organization, groups: list[Group]
) -> None:
    header, *rows = table_of(
        acme,
        "flatten",
        resource="group",
        output={"columns": ["name", "location", "parent"]},
        options={"order_by": "name"},
    )
    assert header == ["name", "location.id", "location.name", "parent.id", "parent.name"]
    location = groups[0].location
    assert rows[0] == ['A, "b"', location.pk, location.name, "", ""]
    assert rows[-1] == ["Zoo", "", "", "", ""]


def test_only_paths_of_selected_rows_are_columns(acme: Organization, globex: Organization) -> None:
    create_contact(acme, "one", {"a": 1})
    create_contact(acme, "two", {"b": 1})
    create_contact(acme, "three", {"c": 1}, notes="other")
    create_contact(globex, "secret", {"secret": 1})
    output = {"columns": ["metadata"]}
    header = table_of(acme, "flatten", output=output)[0]
    assert header == ["metadata.a", "metadata.b", "metadata.c"]
    options = {"limit": 2, "order_by": "name", "direction": "desc"}
    assert table_of(acme, "flatten", output=output, options=options)[0] == [
        "metadata.b",
        "metadata.c",
    ]
    filtered = table_of(acme, "flatten", output=output, options={"notes": "other"})
    assert filtered == [["metadata.c"], ["1"]]


def test_without_rows_each_nested_column_is_one_column(acme: Organization) -> None:
    output = {"columns": ["name", "metadata", "groups", "alternate_names"]}
    assert table_of(acme, "flatten", output=output) == [output["columns"]]


def test_nested_values_of_related_records_are_flattened(
    acme: Organization, own_registry: Registry
) -> None:
    fields = ("id", "created_at", "metadata")
    relation = Relation("groups", fields=fields)
    own_registry.register(Resource("person", "people", Contact, relations=(relation,)))
    at = datetime(2024, 7, 1, 12, 30, tzinfo=UTC)
    group = Group.objects.create(
        organization=acme, name="Crew", created_at=at, metadata={"a": [1, {"b.c": None}]}
    )
    create_contact(acme, "one", {}).groups.add(group)
    output = {
        "columns": ["groups"],
        "timezone": "America/New_York",
        "datetime_format": "dd/MM/yyyy HH:mm xxx",
    }
    assert table_of(acme, "flatten", resource="person", output=output) == [
        [
            *("groups.0.id", "groups.0.created_at", "groups.0.metadata.a.0"),
            "groups.0.metadata.a.1.b\\.c",
        ],
        [group.pk, "01/07/2024 08:30 -04:00", "1", ""],
    ]


def test_discovery_and_rows_read_the_same_snapshot(
    acme: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_contact(acme, "one", {"a": 1})

    def discover_and_insert(*args: Any, **options: Any) -> Any:
        discovered = discovery.discover(*args, **options)
        create_contact(acme, "two", {"late": 1})
        return discovered

    monkeypatch.setattr(stream, "discover", discover_and_insert)
    assert table_of(acme, "flatten", output={"columns": ["metadata"]}) == [["metadata.a"], ["1"]]


@pytest.mark.parametrize(
    "columns",
    [
        {"groups": True, "groups.name": True},
        {"metadata": True, "name": "metadata.a"},
        {"metadata": "A", "alternate_names": "A.b"},
        {"groups.name": True, "name": "groups.0.name"},
    ],
)
def test_columns_that_may_get_the_same_header_are_rejected(columns: dict[str, Any]) -> None:
    output = {"properties": "flatten", "columns": columns}
    body = {"resource": "contact", "csv_field_options": output}
    with pytest.raises(InvalidInput) as invalid:
        parse_export(body)
    [problem] = invalid.value.problems
    assert (problem.code, problem.field) == ("invalid_column", "csv_field_options.columns")
    parse_export(body | {"format": "json"})
