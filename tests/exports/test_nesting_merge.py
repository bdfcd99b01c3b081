"""`merge`: a nested value is one text: labels, members, or JSON."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact, Group
from longshore.resources.folding import SortKey
from tests.exports.nested import (
    character,
    is_cell_of,
    joined,
    json_value,
    similar_value,
    split_members,
    table_of,
)

pytestmark = pytest.mark.django_db(transaction=True)

text = st.text(character, max_size=4) | st.sampled_from(["a, b", 'a "b"', ", ", '"', ","])


def merged(value: Any) -> Any:
    """Return the text of a merged JSON value; a value that stays JSON is returned unchanged."""
    if isinstance(value, dict) or any(isinstance(each, dict | list) for each in members(value)):
        return value
    return joined(map(member_text, value)) if isinstance(value, list) else value


def members(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def member_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def is_merged(cell: str, value: Any) -> bool:
    expected = merged(value)
    if isinstance(expected, dict | list):
        # PostgreSQL may write a float without a fraction, which reads as an integer.
        read, written = (json.loads(each, parse_int=float) for each in (cell, json.dumps(expected)))
        return bool(read == written)
    return is_cell_of(cell, expected)


no_floats = json_value.filter(
    lambda value: not any(isinstance(member, float) for member in members(value))
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    values=st.lists(
        st.tuples(
            (no_floats | similar_value).filter(lambda v: v is not None),
            st.lists(text, max_size=3),
            st.lists(text, max_size=2),
        ),
        max_size=4,
    )
)
def test_relations_merge_to_labels_arrays_to_members_and_objects_to_json(
    values: list[tuple[Any, list[str], list[str]]], acme: Organization
) -> None:
    Contact.objects.all().delete()
    Group.objects.all().delete()
    for number, (metadata, names, groups) in enumerate(values):
        contact = Contact.objects.create(
            organization=acme, name=f"{number:03}", metadata=metadata, alternate_names=names
        )
        for name in groups:
            contact.groups.add(Group.objects.create(organization=acme, name=name))
    rows = table_of(
        acme,
        "merge",
        output={"columns": ["metadata", "alternate_names", "groups"]},
        options={"order_by": "name"},
    )[1:]
    for (metadata, names, _), contact, row in zip(
        values, Contact.objects.order_by("name"), rows, strict=True
    ):
        assert is_merged(row[0], metadata)
        assert row[1] == joined(names)
        assert split_members(row[1]) == (names or [""])
        labels = list(contact.groups.order_by(SortKey("name"), "pk").values_list("name", flat=True))
        # Unlike a list, a relation has its members in `groups_id`, too.
        assert row[2] == (joined(labels) if labels != [""] else "")
        assert split_members(row[2]) == (labels or [""])


def test_a_label_with_a_comma_is_quoted_as_one_member(acme: Organization) -> None:
    names = ["Dock, north", 'Gate "B"', "Yard"]
    groups = [Group.objects.create(organization=acme, name=name) for name in names]
    contact = Contact.objects.create(organization=acme, alternate_names=["Smith, J.", "x"])
    contact.groups.add(*groups)
    columns = ["groups", "groups.name", "alternate_names"]
    [_, row] = table_of(acme, "merge", output={"columns": columns})
    expected = '"Dock, north", "Gate ""B""", Yard'
    assert row == [expected, expected, '"Smith, J.", x']
    assert split_members(row[0]) == names
