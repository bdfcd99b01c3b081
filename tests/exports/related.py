"""Linked records of every logistics resource, and the expected exports according to the ORM."""

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
    """Create four records of each resource for each organization.

    One has no related records, one only related records of the last organization, and the others
    related records of their own organization.
    """
    created: dict[tuple[str, type[Model]], list[Record]] = {}
    for owner in organizations:
        for factory in _FACTORIES:
            records: Any = factory.create_batch(4, organization=owner)
            created[owner.pk, type(records[0])] = records
    other = organizations[-1]
    for (owner_id, model), records in created.items():
        for field in model._meta.concrete_fields:
            if not field.many_to_one or field.name == "organization":
                continue
            target_model = cast("type[Model]", field.related_model)
            own, foreign = (owner_id, target_model), (other.pk, target_model)
            for record, target in zip(
                records[1:], (created[foreign][0], created[own][2], created[own][3]), strict=True
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
                link.set([*created[owner_id, target_model][2:], created[other.pk, target_model][0]])
        if model is Contact:
            records[0].groups.clear()
        for number, record in enumerate(records):
            for index in range(number):
                fill_embedded(record, index, created[owner_id, Location][index])


def fill_embedded(record: Record, index: int, location: Any) -> None:
    """Add an embedded record, which is not a resource, to a record: an article or a level."""
    if isinstance(record, Fulfillment):
        ArticleFactory.create(fulfillment=record, name=f"Article {index}")
    elif isinstance(record, Manifest):
        ArticleFactory.create(fulfillment=None, manifest=record, name=f"Article {index}")
    elif isinstance(record, Item):
        LevelFactory.create(item=record, location=location, layout_name=f"Shelf {index}")


def tree_of(paths: Iterable[str]) -> Tree:
    """Return the includes as a tree of relation names."""
    tree: Tree = {}
    for path in paths:
        node = tree
        for step in path.split("."):
            node = node.setdefault(step, {})
    return tree


def related(record: Model, name: str, owner: Organization) -> Any:
    """Return the related record that the owner has, or None; a list of them if to-many."""
    resource = resource_of(record)
    if not record._meta.get_field(name).many_to_many and not (
        record._meta.get_field(name).one_to_many
    ):
        target = getattr(record, name)
        return target if target is not None and target.organization_id == owner.pk else None
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
    """Return a record's embedded records as objects of the relation's fields."""
    relation = resource_of(record).relations_by_name[name]
    records = getattr(record, name).order_by(relation.label, "pk")
    return [{field: _plain(getattr(each, field)) for field in relation.fields} for each in records]


def plain(record: Model) -> dict[str, Any]:
    """Return the stored columns of a record as JSON values."""
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
    """Assert that an exported object is the record with the includes of the tree."""
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
        expected_related = related(record, name, owner)
        if not isinstance(expected_related, list):
            check(actual[name], expected_related, inner, owner)
            continue
        for exported, target in zip(actual[name], expected_related, strict=True):
            check(exported, target, inner, owner)


def content(owner: Organization, resource: str, file_format: str, **body: Any) -> bytes:
    body = {"options": {"order_by": "id"}, "resource": resource, "format": file_format} | body
    return b"".join(ExportStream(parse_export(body), owner.pk))


def objects(owner: Organization, resource: str, file_format: str = "json", **body: Any) -> Any:
    data = content(owner, resource, file_format, **body)
    if file_format == "json":
        return json.loads(data)
    return [json.loads(line) for line in data.decode().split("\n")[:-1]]


def table(owner: Organization, resource: str, file_format: str, **body: Any) -> list[Any]:
    """Return the rows of a file as lists of values, its header first."""
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
    """Return the expected cells of a record's text columns; None for empty cells."""
    texts = [
        name for name, column in resource.columns_by_name.items() if column.kind is ColumnType.TEXT
    ]
    names = {field.attname for field in resource.model._meta.concrete_fields}
    stored = plain(record) if record else {}
    return {f"{prefix}{name}": stored.get(name) or None for name in texts if name in names}


def related_cells(record: Model | None, owner: Resource, name: str) -> dict[str, Any]:
    """Return the expected cells of a related record's text columns."""
    relation, target = owner.related(name)
    if target is not None:
        return text_cells(record, target, f"{name}.")
    texts = [field for field in relation.fields if relation.columns[field].kind is ColumnType.TEXT]
    return {f"{name}.{text}": getattr(record, text, None) or None for text in texts}


def header_of(resource: Resource, name: str) -> list[str]:
    """Return the expected header of a table that includes a relation."""
    header = list(resource.columns_by_name)
    for each in dict.fromkeys([*resource.embedded, name]):
        relation, target = resource.related(each)
        if each != name and not resource.related(name)[0].repeatable:
            header.append(each)
            continue
        is_brief = relation.joined or target is None
        columns = relation.fields if is_brief or target is None else target.columns_by_name
        header += [f"{each}.{column}" for column in columns]
    return header


def rows_of(record: Model, name: str, owner: Organization) -> Iterator[dict[str, Any]]:
    """Yield the expected text cells of a record's rows in a table that includes a relation.

    Each record of each to-many relation has a row. A record without any has one row.
    """
    resource = resource_of(record)
    included = related(record, name, owner)
    cells = text_cells(record, resource)
    if not resource.related(name)[0].repeatable:
        for each in resource.embedded:
            label = resource.relations_by_name[each].label
            labels = (getattr(target, label) for target in related(record, each, owner))
            cells[each] = ", ".join(labels) or None
        # Another test compares the cells of to-many relations that do not repeat rows.
        is_list = isinstance(included, list)
        yield cells | ({} if is_list else related_cells(included, resource, name))
        return
    names = list(dict.fromkeys([*resource.embedded, name]))
    for each in names:
        cells |= related_cells(None, resource, each)
    targets = [(each, target) for each in names for target in related(record, each, owner)]
    for each, target in targets:
        yield cells | related_cells(target, resource, each)
    if not targets:
        yield cells


def resource(name: str) -> Resource:
    """Return a registered resource."""
    registered = registry.get(name)
    assert registered is not None
    return registered


def stored(name: str, owner: Organization) -> list[Any]:
    """Return the owner's records of a resource, by primary key."""
    records = resource(name).model._default_manager
    return list(records.filter(organization=owner).order_by("pk"))
