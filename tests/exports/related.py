"""Records of every logistics kind, linked in every way, and what the ORM says of them."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

import pyarrow.parquet
from django.db.models import Model
from openpyxl import load_workbook

from exports.reading.stream import ExportStream
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import (
    Contact,
    Fulfillment,
    Item,
    Location,
    Manifest,
)
from longshore.domains.logistics.models.base import Record
from longshore.resources.columns import ColumnType
from longshore.resources.registry import Resource, registry
from tests.factories import (
    ArticleFactory,
    AssetFactory,
    ContactFactory,
    FulfillmentFactory,
    GroupFactory,
    ItemFactory,
    LevelFactory,
    LocationFactory,
    ManifestFactory,
    ShipmentFactory,
    ShippingLabelInferenceFactory,
    TrackerFactory,
)

_FACTORIES = (
    *(LocationFactory, GroupFactory, ContactFactory, ItemFactory, AssetFactory, ManifestFactory),
    *(FulfillmentFactory, ShipmentFactory, TrackerFactory, ShippingLabelInferenceFactory),
)
Tree = dict[str, Any]


def fill(*organizations: Organization) -> None:
    """Four records of each kind for each organization: one is linked to nothing, one to none but
    the last organization's, and the others to their own."""
    made: dict[tuple[str, type[Model]], list[Record]] = {}
    for owner in organizations:
        for factory in _FACTORIES:
            records: Any = factory.create_batch(4, organization=owner)
            made[owner.pk, type(records[0])] = records
    stranger = organizations[-1]
    for (owner_id, model), records in made.items():
        for field in model._meta.concrete_fields:
            if not field.many_to_one or field.name == "organization":
                continue
            target_model = cast("type[Model]", field.related_model)
            near, far = (owner_id, target_model), (stranger.pk, target_model)
            for record, target in zip(
                records[1:], (made[far][0], made[near][2], made[near][3]), strict=True
            ):
                # A group is never its own parent.
                setattr(record, field.name, None if target is record else target)
        for record in records:
            record.metadata = {"a": [1, {"b": None}], "é": "x,\n"}
            record.save()
        for contact in records if model is Contact else ():
            assert isinstance(contact, Contact)
            for name in ("groups", "locations"):
                target_model = cast("type[Model]", contact._meta.get_field(name).related_model)
                link = getattr(contact, name)
                link.set([*made[owner_id, target_model][2:], made[stranger.pk, target_model][0]])
        if model is Contact:
            records[0].groups.clear()
        for number, record in enumerate(records):
            for place in range(number):
                fill_embedded(record, place, made[owner_id, Location][place])


def fill_embedded(record: Record, place: int, location: Any) -> None:
    """Give a record one more of its parts that are no resource, such as an article."""
    if isinstance(record, Fulfillment):
        ArticleFactory.create(fulfillment=record, name=f"Article {place}")
    elif isinstance(record, Manifest):
        ArticleFactory.create(fulfillment=None, manifest=record, name=f"Article {place}")
    elif isinstance(record, Item):
        LevelFactory.create(item=record, location=location, layout_name=f"Shelf {place}")


def tree_of(paths: Iterable[str]) -> Tree:
    tree: Tree = {}
    for path in paths:
        node = tree
        for step in path.split("."):
            node = node.setdefault(step, {})
    return tree


def related(record: Model, name: str, owner: Organization) -> Any:
    """An owner's record that is related to another, or None; or a list of them by label."""
    resource = resource_of(record)
    if not record._meta.get_field(name).many_to_many and not (
        record._meta.get_field(name).one_to_many
    ):
        found = getattr(record, name)
        return found if found is not None and found.organization_id == owner.pk else None
    relation = resource.relations_by_name.get(name)
    label = relation.label if relation else "pk"
    if name in resource.embedded:
        return list(getattr(record, name).order_by(label, "pk"))
    return list(getattr(record, name).filter(organization=owner).order_by(label, "pk"))


def resource_of(record: Model) -> Resource:
    resource = registry.for_model(type(record))
    assert resource is not None
    return resource


def embedded(record: Model, name: str) -> list[dict[str, Any]]:
    """The parts of a record that are no resource, as objects of what their relation shows."""
    relation = resource_of(record).relations_by_name[name]
    parts = getattr(record, name).order_by(relation.label, "pk")
    return [{field: _plain(getattr(each, field)) for field in relation.fields} for each in parts]


