"""Includes: related records as nested objects in JSON, as columns and rows in tables."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exports.lifecycle.creation import count_rows
from exports.models import Export, ExportFile
from exports.preview import preview
from exports.request.parser import parse_export
from exports.sql.compiler import compile_export
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact, Group
from longshore.resources.registry import Registry, Resource, registry
from tests.conftest import KeyClient
from tests.exports.related import (
    check,
    fill,
    header_of,
    objects,
    related,
    rows_of,
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
ONE_LEVEL = [(name, path) for name, path in INCLUDES if "." not in path]


@pytest.fixture
def records(acme: Organization, globex: Organization) -> None:
    fill(acme, globex)


def resource(name: str) -> Resource:
    registered = registry.get(name)
    assert registered is not None
    return registered


def stored(name: str, owner: Organization) -> list[Any]:
    records = resource(name).model._default_manager
    return list(records.filter(organization=owner).order_by("pk"))


def test_every_include_exports_the_stored_records_in_json(
    records: None, acme: Organization
) -> None:
    for name, path in INCLUDES:
        for file_format in ("json", "jsonl"):
            found = objects(acme, name, file_format, includes=[path])
            for actual, record in zip(found, stored(name, acme), strict=True):
                check(actual, record, tree_of([path]), acme)


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
    found = objects(acme, name, includes=paths)
    for actual, record in zip(found, stored(name, acme), strict=True):
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
    found = objects(acme, "contact", fields=fields)
    for actual, contact in zip(found, stored("contact", acme), strict=True):
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
    assert any(each["groups"] and each["locations"] for each in found)


def test_includes_add_relations_that_fields_do_not_name(records: None, acme: Organization) -> None:
    body: dict[str, Any] = {"fields": ["name", "groups.name"], "includes": ["groups", "locations"]}
    found = objects(acme, "contact", **body)
    assert found == objects(acme, "contact", fields=["name", "groups.name", "locations.*"])
    assert list(found[0]) == ["name", "groups", "locations"]


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


def test_rows_are_repeated_for_one_to_many_relation_after_the_other(acme: Organization) -> None:
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
    found = objects(acme, "tracker", **body)
    _, *rows = table(acme, "tracker", "csv", **body)
    assert {each["destination_contact"] is None for each in found} == {True, False}
    assert [cell for _, cell in rows] == [
        str(each["destination_contact"]["_inbound_trackers"]) if each["destination_contact"] else ""
        for each in found
    ]


def test_related_datetimes_have_the_requested_time_zone_and_pattern(
    records: None, acme: Organization
) -> None:
    output = {"timezone": "America/New_York", "datetime_format": "yyyy xxx"}
    body: dict[str, Any] = {"fields": ["name", "groups.created_at"], "csv_field_options": output}
    found = objects(acme, "contact", **body)
    dates = {group["created_at"][4:] for each in found for group in each["groups"]}
    assert dates == {" -05:00"} or dates == {" -04:00"}


def test_a_preview_has_the_header_and_row_count_of_the_file(
    records: None, acme: Organization
) -> None:
    body = {"resource": "contact", "includes": ["groups"], "format": "csv"}
    result = preview(parse_export(body), acme.pk)
    header, *rows = table(acme, "contact", "csv", includes=["groups"])
    assert result.header == header
    assert result.records_count == len(rows)


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
    [found] = objects(acme, "contact", **body)
    # Compares stored columns only.
    computed = {name for name in found if name.startswith("_")} | {"checksum"}
    assert {name: value for name, value in found.items() if name not in computed} == {
        "name": "One",
        "is_primary": False,
        "metadata": {"kept": 0, "list": [None]},
        "addresses": [{}],
        "groups": [
            {
                "name": "Crew",
                "resource": "contact",
                "children_count": 0,
                "checksum": found["groups"][0]["checksum"],
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
    assert lines == [found]


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


def test_the_number_of_queries_is_independent_of_the_records(
    acme: Organization, globex: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []
    for _ in range(2):
        fill(acme, globex)
        statements: list[str] = []
        execute = psycopg.Connection.execute

        def counted(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
            statements.append(str(query))  # noqa: B023
            return execute(self, query, *args, **kwargs)  # noqa: B023

        with monkeypatch.context() as patched:
            patched.setattr(psycopg.Connection, "execute", counted)
            assert objects(acme, "shipment", includes=["destination_contact.groups.location"])
        counts.append(len(statements))
    assert counts[0] == counts[1] > 0


@pytest.mark.parametrize(("file_format", "alias"), [("json", "row1_groups"), ("csv", "row_groups")])
def test_a_shared_related_record_is_computed_once(
    file_format: str, alias: str, acme: Organization
) -> None:
    crew = Group.objects.create(organization=acme, name="Crew")
    contacts = Contact.objects.bulk_create(
        Contact(organization=acme, name=f"Contact {number}") for number in range(2000)
    )
    links = Contact.groups.through.objects
    links.bulk_create(Contact.groups.through(contact=each, group=crew) for each in contacts)
    spec = parse_export({"resource": "contact", "format": file_format, "includes": ["groups"]})
    query = compile_export(spec, acme.pk).query.as_string(None)
    with connection.cursor() as cursor:
        cursor.execute(
            "ANALYZE longshore_logistics_contact, longshore_logistics_group, "
            "longshore_logistics_contactgroup"
        )
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}")
        [(plans,)] = cursor.fetchall()
    loops = [each["Actual Loops"] for each in scans(plans[0]["Plan"], alias)]
    assert loops == [1]


def scans(plan: dict[str, Any], alias: str) -> Iterator[dict[str, Any]]:
    """Yield the steps of a plan that read the table with this alias."""
    if plan.get("Alias") == alias and "Relation Name" in plan:
        yield plan
    for inner in plan.get("Plans", ()):
        yield from scans(inner, alias)


def test_the_tenant_condition_is_not_repeated_for_records_owned_through_their_parent(
    own_registry: Registry, acme: Organization, globex: Organization
) -> None:
    hidden = frozenset({"request", "spec", "failure"})
    own_registry.register(Resource("job", "jobs", Export, includes=("files",), hidden=hidden))
    own_registry.register(
        Resource(
            *("file", "files", ExportFile),
            organization="export__organization",
            includes=("export.files",),
        )
    )
    for number, owner in enumerate((acme, globex)):
        export = Export.objects.create(organization=owner, request={}, spec={})
        ExportFile.objects.create(
            export=export, name=owner.slug, storage_key=str(number), rows=0, bytes=0
        )
    spec = parse_export({"resource": "job", "format": "json", "includes": ["files"]})
    assert compile_export(spec, acme.pk).query.as_string(None).count('organization_id" = ') == 1
    body: dict[str, Any] = {"options": {}}
    for owner in (acme, globex):
        [job] = objects(owner, "job", fields=["files.name"], **body)
        assert job == {"files": [{"name": owner.slug}]}
        [file] = objects(owner, "file", fields=["name", "export.files.name"], **body)
        assert file == {"name": owner.slug, "export": job}


def test_a_limit_counts_records_in_the_requested_order(records: None, acme: Organization) -> None:
    options = {"order_by": "-name", "limit": 3}
    found = objects(acme, "contact", includes=["groups", "locations"], options=options)
    contacts = resource("contact").model._default_manager.filter(organization=acme)
    expected = list(contacts.order_by("-name", "-pk"))[:3]
    for actual, record in zip(found, expected, strict=True):
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
