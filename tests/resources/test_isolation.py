"""Filters never reach the records of another organization, not even through corrupt references."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db.models import Model, TextField
from pytest_django import DjangoDbBlocker

from longshore.accounts.models import Organization
from longshore.domains.commerce.models import StockTransfer, Tag
from longshore.domains.logistics.models import Level
from longshore.resources.columns import Column, ColumnType
from longshore.resources.comparisons import NULL_TESTS, Operator
from longshore.resources.conditions import columns_of, relations_of
from longshore.resources.filters import filter_names, filter_target
from longshore.resources.matchers import MATCHERS, Takes, matchers
from longshore.resources.registry import Resource, registry
from longshore.resources.relations import Relation
from tests.records import a_record
from tests.resources.conftest import Select, ids, matching
from tests.shared_rows import rolled_back

RANGES = (Operator.BWI, Operator.BWE)


# Its path to the organization has two steps.
LEVEL = Resource(
    "level",
    "levels",
    Level,
    organization="item__organization",
    relations=(Relation("location"), Relation("item")),
)
RESOURCES = [*registry, LEVEL]
# A check constraint requires two different locations.
UNLINKED = {(StockTransfer, "destination_stock_location")}
EACH_RESOURCE = pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.name)


def corrupt(is_linked: Callable[[Any], bool], name: str) -> pytest.MarkDecorator:
    """Use `organizations` whose records refer to the other one's in these fields."""
    parameter = pytest.param(is_linked, id=name)
    return pytest.mark.parametrize("organizations", [parameter], indirect=True, scope="module")


@pytest.fixture(scope="module")
def organizations(
    request: pytest.FixtureRequest, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Acme and Globex, with records of each that refer to records of the other. Texts are slugs.

    The parameter returns whether a field gets such a reference.
    """
    with rolled_back(django_db_blocker):
        acme, globex = (
            Organization.objects.create(name=slug, slug=slug) for slug in ("acme", "globex")
        )
        _create_corrupt_records(acme, globex, request.param)
        yield


@pytest.fixture
def acme(organizations: None, db: None) -> Organization:
    return Organization.objects.get(slug="acme")


@pytest.fixture
def globex(organizations: None, db: None) -> Organization:
    return Organization.objects.get(slug="globex")


def _create_corrupt_records(
    acme: Organization, globex: Organization, is_linked: Callable[[Any], bool]
) -> None:
    managed = [resource for resource in RESOURCES if resource.model._meta.managed]
    for owner, other in ((acme, globex), (globex, acme)):
        foreign = {
            each.model: a_record(each.model, other, **_texts(each.model, other.slug))
            for each in managed
        }
        for resource in managed:
            _connect(resource, foreign)
        for resource in RESOURCES:
            links = {
                field.name: foreign[field.related_model]
                for field in _links(resource, foreign)
                if is_linked(field)
            }
            record = a_record(resource.model, owner, **links)
            for relation in resource.model._meta.many_to_many:
                if relation.remote_field.through._meta.managed:
                    getattr(record, relation.name).add(foreign[relation.related_model])


def _connect(resource: Resource, records: dict[type[Model], Any]) -> None:
    """Set the optional references of a record to the other records of its organization."""
    record = records[resource.model]
    for field in _links(resource, records):
        if field.null and field.related_model is not resource.model:
            setattr(record, field.name, records[field.related_model])
    record.save()


def _links(resource: Resource, records: dict[type[Model], Any]) -> list[Any]:
    """The foreign keys to one of the records, apart from the path to the organization."""
    owner = (resource.organization or "").partition("__")[0]
    fields: list[Any] = [*resource.model._meta.concrete_fields]
    return [
        field
        for field in fields
        if field.related_model in records
        and field.name != owner
        and (resource.model, field.name) not in UNLINKED
    ]


def _texts(model: type[Model], text: str) -> dict[str, str]:
    return {field.name: text for field in model._meta.concrete_fields if type(field) is TextField}


def own_keys(resource: Resource, organization: Organization) -> set[str]:
    """The primary keys of an organization's records, by the resource's path to it."""
    records = resource.model._base_manager.filter(**{resource.organization or "": organization})
    return set(records.values_list("pk", flat=True))


@EACH_RESOURCE
@pytest.mark.slow
@corrupt(lambda field: True, "linked")
def test_filter_never_reaches_records_of_another_organization(
    resource: Resource, acme: Organization, select: Select
) -> None:
    own = own_keys(resource, acme)
    assert own
    related = [
        f"{relation.name}.{column}"
        for relation in resource.relations_by_name.values()
        for column in relation.columns
    ]
    inside_json = ["metadata.a.b"] if "metadata" in resource.columns_by_name else []
    for name in [*filter_names(resource), *related, *inside_json]:
        if name == "search":
            assert select(resource, {name: "globex"}) <= own
            continue
        _, column, allowed = filter_target(resource, name)
        for operator in allowed:
            found = select(resource, {name: some_request(column, operator)})
            assert found <= own, (name, operator)
            plain = column.kind is ColumnType.TEXT and not column.choices
            if name in related and operator is Operator.EQUALS and plain:
                assert not found, name


# With optional references only, records survive a deletion of the others.
@EACH_RESOURCE
@pytest.mark.slow
@corrupt(lambda field: field.null, "linked_where_optional")
def test_predicates_ignore_the_existence_of_another_organization(
    resource: Resource, acme: Organization, globex: Organization
) -> None:
    """Through one relation or two, for joined, negated and missing values."""
    beyond: dict[str, Column] = {}
    for relation in resource.filterable_relations.values():
        # Declared relations with all columns, includable ones with their key.
        declared = relation.name in resource.relations_by_name
        shown = columns_of(relation) if declared else relation.columns
        further = relations_of(relation)
        through = {name: columns_of(each)[each.label] for name, each in further.items()}
        through = {f"{name}_{column.name}": column for name, column in through.items()}
        # A foreign key is a value of the record, even if it refers to another organization.
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
    foreign = list(Tag.objects.filter(organization=globex).values_list("pk", flat=True))
    asked += [
        {f"{each.removesuffix('name')}id_{matcher}": foreign}
        for each in tagged
        for matcher in ("in", "not_in")
    ]
    queries = [matching(resource, each, acme) for each in asked]
    before = [ids(query) for query in queries]
    globex.delete()
    assert own_keys(resource, acme)
    for each, query, found in zip(asked, queries, before, strict=True):
        assert ids(query) == found, each
    if resource.relations:
        assert any(before)
        assert not all(before)


SOME = (
    *("eq", "not_eq", "not_eq_or_null", "in_or_null", "lt_all", "cont", "not_end_any"),
    *("present", "null", "true", "jcont"),
)


def some_values(column: Column, matcher: str) -> list[Any]:
    """Return values that match records of this or of the other organization."""
    if MATCHERS[matcher].takes is Takes.FLAG:
        return [True]
    if matcher == "jcont":
        return [{}]
    if column.kind is ColumnType.TEXT and not column.choices:
        return ["acme", "globex"]
    return [some_request(column, Operator.EQUALS).partition(":")[2]]


def some_request(column: Column, operator: Operator) -> str:
    if operator in NULL_TESTS:
        return str(operator)
    kind, text = column.kind, (*column.choices, "globex")[0]
    value = {
        ColumnType.DATETIME: "2024-01-01",
        ColumnType.DATE: "2024-01-01",
        ColumnType.BOOLEAN: "true",
    }.get(kind, "1" if kind.numeric or kind is ColumnType.JSON else text)
    return f"{operator}:{value},{value}" if operator in RANGES else f"{operator}:{value}"