def plain(record: Model) -> dict[str, Any]:
    """What is stored of a record, as JSON has it."""
    hidden = resource_of(record).hidden
    return {
        field.attname: _plain(getattr(record, field.attname))
        for field in record._meta.concrete_fields
        if field.name not in hidden
    }


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds")
    return float(value) if isinstance(value, Decimal) else value


def check(actual: Any, record: Model | None, tree: Tree, owner: Organization) -> None:
    """Whether an object of a file is a record with what the tree includes."""
    if record is None:
        assert actual is None
        return
    expected = plain(record)
    assert {name: actual[name] for name in expected} == expected
    resource = resource_of(record)
    assert set(actual) == {*resource.columns_by_name, *tree, *resource.embedded}
    for name in resource.embedded:
        assert actual[name] == embedded(record, name)
    tree = {name: inner for name, inner in tree.items() if name not in resource.embedded}
    for name, inner in tree.items():
        found = related(record, name, owner)
        if not isinstance(found, list):
            check(actual[name], found, inner, owner)
            continue
        for each, other in zip(actual[name], found, strict=True):
            check(each, other, inner, owner)


def content(owner: Organization, resource: str, file_format: str, **body: Any) -> bytes:
    body = {"options": {"order_by": "id"}, "resource": resource, "format": file_format} | body
    return b"".join(ExportStream(parse_export(body), owner.pk))


def objects(owner: Organization, resource: str, file_format: str = "json", **body: Any) -> Any:
    data = content(owner, resource, file_format, **body)
    if file_format == "json":
        return json.loads(data)
    return [json.loads(line) for line in data.decode().split("\n")[:-1]]


def table(owner: Organization, resource: str, file_format: str, **body: Any) -> list[Any]:
    """The rows of a file as lists of values, its header first."""
    data = content(owner, resource, file_format, **body)
    if file_format == "csv":
        return list(csv.reader(io.StringIO(data.decode(), newline="")))
    if file_format == "parquet":
        read = pyarrow.parquet.read_table(io.BytesIO(data))
        return [read.column_names, *(list(row.values()) for row in read.to_pylist())]
    sheet = load_workbook(io.BytesIO(data)).active
    assert sheet is not None
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def text_cells(record: Model | None, resource: Resource, prefix: str = "") -> dict[str, Any]:
    """What stands in the text columns of a record's row, None where there is nothing."""
    texts = [
        name for name, each in resource.columns_by_name.items() if each.kind is ColumnType.TEXT
    ]
    names = {field.attname for field in resource.model._meta.concrete_fields}
    stored = plain(record) if record else {}
    return {f"{prefix}{name}": stored.get(name) or None for name in texts if name in names}


def part_cells(part: Model | None, owner: Resource, name: str) -> dict[str, Any]:
    """What stands in the text columns of a related record."""
    relation, target = owner.related(name)
    if target is not None:
        return text_cells(part, target, f"{name}.")
    texts = [field for field in relation.fields if relation.columns[field].kind is ColumnType.TEXT]
    return {f"{name}.{text}": getattr(part, text, None) or None for text in texts}


def header_of(resource: Resource, name: str) -> list[str]:
    """The header of a table that includes a relation."""
    header = list(resource.columns_by_name)
    for each in dict.fromkeys([*resource.embedded, name]):
        relation, target = resource.related(each)
        if each != name and not resource.related(name)[0].repeatable:
            header.append(each)
            continue
        brief = relation.joined or target is None
        shown = relation.fields if brief or target is None else target.columns_by_name
        header += [f"{each}.{column}" for column in shown]
    return header


def rows_of(record: Model, name: str, owner: Organization) -> Iterator[dict[str, Any]]:
    """The text cells of a record's rows in a table that includes a relation: one for each record
    of each relation to many in turn, and one where there is none."""
    resource = resource_of(record)
    found = related(record, name, owner)
    cells = text_cells(record, resource)
    if not resource.related(name)[0].repeatable:
        for each in resource.embedded:
            labels = related(record, each, owner)
            label = resource.relations_by_name[each].label
            cells[each] = ", ".join(getattr(part, label) for part in labels) or None
        # Joined records have cells of their own, which another test compares.
        yield cells | ({} if isinstance(found, list) else part_cells(found, resource, name))
        return
    names = list(dict.fromkeys([*resource.embedded, name]))
    for each in names:
        cells |= part_cells(None, resource, each)
    parts = [(each, part) for each in names for part in related(record, each, owner)]
    for each, part in parts:
        yield cells | part_cells(part, resource, each)
    if not parts:
        yield cells
