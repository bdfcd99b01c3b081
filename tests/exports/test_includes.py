"""Includes: related records as nested objects in JSON."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exports.models import Export
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.resources.registry import registry
from tests.conftest import KeyClient
from tests.exports.related import (
    check,
    fill,
    objects,
    resource,
    stored,
    table,
    tree_of,
)
from tests.exports.related import embedded as embedded_of
from tests.factories import (
    ArticleFactory,
    ContactFactory,
    FulfillmentFactory,
    GroupFactory,
    LocationFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)
INCLUDES = [(each.name, path) for each in registry for path in each.includable]


@pytest.fixture
def records(acme: Organization, globex: Organization) -> None:
    fill(acme, globex)


def test_every_include_exports_the_stored_records_in_json(
    records: None, acme: Organization
) -> None:
    for name, path in INCLUDES:
        for file_format in ("json", "jsonl"):
            exported = objects(acme, name, file_format, includes=[path])
            for actual, record in zip(exported, stored(name, acme), strict=True):
                check(actual, record, tree_of([path]), acme)


@pytest.mark.usefixtures("records")
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_any_combination_of_includes_exports_the_stored_records(
    acme: Organization, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from([each.name for each in registry if each.includes]))
    paths = data.draw(st.lists(st.sampled_from(resource(name).includable), unique=True))
    exported = objects(acme, name, includes=paths)
    for actual, record in zip(exported, stored(name, acme), strict=True):
        check(actual, record, tree_of(paths), acme)


def test_relations_that_are_not_included_are_exported_as_ids(
    records: None, acme: Organization
) -> None:
    (*_, asset) = stored("asset", acme)
    assert asset.location_id is not None
    for includes in ([], ["item"]):
        (*_, exported) = objects(acme, "asset", includes=includes)
        assert "location" not in exported
        assert exported["location_id"] == asset.location_id
    (*_, without) = objects(acme, "asset")
    assert without["location"] == {"id": asset.location_id, "name": asset.location.name}


def test_related_records_of_another_organization_are_omitted(
    records: None, acme: Organization, globex: Organization
) -> None:
    foreign_locations = {location.pk for location in stored("location", globex)}
    assets = stored("asset", acme)
    [asset] = [each for each in assets if each.location_id in foreign_locations]
    exported = {each["id"]: each for each in objects(acme, "asset", includes=["location"])}
    assert exported[asset.pk]["location"] is None
    header, *rows = table(acme, "asset", "csv", includes=["location"])
    cells = {row[0]: dict(zip(header, row, strict=True)) for row in rows}
    assert {v for k, v in cells[asset.pk].items() if k.startswith("location.")} == {""}
    groups = [
        group["id"]
        for contact in objects(acme, "contact", includes=["groups"])
        for group in contact["groups"]
    ]
    assert groups
    assert set(groups) <= {group.pk for group in stored("group", acme)}


def test_only_the_requested_fields_are_exported(records: None, acme: Organization) -> None:
    fields = ["name", "groups.name", "groups.location.name", "locations"]
    exported = objects(acme, "contact", fields=fields)
    for actual, contact in zip(exported, stored("contact", acme), strict=True):
        full = objects(
            acme, "contact", includes=["groups.location", "locations"], options={"id": contact.pk}
        )[0]
        assert actual == {
            "name": contact.name,
            "groups": [
                {
                    "name": each["name"],
                    "location": each["location"] and {"name": each["location"]["name"]},
                }
                for each in full["groups"]
            ],
            "locations": full["locations"],
        }
    assert any(each["groups"] and each["locations"] for each in exported)


def test_includes_add_relations_that_fields_do_not_name(records: None, acme: Organization) -> None:
    body: dict[str, Any] = {"fields": ["name", "groups.name"], "includes": ["groups", "locations"]}
    exported = objects(acme, "contact", **body)
    assert exported == objects(acme, "contact", fields=["name", "groups.name", "locations.*"])
    assert list(exported[0]) == ["name", "groups", "locations"]


def test_an_asterisk_selects_all_columns(records: None, acme: Organization) -> None:
    assert objects(acme, "asset", fields=["*"]) == objects(acme, "asset", includes=[])
    assert objects(acme, "asset", fields=["*", "item.*"]) == objects(
        acme, "asset", includes=["item"]
    )


@pytest.mark.parametrize("file_format", ["json", "jsonl"])
@pytest.mark.parametrize(
    ("resource_name", "embedded", "named", "inner"),
    [
        ("fulfillment", "articles", "sku", "location"),
        ("manifest", "articles", "sku", "location"),
        ("item", "levels", "layout_name", None),
    ],
)
def test_embedded_records_are_exported_with_and_without_includes(
    records: None,
    acme: Organization,
    resource_name: str,
    embedded: str,
    named: str,
    inner: str | None,
    file_format: str,
) -> None:
    own = stored(resource_name, acme)
    expected = [embedded_of(each, embedded) for each in own]
    assert any(expected)

    def exported(**body: Any) -> list[Any]:
        return [each[embedded] for each in objects(acme, resource_name, file_format, **body)]

    assert exported() == exported(includes=[]) == exported(fields=["*"]) == expected
    assert exported(includes=[embedded]) == exported(fields=[embedded]) == expected
    assert exported(fields=["id", f"{embedded}.*"]) == exported(fields=["*", f"{embedded}.id"])
    assert exported(fields=["id", f"{embedded}.*"]) == expected
    if inner:
        assert exported(includes=[inner]) == expected
    brief = [[{named: record[named]} for record in related_records] for related_records in expected]
    assert exported(fields=["id", f"{embedded}.{named}"]) == brief


def test_embedded_records_of_included_records_are_exported(
    records: None, acme: Organization
) -> None:
    shipments = objects(acme, "shipment", includes=["manifest"])
    articles = [each["manifest"]["articles"] for each in shipments if each["manifest"]]
    assert any(articles)
    names_only = objects(acme, "shipment", fields=["manifest.articles.name"])
    assert [
        [article["name"] for article in each["manifest"]["articles"]]
        for each in names_only
        if each["manifest"]
    ] == [[article["name"] for article in of_manifest] for of_manifest in articles]
    spec = parse_export({"resource": "shipment", "format": "csv", "includes": ["manifest"]})
    assert spec.warnings == (
        "manifest.articles is left out: csv shows one level of related records, json and jsonl "
        "show all.",
    )


def test_related_datetimes_have_the_requested_time_zone_and_pattern(
    records: None, acme: Organization
) -> None:
    output = {"timezone": "America/New_York", "datetime_format": "yyyy xxx"}
    body: dict[str, Any] = {"fields": ["name", "groups.created_at"], "csv_field_options": output}
    exported = objects(acme, "contact", **body)
    dates = {group["created_at"][4:] for each in exported for group in each["groups"]}
    assert dates == {" -05:00"} or dates == {" -04:00"}


def test_dry_data_exports_related_records_as_ids_and_embedded_records_whole(
    acme: Organization,
) -> None:
    dock = LocationFactory.create(organization=acme, name="Dock")
    order = FulfillmentFactory.create(organization=acme, location=dock)
    ArticleFactory.create(fulfillment=order, name="Bolt")
    [exported] = objects(acme, "fulfillment", dry_data=True)
    assert exported["location_id"] == dock.pk
    assert "location" not in exported
    # Articles are not a resource: no other export contains them.
    assert [article["name"] for article in exported["articles"]] == ["Bolt"]
    header, _ = table(acme, "fulfillment", "csv", dry_data=True)
    assert {"location_id", "articles"} <= set(header)
    assert not {"id", "location"} & set(header)


def test_dry_data_omits_empty_values_in_json(acme: Organization, globex: Organization) -> None:
    group = GroupFactory(organization=acme, name="Crew", metadata={"a": None})
    ContactFactory(
        organization=acme,
        name="One",
        nickname="",
        notes=None,
        alternate_names=[],
        address={},
        metadata={"kept": 0, "null": None, "list": [None]},
        groups=[group],
    )
    body: dict[str, Any] = {"includes": ["groups.location", "locations"], "dry_data": True}
    [exported] = objects(acme, "contact", **body)
    # Compares stored columns only.
    computed = {name for name in exported if name.startswith("_")} | {"checksum"}
    assert {name: value for name, value in exported.items() if name not in computed} == {
        "name": "One",
        "is_primary": False,
        "metadata": {"kept": 0, "list": [None]},
        "addresses": [{}],
        "groups": [
            {
                "name": "Crew",
                "resource": "contact",
                "children_count": 0,
                "checksum": exported["groups"][0]["checksum"],
                "_search": "Crew",
                "_outbound_trackers": 0,
                "_inbound_trackers": 0,
            }
        ],
    }
    header, row = table(acme, "contact", "csv", fields=["*"], dry_data=True)
    assert {"id", "organization_id", "created_at", "updated_at"}.isdisjoint(header)
    assert dict(zip(header, row, strict=True))["nickname"] == ""
    lines = objects(acme, "contact", "jsonl", **body)
    assert lines == [exported]


def test_a_limit_counts_records_in_the_requested_order(records: None, acme: Organization) -> None:
    options = {"order_by": "-name", "limit": 3}
    exported = objects(acme, "contact", includes=["groups", "locations"], options=options)
    contacts = resource("contact").model._default_manager.filter(organization=acme)
    expected = list(contacts.order_by("-name", "-pk"))[:3]
    for actual, record in zip(exported, expected, strict=True):
        check(actual, record, tree_of(["groups", "locations"]), acme)


def test_the_api_accepts_includes_and_isolates_organizations(
    records: None, acme: Organization, alice: KeyClient, charlie: KeyClient
) -> None:
    body = {
        "resource": "contact",
        "format": "json",
        "includes": ["groups.location"],
        "options": {"order_by": "id"},
    }
    own = alice.post("/v1/exports/preview", body, format="json").json()
    for actual, record in zip(own["rows"], stored("contact", acme), strict=True):
        check(actual, record, tree_of(["groups.location"]), acme)
    other = charlie.post("/v1/exports/preview", body, format="json").json()
    own_ids = {row["id"] for row in own["rows"]}
    assert {row["id"] for row in other["rows"]}.isdisjoint(own_ids)
    created = alice.post("/v1/exports", body, format="json")
    assert created.status_code == 201
    assert Export.objects.get().spec["includes"][0]["relation"] == "groups"
    refused = alice.post("/v1/exports", body | {"includes": ["x"]}, format="json")
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_include")
    described = alice.get("/v1/resources/contact").json()
    assert described["includes"] == ["groups", "groups.location", "groups.parent", "locations"]
