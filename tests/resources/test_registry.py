"""The registry, and columns, names and types that derive from the model."""

import pytest
from django.core.exceptions import FieldDoesNotExist

from exports.models import Export, ExportFile
from longshore.accounts.models import ApiKey
from longshore.domains.logistics.models import Contact, Group, Item, Shipment
from longshore.resources.columns import Column, ColumnType, field_column
from longshore.resources.named_filters import NamedFilter
from longshore.resources.registry import Registry, Resource, registry
from longshore.resources.relations import Relation
from tests.samples import SAMPLE

LOGISTICS = [
    *("asset", "contact", "fulfillment", "group", "item", "location", "manifest", "shipment"),
    *("shipping_label_inference", "tracker"),
]


def test_autodiscovery_finds_the_logistics_resources() -> None:
    assert set(LOGISTICS) <= set(registry.names())
    assert registry.names() == sorted(registry.names())
    for name in LOGISTICS:
        resource = registry.get(name)
        assert resource is not None
        assert registry.for_model(resource.model) is resource
    assert registry.get("nothing") is None
    assert registry.for_model(Export) is None


def test_first_resource_of_a_name_wins(own_registry: Registry) -> None:
    first, second = SAMPLE, Resource("sample", "samples", ApiKey)
    own_registry.register(first)
    own_registry.register(second)
    assert own_registry.get("sample") is first
    assert own_registry.declared[-2:] == [first, second]


def test_column_types_derive_from_fields() -> None:
    kinds = {name: column.kind for name, column in SAMPLE.columns_by_name.items()}
    assert kinds == {
        "id": ColumnType.TEXT,
        "organization_id": ColumnType.TEXT,
        "text": ColumnType.TEXT,
        "integer": ColumnType.INTEGER,
        "decimal": ColumnType.DECIMAL,
        "float": ColumnType.FLOAT,
        "boolean": ColumnType.BOOLEAN,
        "date": ColumnType.DATE,
        "datetime": ColumnType.DATETIME,
        "list": ColumnType.LIST,
        "json": ColumnType.JSON,
        "uuid": ColumnType.TEXT,
        "address": ColumnType.TEXT,
        "duration": ColumnType.TEXT,
    }


def test_columns_are_in_model_order_then_declaration_order() -> None:
    contact = Resource(
        "contact",
        "contacts",
        Contact,
        relations=(Relation("groups", singular="group"),),
        columns=(Column("shout", ColumnType.TEXT, "upper({row}.name)"),),
        hidden=frozenset({"notes", "organization"}),
    )
    names = list(contact.names)
    assert names[:2] == ["id", "name"]
    assert names[-2:] == ["shout", "groups"]
    assert "notes" not in names
    assert "organization_id" not in names


def test_declared_column_replaces_the_model_column() -> None:
    upper = Column("name", ColumnType.TEXT, "upper({row}.name)")
    resource = Resource("contact", "contacts", Contact, columns=(upper,))
    assert resource.columns_by_name["name"] is upper
    assert list(resource.names).count("name") == 1


@pytest.mark.parametrize(
    ("plural", "name"),
    [
        ("statuses", "status"),
        ("types", "type"),
        ("currencies", "currency"),
        ("providers", "provider"),
        ("ids", "id"),
    ],
)
def test_plural_is_an_alias_of_a_column(plural: str, name: str) -> None:
    shipment = registry.get("shipment")
    assert shipment is not None
    assert shipment.plural_aliases[plural] == name


def test_only_text_and_number_columns_have_plurals() -> None:
    shipment = registry.get("shipment")
    assert shipment is not None
    assert not {"created_ats", "paids", "tagses", "metadatas", "_searches", "noteses"} & set(
        shipment.plural_aliases
    )


def test_alias_never_hides_another_name() -> None:
    contact = registry.get("contact")
    assert contact is not None
    # `addresses` is a column of its own, not the plural of `address`.
    assert "addresses" not in contact.plural_aliases
    for resource in registry:
        assert not set(resource.plural_aliases) & set(resource.names)
        assert not set(resource.relations_by_id) & set(resource.columns_by_name)


def test_to_many_relations_have_an_id_filter() -> None:
    contact = registry.get("contact")
    assert contact is not None
    assert list(contact.relations_by_id) == ["group_id", "location_id"]
    assert contact.relations_by_id["group_id"].target is Group


def test_foreign_key_has_the_type_of_its_target() -> None:
    file = Resource("file", "files", ExportFile, organization="export__organization")
    assert file.columns_by_name["export_id"].kind is ColumnType.INTEGER
    assert file.columns_by_name["export_id"].field == "export"


@pytest.mark.parametrize(
    ("relation", "many", "target"),
    [
        (Relation("groups").bind(Contact), True, Group),
        (Relation("contacts").bind(Group), True, Contact),
        (Relation("children").bind(Group), True, Group),
        (Relation("parent").bind(Group), False, Group),
        (Relation("destination_contact").bind(Shipment), False, Contact),
    ],
)
def test_relation_derives_cardinality_and_target(
    relation: Relation, many: bool, target: type
) -> None:
    assert relation.many is many
    assert relation.target is target
    assert list(relation.columns) == ["id", "name"]


def test_relation_is_not_a_column() -> None:
    with pytest.raises(FieldDoesNotExist, match="levels is a relation without a column"):
        field_column(Item, "levels")
    with pytest.raises(TypeError, match="is not bound to a model"):
        _ = Relation("groups").target


@pytest.mark.parametrize("name", ["destination_contact", "destination_contact_id"])
def test_foreign_key_is_hidden_by_name_or_attname(name: str) -> None:
    shipment = Resource("s", "ss", Shipment, hidden=frozenset({name}))
    assert "destination_contact_id" not in shipment.names
    assert "sender_contact_id" in shipment.names


def test_column_has_the_choices_of_its_field() -> None:
    columns = Resource("g", "gs", Group).columns_by_name
    assert columns["resource"].choices == ("contact", "location", "item")
    assert columns["name"].choices == ()


def test_plural_never_hides_a_named_filter() -> None:
    named = NamedFilter("statuses", "Another filter.", paths=("id",))
    resource = Resource("shipment", "shipments", Shipment, filters=(named,))
    assert "statuses" not in resource.plural_aliases
    assert "order_numbers" in resource.plural_aliases


def test_unregistered_resource_can_be_replaced(own_registry: Registry) -> None:
    replacement = Resource("contact", "contacts", Contact)
    own_registry.unregister("contact")
    assert own_registry.get("contact") is None
    own_registry.register(replacement)
    assert own_registry.get("contact") is replacement
    assert own_registry.declared.count(replacement) == 1
