"""What an export wrote with related records is read back by a batch, and written again."""

import io
import json
import zipfile
from typing import Any

import pytest

from batches.models import BatchError
from batches.targets import Targets
from exports.reading.stream import ExportStream
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.domains.commerce.models import LineItem, LineItemOption, Order
from longshore.domains.logistics.models import (
    Article,
    Contact,
    Fulfillment,
    Group,
    Item,
    Level,
    Location,
)
from longshore.resources.registry import Resource, registry
from tests.batches.running import created, post_file, run
from tests.conftest import KeyClient
from tests.exports.conftest import storage
from tests.records import a_record

__all__ = ["storage"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("storage")]

RELATIONS = [
    pytest.param(resource, name, id=f"{resource.name}.{name}")
    for resource in registry
    for name in Targets(resource).parts
    if name in resource.includable
]
_LINE = ("order__number", "name", "sku_code", "quantity")
FORMATS = ["json", "jsonl", "csv", "xlsx", "parquet"]


def exported(organization: Organization, resource: Resource, **body: Any) -> bytes:
    request = {
        "resource": resource.name,
        "compression": "none",
        "options": {"order_by": "id"},
        **body,
    }
    return b"".join(ExportStream(parse_export(request), organization.pk))


def content(file: bytes) -> Any:
    """Return a file without the times that a workbook has."""
    if not file.startswith(b"PK"):
        return file
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        return {name: archive.read(name) for name in archive.namelist() if "core" not in name}


def sent(client: KeyClient, content: bytes, resource: Resource, name: str, **request: Any) -> Any:
    request = {"resource": resource.name, "mode": "async", **request}
    return run(created(post_file(client, content, name, **request)))


def records(resource: Resource, name: str, organization: Organization) -> None:
    part = Targets(resource).parts[name]
    for _ in range(2):
        record = a_record(resource.model, organization)
        for _ in range(2):
            a_record(part.resource.model, organization, **{part.field.name: record})
    a_record(resource.model, organization)


@pytest.mark.parametrize(("resource", "name"), RELATIONS)
def test_an_export_with_parts_is_unchanged_in_every_format(
    alice: KeyClient, acme: Organization, resource: Resource, name: str
) -> None:
    records(resource, name, acme)
    for file_format in FORMATS:
        before = exported(acme, resource, format=file_format, includes=[name])
        batch = sent(alice, before, resource, f"a.{file_format}", action="overwrite")
        errors = BatchError.objects.filter(batch=batch).values_list("row", "column", "message")
        assert (batch.status, batch.error, list(errors)) == ("completed", None, []), file_format
        assert batch.unchanged_count == resource.model._default_manager.count(), file_format
        after = exported(acme, resource, format=file_format, includes=[name])
        assert content(after) == content(before), file_format


def orders(organization: Organization) -> list[Order]:
    found = []
    for number in range(3):
        order = a_record(Order, organization, number=f"N{number}", total_amount_cents=number)
        for line in range(number):
            a_record(LineItem, organization, order=order, sku_code=f"S{line}", name=f"L {line}")
        found.append(order)
    return found


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_changed_export_is_written(
    alice: KeyClient, acme: Organization, file_format: str
) -> None:
    orders(acme)
    order = registry.get("order")
    assert order is not None
    fields = ["number", "line_items.id", "line_items.sku_code", "line_items.quantity"]
    body = {"format": file_format, "fields": fields}
    LineItem.objects.update(quantity=4, unit_amount_cents=0)
    changed = exported(acme, order, **body)
    LineItem.objects.update(quantity=1)
    batch = sent(alice, changed, order, f"a.{file_format}")
    assert (batch.status, batch.error, batch.updated_count) == ("completed", None, 2)
    assert content(exported(acme, order, **body)) == content(changed)
    again = sent(alice, changed, order, f"a.{file_format}")
    assert (again.unchanged_count, again.updated_count) == (3, 0)


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_wiped_order_comes_back_without_ids(
    alice: KeyClient, acme: Organization, file_format: str
) -> None:
    orders(acme)
    order = registry.get("order")
    assert order is not None
    fields = ["number", "line_items.name", "line_items.sku_code", "line_items.quantity"]
    body = {"format": file_format, "fields": fields, "options": {"order_by": "number"}}
    before, lines = exported(acme, order, **body), set(LineItem.objects.values_list(*_LINE))
    Order.objects.all().delete()
    batch = sent(alice, before, order, f"a.{file_format}")
    assert (batch.status, batch.error, batch.created_count) == ("completed", None, 3)
    assert set(LineItem.objects.values_list(*_LINE)) == lines
    assert LineItem.objects.count() == 3


