"""Models that are less common, but need no special declaration: files and lists have their rows."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange, NumericRange

from exports.execution.checks import check_statements_of
from longshore.accounts.models import Organization
from longshore.resources.checks import check_resource
from longshore.resources.filters import Selection
from longshore.resources.listing import Listing
from longshore.resources.registry import Registry
from tests.awkward.files import rows
from tests.awkward.plain_models import (
    RESOURCES,
    TABLES,
    Badge,
    Category,
    Device,
    Reading,
    Repair,
)

FORMATS = ("csv", "json", "jsonl", "parquet", "xlsx")
KEY = UUID("0f5e7a3c-98a4-4a3e-9f4c-2f63c4ad3f10")
EARLIER, LATER = datetime(2023, 7, 4, 12, tzinfo=UTC), datetime(2024, 7, 4, 12, tzinfo=UTC)


@pytest.fixture
def plain(own_registry: Registry, acme: Organization, globex: Organization) -> None:
    """Create the tables, and records of two organizations."""
    with connection.schema_editor() as editor:
        for model in (Device, Badge, Repair, Category):
            editor.create_model(model)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(TABLES)
    for organization, key in ((globex, UUID(int=7)), (acme, KEY)):
        device = Device.objects.create(
            id=key,
            organization=organization,
            serial=f"sn-{organization.slug}",
            address="2001:db8::1",
            uptime=timedelta(days=3, hours=2, microseconds=5),
            rented=DateRange(date(2024, 1, 1), date(2024, 2, 1)),
            ports=NumericRange(8000, 8080),
            volts=NumericRange(Decimal("1.5"), None),
        )
        Badge.objects.create(device=device, text=f"Badge {organization.slug}")
        Repair.objects.create(device=device, cost=Decimal("12.50"))
        parent = Category.objects.create(organization=organization, name="Tools")
        Category.objects.create(organization=organization, name="Saws", parent=parent)
        for number, taken_at in ((1, EARLIER), (2, LATER)):
            Reading.objects.create(
                pk=key.int % 1000 + number, organization=organization, taken_at=taken_at, value=1.5
            )
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("REFRESH MATERIALIZED VIEW awkward_stored_total")
    for resource in RESOURCES:
        own_registry.register(resource)


def expected(acme: Organization) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of acme in a JSON file, in the order of the names of the resources."""
    saws, tools = Category.objects.filter(organization=acme).order_by("name")
    repair = Repair.objects.get(device_id="sn-acme")
    readings = Reading.objects.filter(organization=acme).order_by("-taken_at")
    total = {"id": acme.pk, "organization_id": acme.pk, "total": 3.0}
    return {
        "device": [
            {
                "id": str(KEY),
                "organization_id": acme.pk,
                "serial": "sn-acme",
                "address": "2001:db8::1",
                "uptime": "P3DT2H0.000005S",
                "label": "SN-ACME",
                "rented": "[2024-01-01,2024-02-01)",
                "ports": "[8000,8080)",
                "volts": "[1.5,)",
                "repairs": [{"id": repair.pk, "cost": 12.5}],
                "badge": {"device_id": str(KEY), "text": "Badge acme"},
            }
        ],
        "badge": [{"device_id": str(KEY), "text": "Badge acme"}],
        "repair": [
            {
                "id": repair.pk,
                "device_id": "sn-acme",
                "cost": 12.5,
                "device": {"id": str(KEY), "serial": "sn-acme", "label": "SN-ACME"},
            }
        ],
        "category": [
            {
                "id": each.pk,
                "organization_id": acme.pk,
                "name": each.name,
                "parent_id": each.parent_id,
                "parent": parent and {"id": parent.pk, "name": parent.name},
                "children": [{"id": child.pk, "name": child.name} for child in children],
            }
            for each, parent, children in ((saws, tools, []), (tools, None, [saws]))
        ],
        "reading": [
            {
                "id": each.pk,
                "organization_id": acme.pk,
                "taken_at": each.taken_at.strftime("%Y-%m-%dT%H:%M:%S.000000+00:00"),
                "value": 1.5,
            }
            for each in readings
        ],
        "total": [total],
        "stored_total": [total],
    }


def by_key(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(found, key=lambda row: str(next(iter(row.values()))))


def test_files_have_the_rows_of_every_model(plain: None, acme: Organization) -> None:
    for name, records in expected(acme).items():
        assert by_key(rows(acme, name, "json")) == by_key(records), name


@pytest.mark.slow
@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.name)
@pytest.mark.parametrize("file_format", FORMATS)
def test_every_format_and_nesting(
    resource: Any, file_format: str, plain: None, acme: Organization
) -> None:
    own = expected(acme)[resource.name]
    key = resource.names[0]
    nestings = ("keep",) if file_format in ("json", "jsonl") else ("merge", "repeat", "flatten")
    for nesting in nestings:
        output = {} if nesting == "keep" else {"properties": nesting}
        found = rows(acme, resource.name, file_format, output=output)
        assert {str(row[key]) for row in found} == {str(row[key]) for row in own}


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.name)
def test_lists_by_pages(resource: Any, plain: None, acme: Organization) -> None:
    listing = Listing(resource, Selection(), resource.names)
    found, after = [], None
    while True:
        page = listing.page(acme.pk, 1, after)
        found += page.records
        if page.next is None:
            break
        after = page.next
    assert len(found) == len(expected(acme)[resource.name])


@pytest.mark.parametrize(
    ("name", "options", "count"),
    [
        ("device", {"id": str(KEY)}, 1),
        ("device", {"serial": "sn-acme"}, 1),
        ("device", {"serial": "sn-globex"}, 0),
        ("device", {"label": "SN-ACME"}, 1),
        ("device", {"repairs.cost": "gte:12.5"}, 1),
        ("device", {"badge.text": "Badge acme"}, 1),
        ("repair", {"device.label": "SN-ACME"}, 1),
        ("repair", {"device_id": "sn-acme"}, 1),
        ("category", {"parent.name": "Tools"}, 1),
        ("category", {"children.name": "Saws"}, 1),
        ("reading", {"taken_at": "gte:2024-01-01"}, 1),
        ("total", {"total": "3"}, 1),
    ],
)
def test_filters(
    name: str, options: dict[str, Any], count: int, plain: None, acme: Organization
) -> None:
    assert len(rows(acme, name, "json", options=options)) == count


def test_date_range_of_a_partitioned_table(plain: None, acme: Organization) -> None:
    assert len(rows(acme, "reading", "json", date_from="2024-01-01", date_to="2024-12-31")) == 1


@pytest.mark.slow
@pytest.mark.parametrize("resource", RESOURCES, ids=lambda each: each.name)
def test_checks_report_nothing(resource: Any, plain: None) -> None:
    # The primary key of a badge is its device: no batch can create one.
    known = ["longshore_resources.I002"] if resource.name == "badge" else []
    assert [each.id for each in check_resource(resource)] == known
    assert [*check_statements_of(connection, resource)] == []
