"""Whatever is asked, the rows of another organization never come, not even by corrupt links."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model, TextField
from psycopg import sql

from longshore.accounts.models import Organization
from longshore.domains.commerce.models import (
    StockTransfer,
    Tag,
    Transaction,
    TransactionKind,
)
from longshore.domains.commerce.models.base import Record
from longshore.domains.commerce.models.tags import Taggable
from longshore.resources.columns import Column, ColumnType
from longshore.resources.comparisons import NULLNESS, Operator
from longshore.resources.conditions import columns_of, relations_of
from longshore.resources.filters import _target, filter_names
from longshore.resources.matchers import MATCHERS, Takes, matchers
from longshore.resources.registry import Resource, registry
from tests.factories import (
    AssetFactory,
    ContactFactory,
    FulfillmentFactory,
    GroupFactory,
    ItemFactory,
    LocationFactory,
    ManifestFactory,
    ShipmentFactory,
    ShippingLabelInferenceFactory,
    TrackerFactory,
)
from tests.records import a_record
from tests.resources.conftest import Select

RANGES = (Operator.BWI, Operator.BWE)


@pytest.fixture
def corrupt(acme: Organization, globex: Organization) -> None:
    """Records of each organization that point to the other's, which bear its name."""
    for owner, other in ((acme, globex), (globex, acme)):
        of = {"organization": other}
        place = LocationFactory(**of, name=other.slug, code=other.slug)
        group = GroupFactory(**of, name=other.slug, location=place)
        contact = ContactFactory(**of, name=other.slug, groups=[group], locations=[place])
        manifest = ManifestFactory(**of, reference_number=other.slug, location=place)
        order = FulfillmentFactory(**of, order_number=other.slug, location=place)
        tracker = TrackerFactory(**of, tracking_number=other.slug, destination_contact=contact)
        links = {
            "location": place,
            "destination_contact": contact,
            "fulfillment": order,
            "manifest": manifest,
            "tracker": tracker,
        }
        ContactFactory(organization=owner, groups=[group], locations=[place])
        GroupFactory(organization=owner, parent=group, location=place)
        LocationFactory(organization=owner, terminal_location=place)
        shipment = ShipmentFactory(organization=owner, **links)
        TrackerFactory(organization=owner, current_shipment=shipment, sender_contact=contact)
        AssetFactory(organization=owner, item=ItemFactory(**of, name=other.slug), location=place)
        ShippingLabelInferenceFactory(organization=owner, tracker=tracker, location=place)


@pytest.fixture
def corrupt_shops(acme: Organization, globex: Organization) -> None:
    """The same of every commerce resource, by every foreign key and by tags."""
    _corrupt_shops(acme, globex, lambda field: True)


@pytest.fixture
def frayed_shops(acme: Organization, globex: Organization) -> None:
    """The same, by links only that a record can do without."""
    _corrupt_shops(acme, globex, lambda field: field.null)


def _corrupt_shops(acme: Organization, globex: Organization, linked: Callable[[Any], bool]) -> None:
    shops = [r.model for r in registry if issubclass(r.model, Record) and r.model._meta.managed]
    for owner, other in ((acme, globex), (globex, acme)):
        theirs = {model: a_record(model, other, **_texts(model, other.slug)) for model in shops}
        for model in shops:
            links = {
                field.name: theirs[field.related_model]
                for field in model._meta.concrete_fields
                if field.related_model in theirs and linked(field)
            }
            if model is Transaction:
                for kind in TransactionKind.values:
                    a_record(model, owner, **links, kind=kind)
                continue
            if model is StockTransfer:
                links.pop("destination_stock_location", None)
            record = a_record(model, owner, **links)
            if isinstance(record, Taggable):
                record.tags.add(theirs[Tag])


def _texts(model: type[Model], text: str) -> dict[str, str]:
    return {field.name: text for field in model._meta.concrete_fields if type(field) is TextField}


@pytest.mark.parametrize("resource", list(registry), ids=lambda resource: resource.name)
@pytest.mark.usefixtures("corrupt", "corrupt_shops")
def test_no_filter_reaches_another_organizations_records(
    resource: Resource, acme: Organization, select: Select
) -> None:
    own = set(resource.model._base_manager.filter(organization=acme).values_list("pk", flat=True))
    assert own
    related = [
        f"{relation.name}.{column}"
        for relation in resource.relations_by_name.values()
        for column in relation.columns
    ]
    for name in [*filter_names(resource), *related, "metadata.a.b"]:
        if name == "search":
            assert select(resource, {name: "globex"}) <= own
            continue
        _, column, allowed = _target(resource, name)
        for operator in allowed:
            found = select(resource, {name: some_request(column, operator)})
            assert found <= own, (name, operator)
            plain = column.kind is ColumnType.TEXT and not column.choices
            if name in related and operator is Operator.EQUALS and plain:
                assert not found, name