def test_records_two_relations_away_are_read_back(alice: KeyClient, acme: Organization) -> None:
    for each in orders(acme):
        for line in each.line_items.all():
            a_record(LineItemOption, acme, line_item=line)
    order = registry.get("order")
    assert order is not None
    body = {"format": "json", "includes": ["line_items.line_item_options"]}
    before = exported(acme, order, **body)
    batch = sent(alice, before, order, "a.json", action="overwrite")
    assert (batch.status, batch.error, batch.unchanged_count) == ("completed", None, 3)
    data = json.loads(before)
    line = next(line for each in data for line in each["line_items"])
    line["line_item_options"][0]["name"] = "Engraving"
    batch = sent(alice, json.dumps(data).encode(), order, "a.json", action="overwrite")
    assert (batch.error, batch.updated_count, batch.unchanged_count) == (None, 1, 2)
    assert LineItemOption.objects.get(name="Engraving").line_item_id == line["id"]


@pytest.mark.parametrize("nesting", ["merge", "flatten", "repeat"])
@pytest.mark.parametrize("name", ["articles", "levels"])
def test_every_nesting_of_embedded_records_is_read_back(
    alice: KeyClient, acme: Organization, name: str, nesting: str
) -> None:
    if name == "articles":
        record = a_record(Fulfillment, acme)
        for sku in "AB":
            Article.objects.create(fulfillment=record, sku=sku, name=f"Cup, {sku}", value="1.5")
    else:
        record = a_record(Item, acme)
        for layout in ("", "S1"):
            place = a_record(Location, acme)
            Level.objects.create(item=record, location=place, layout_id=layout, verified_qty=2)
    a_record(type(record), acme)
    resource = registry.for_model(type(record))
    assert resource is not None
    options = {"columns": ["id", name], "properties": nesting}
    before = exported(acme, resource, format="csv", csv_field_options=options)
    batch = sent(alice, before, resource, "a.csv", action="overwrite")
    assert (batch.status, batch.error, batch.unchanged_count) == ("completed", None, 2)
    assert exported(acme, resource, format="csv", csv_field_options=options) == before


def test_rows_repeated_for_links_are_one_record(alice: KeyClient, acme: Organization) -> None:
    contact = registry.get("contact")
    assert contact is not None
    groups = [a_record(Group, acme, name=name) for name in ("Night", "Yard, north")]
    places = [a_record(Location, acme, name=name) for name in ("Dock", "Hall")]
    ada, bo = (a_record(Contact, acme, name=name) for name in ("Ada", "Bo"))
    ada.groups.set(groups)
    ada.locations.set(places)
    columns = ["id", "name", "groups", "locations"]
    options = {"columns": columns, "properties": "repeat"}
    before = exported(acme, contact, format="csv", csv_field_options=options)
    assert before.count(b"\n") == 6
    batch = sent(alice, before, contact, "a.csv")
    assert (batch.status, batch.error, batch.unchanged_count) == ("completed", None, 2)
    ada.groups.set(groups[:1])
    bo.locations.set(places)
    batch = sent(alice, before, contact, "a.csv")
    assert (batch.error, batch.updated_count, batch.failed_count) == (None, 2, 0)
    assert exported(acme, contact, format="csv", csv_field_options=options) == before
