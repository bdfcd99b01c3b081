"""Rules about filters and dry data that the documentation states."""

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
    records: list[dict[str, Any]] = json.loads(b"".join(ExportStream(spec, organization.pk)))
    return records


def test_a_filter_on_an_included_relation_keeps_all_related_records(acme: Organization) -> None:
    contact = ContactFactory(organization=acme, name="matching")
    contact.groups.add(*(GroupFactory(organization=acme, name=name) for name in ("Day", "Night")))
    ContactFactory(organization=acme, name="other")
    for selection in ({"options": {"groups.name": "Day"}}, {"filters": {"groups_name_eq": "Day"}}):
        [record] = rows(acme, resource="contact", includes=["groups"], **selection)
        assert [group["name"] for group in record["groups"]] == ["Day", "Night"]


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        ({"options": {"groups.name": "not_equals:Night"}}, ["day", "none"]),
        ({"options": {"groups.name": "not_in:Night,Late"}}, ["day", "none"]),
        ({"filters": {"groups_name_not_eq": "Night"}}, ["day", "none"]),
        ({"filters": {"groups_name_not_in": ["Night"]}}, ["day", "none"]),
    ],
)
def test_a_negated_filter_on_a_to_many_relation_passes_if_no_related_record_matches(
    selection: dict[str, Any], names: list[str], acme: Organization
) -> None:
    day, night = (GroupFactory(organization=acme, name=name) for name in ("Day", "Night"))
    ContactFactory(organization=acme, name="none")
    ContactFactory(organization=acme, name="day").groups.add(day)
    ContactFactory(organization=acme, name="both").groups.add(day, night)
    records = rows(acme, resource="contact", **selection)
    assert sorted(record["name"] for record in records) == names


def test_the_matchers_true_and_false_are_inverses(acme: Organization) -> None:
    for name, paid in (("yes", True), ("no", False)):
        ShipmentFactory(organization=acme, notes=name, paid=paid)
    for predicate, wanted, expected in (
        ("paid_true", True, "yes"),
        ("paid_true", False, "no"),
        ("paid_false", True, "no"),
        ("paid_false", False, "yes"),
    ):
        [record] = rows(acme, resource="shipment", filters={predicate: wanted})
        assert record["notes"] == expected


def test_dry_data_removes_null_keys_inside_metadata_and_keeps_empty_values(
    acme: Organization,
) -> None:
    metadata = {"a": None, "b": {"c": None, "d": ""}, "e": [None, {"f": None}], "g": {}, "h": []}
    ContactFactory(organization=acme, metadata=metadata)
    [record] = rows(acme, resource="contact", dry_data=True)
    assert record["metadata"] == {"b": {"d": ""}, "e": [None, {}], "g": {}, "h": []}