@pytest.mark.parametrize("resource", list(registry), ids=lambda resource: resource.name)
@pytest.mark.usefixtures("corrupt", "frayed_shops")
def test_predicates_find_what_they_would_without_the_other_organization(
    resource: Resource, acme: Organization, globex: Organization, match: Select
) -> None:
    """Through one relation or two, however what is asked is joined, negated or missing."""
    beyond: dict[str, Column] = {}
    for relation in resource.filterable_relations.values():
        # Of what is declared all, of what may be included as well its key.
        declared = relation.name in resource.relations_by_name
        shown = columns_of(relation) if declared else relation.columns
        further = relations_of(relation)
        through = {name: columns_of(each)[each.label] for name, each in further.items()}
        through = {f"{name}_{column.name}": column for name, column in through.items()}
        # A link is a value of the record that has it, wherever it leads.
        beyond |= {
            f"{relation.name}_{name}": column
            for name, column in {**shown, **through}.items()
            if column.field in (None, column.name)
        }
    asked = [
        {f"{attribute}_{matcher}": value}
        for attribute, column in beyond.items()
        if attribute not in resource.columns_by_name and "tags_" not in attribute
        for matcher in matchers(column.kind)
        if matcher in SOME
        for value in some_values(column, matcher)
    ]
    asked += [
        {f"id_or_{name}": raw} for each in asked for name, raw in each.items() if "_eq" in name
    ]
    tagged = [each for each in beyond if each.endswith("tags_name")]
    theirs = list(Tag.objects.filter(organization=globex).values_list("pk", flat=True))
    asked += [
        {f"{each.removesuffix('name')}id_{matcher}": theirs}
        for each in tagged
        for matcher in ("in", "not_in")
    ]
    before = [match(resource, each) for each in asked]
    globex.delete()
    assert resource.model._base_manager.filter(organization=acme).exists()
    for each, found in zip(asked, before, strict=True):
        assert match(resource, each) == found, each
    if resource.relations:
        assert any(before)
        assert not all(before)


SOME = (
    *("eq", "not_eq", "not_eq_or_null", "in_or_null", "lt_all", "cont", "not_end_any"),
    *("present", "null", "true", "jcont"),
)


def some_values(column: Column, matcher: str) -> list[Any]:
    """What would find a record of the other organization, or of this."""
    if MATCHERS[matcher].takes is Takes.FLAG:
        return [True]
    if matcher == "jcont":
        return [{}]
    if column.kind is ColumnType.TEXT and not column.choices:
        return ["acme", "globex"]
    return [some_request(column, Operator.EQUALS).partition(":")[2]]


def some_request(column: Column, operator: Operator) -> str:
    if operator in NULLNESS:
        return str(operator)
    kind, text = column.kind, (*column.choices, "globex")[0]
    value = {
        ColumnType.DATETIME: "2024-01-01",
        ColumnType.DATE: "2024-01-01",
        ColumnType.BOOLEAN: "true",
    }.get(kind, "1" if kind.numeric or kind is ColumnType.JSON else text)
    return f"{operator}:{value},{value}" if operator in RANGES else f"{operator}:{value}"


def test_counts_are_of_the_organizations_own_records(
    acme: Organization, globex: Organization
) -> None:
    """Even where the data of another points at its records."""
    group = GroupFactory.create(organization=acme)
    contact = ContactFactory.create(organization=acme)
    contact.groups.add(group)
    GroupFactory.create(organization=globex, parent=group)
    TrackerFactory.create(organization=globex, destination_contact=contact, type="inbound")
    for name in ("contact", "group"):
        resource = registry.get(name)
        assert resource is not None
        counts = [c for c in resource.columns if c.name.endswith(("_trackers", "_count"))]
        values = sql.SQL(", ").join(column.value("row") for column in counts)
        table = sql.Identifier(resource.model._meta.db_table)
        query = sql.SQL('SELECT {} FROM {} AS "row" WHERE organization_id = {}').format(
            values, table, sql.Literal(acme.pk)
        )
        with connection.cursor() as cursor:
            cursor.execute(query.as_string(None))
            assert cursor.fetchall() == [(0,) * len(counts)]
