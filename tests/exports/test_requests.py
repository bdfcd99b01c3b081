"""The seven documented requests: each file equals the records that the ORM returns."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db.models import Manager, Model, QuerySet

from exports.execution import runner
from exports.models import Export, Status
from longshore.domains.logistics.models import (
    Contact,
    Group,
    Location,
    Shipment,
    ShippingLabelInference,
    Tracker,
)
from longshore.resources.folding import SortKey
from tests.conftest import KeyClient
from tests.exports.conftest import downloaded, key_of
from tests.exports.nested import joined
from tests.exports.spreadsheets import escaped

pytestmark = pytest.mark.django_db(transaction=True)

REQUESTS = Path(__file__).parent / "requests"
NEW_YORK = ZoneInfo("America/New_York")
DECEMBER = (
    datetime.fromtimestamp(1732993200, UTC),
    datetime.fromtimestamp(1734548400, UTC),
)
MOVING = {
    "provider__in": ["fedex", "ups", "usps"],
    "status__in": ["pickup_available", "delivered", "completed"],
    "created_at__range": DECEMBER,
}


def acme(model: type[Any]) -> QuerySet[Any]:
    return cast("QuerySet[Any]", model.objects.filter(organization__slug="acme"))


EXPECTED: dict[str, Callable[[], QuerySet[Any]]] = {
    "quick_start": lambda: (
        acme(Shipment)
        .filter(created_at__gte=datetime(2024, 1, 1, tzinfo=NEW_YORK))
        .order_by("-created_at", "-pk")[:1000]
    ),
    "contacts_of_group": lambda: (
        acme(Contact).filter(groups="grp_19asti9p9u8sBaiJVPxFUF").order_by("created_at", "pk")
    ),
    "contact_groups": lambda: (
        acme(Group).filter(resource="contact").order_by(SortKey("name"), "pk")
    ),
    "label_inferences": lambda: acme(ShippingLabelInference).filter(
        provider_name="usps", metadata__service="inbound", created_at__range=DECEMBER
    ),
    "shipments": lambda: acme(Shipment).filter(**MOVING),
    "trackers": lambda: acme(Tracker).filter(**MOVING),
    "locations": lambda: acme(Location).order_by(SortKey("name"), "pk"),
}
LABELS = {"tracker": "tracking_number", "manifest": "reference_number"}


@pytest.fixture
def demo(alice: KeyClient) -> None:
    for slug in ("acme", "globex"):
        call_command("demo_data", rows=4000, organization=slug)


def computed(record: Any, name: str) -> Any:
    """Return the value of a column, which may be computed and not a field of the model."""
    match name:
        case "_search":
            return record.search_text
        case "_experimental":
            return record.experimental
        case "children_count":
            return record.children.count()
        case "_inbound_trackers" | "_outbound_trackers":
            direction = name.split("_")[1]
            return Tracker.objects.filter(destination_contact=record, type=direction).count()
    return getattr(record, name)


def matches(cell: str, value: Any) -> bool:
    """Return whether a cell shows a value as `merge` does."""
    if isinstance(value, Manager):
        names = value.order_by(SortKey("name"), "pk").values_list("name", flat=True)
        return cell == escaped(joined(names))
    if isinstance(value, Model):
        label = getattr(value, LABELS.get(str(value._meta.model_name), "name"))
        return bool(cell == escaped(value.pk if label is None else label))
    if isinstance(value, datetime):
        return cell == value.astimezone(NEW_YORK).strftime("%m/%d/%Y %I:%M:%S %p")
    if isinstance(value, bool):
        return cell == str(value).lower()
    if isinstance(value, list) and not any(isinstance(item, dict | list) for item in value):
        return cell == escaped(joined("" if item is None else str(item) for item in value))
    if isinstance(value, dict | list):
        return bool(json.loads(cell) == value)
    if isinstance(value, str):
        return cell == escaped(value)
    return cell == ("" if value is None else str(value))


@pytest.mark.parametrize("name", EXPECTED)
def test_the_file_equals_the_database(alice: KeyClient, demo: None, name: str) -> None:
    body = json.loads((REQUESTS / f"{name}.json").read_text())
    response = alice.post("/v1/exports", body)
    assert response.status_code == 201, response.content
    expected = list(EXPECTED[name]())
    assert expected
    assert response.json()["records_count"] == len(expected)

    runner.run(key_of(response.json()))
    export = Export.objects.get()
    assert export.status == Status.COMPLETED, export.error
    url = alice.get(f"/v1/exports/{export.public_id}/download").json()["url"]
    content = downloaded(url).decode()
    header, *rows = list(csv.reader(io.StringIO(content, newline="")))

    chosen = body["csv_field_options"]["columns"]
    order = body["csv_field_options"].get("column_order", [])
    assert header == [*order, *(column for column in chosen if column not in order)]
    assert len(rows) == len(expected)
    if "order_by" in body["options"] or body["options"]["limit"] != "all":
        assert [row[0] for row in rows] == [record.pk for record in expected]
    records = {record.pk: record for record in expected}
    for row in rows:
        record = records.pop(row[0])
        for column, cell in zip(header, row, strict=True):
            value = computed(record, column)
            assert matches(cell, value), (column, cell, value)
    assert not records
