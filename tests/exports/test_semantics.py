"""Rules that the documents state in one sentence each."""

import json
from typing import Any

import pytest

from exports.reading.stream import ExportStream
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from tests.factories import ContactFactory, GroupFactory, ShipmentFactory

pytestmark = pytest.mark.django_db(transaction=True)


def rows(organization: Organization, **body: Any) -> list[dict[str, Any]]:
    spec = parse_export({"format": "json", **body})
    found: list[dict[str, Any]] = json.loads(b"".join(ExportStream(spec, organization.pk)))
    return found


def test_a_filter_on_an_included_relation_keeps_all_related_records(acme: Organization) -> None:
    contact = ContactFactory(organization=acme, name="it")
    contact.groups.add(*(GroupFactory(organization=acme, name=name) for name in ("Day", "Night")))
    ContactFactory(organization=acme, name="other")
    for asked in ({"options": {"groups.name": "Day"}}, {"filters": {"groups_name_eq": "Day"}}):
        [found] = rows(acme, resource="contact", includes=["groups"], **asked)
        assert [group["name"] for group in found["groups"]] == ["Day", "Night"]


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"options": {"groups.name": "not_equals:Night"}}, ["day", "none"]),
        ({"options": {"groups.name": "not_in:Night,Late"}}, ["day", "none"]),
        ({"filters": {"groups_name_not_eq": "Night"}}, ["day", "none"]),
        ({"filters": {"groups_name_not_in": ["Night"]}}, ["day", "none"]),
    ],
)
def test_a_negation_over_a_relation_to_many_passes_where_none_is_it(
    asked: dict[str, Any], names: list[str], acme: Organization
) -> None:
    day, night = (GroupFactory(organization=acme, name=name) for name in ("Day", "Night"))
    ContactFactory(organization=acme, name="none")
    ContactFactory(organization=acme, name="day").groups.add(day)
    ContactFactory(organization=acme, name="both").groups.add(day, night)
    found = rows(acme, resource="contact", **asked)
    assert sorted(row["name"] for row in found) == names


def test_true_and_false_turned_round_are_each_other(acme: Organization) -> None:
    for name, paid in (("yes", True), ("no", False)):
        ShipmentFactory(organization=acme, notes=name, paid=paid)
    for predicate, wanted, expected in (
        ("paid_true", True, "yes"),
        ("paid_true", False, "no"),
        ("paid_false", True, "no"),
        ("paid_false", False, "yes"),
    ):
        [found] = rows(acme, resource="shipment", filters={predicate: wanted})
        assert found["notes"] == expected


def test_dry_data_strips_null_keys_inside_metadata_and_keeps_what_is_empty(
    acme: Organization,
) -> None:
    metadata = {"a": None, "b": {"c": None, "d": ""}, "e": [None, {"f": None}], "g": {}, "h": []}
    ContactFactory(organization=acme, metadata=metadata)
    [found] = rows(acme, resource="contact", dry_data=True)
    assert found["metadata"] == {"b": {"d": ""}, "e": [None, {}], "g": {}, "h": []}
