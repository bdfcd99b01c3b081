"""Declared resources: plain models, indirect paths to the tenant, computed columns."""

import pytest
from django.utils import timezone

from exports.models import Export, ExportFile
from longshore.accounts.models import ApiKey, Organization
from longshore.domains.logistics.models import Group, Item
from longshore.resources.columns import Column, ColumnType
from longshore.resources.registry import Registry, Resource
from longshore.resources.relations import Relation
from tests.exports.test_compiler import rows
from tests.factories import ContactFactory, GroupFactory, ItemFactory

pytestmark = pytest.mark.django_db


def test_a_plain_model_declared_in_a_few_lines_is_exported(
    own_registry: Registry, acme: Organization, globex: Organization
) -> None:
    own_registry.register(
        Resource(
            name="api_key",
            plural="api_keys",
            model=ApiKey,
            date_field="created",
            hidden=frozenset({"hashed_key"}),
            relations=(Relation("organization", label="slug", fields=("id", "slug")),),
        )
    )
    for owner in (acme, globex):
        ApiKey.objects.create_key(organization=owner, name=f"{owner.slug}'s", scopes=["read"])
    (row,) = rows(acme, "api_key", output={"columns": None}, format="json")
    assert row["name"] == "acme's"
    assert row["scopes"] == ["read"]
    assert row["organization"] == {"id": acme.pk, "slug": "acme"}
    assert "hashed_key" not in row
    options = {
        "scopes": "read",
        "organization.slug": "acme",
        "created": "gte:2024-01-01",
        "limit": 1,
    }
    assert rows(acme, "api_key", "name", "scopes", options=options) == [["acme's", "read"]]
    assert rows(acme, "api_key", "name", options={"revoked": True}) == []


def test_an_indirect_path_to_the_organization_separates_tenants(
    own_registry: Registry, acme: Organization, globex: Organization
) -> None:
    resource = Resource("file", "files", ExportFile, organization="export__organization")
    own_registry.register(resource)
    for number, owner in enumerate((acme, globex)):
        export = Export.objects.create(
            organization=owner, request={}, spec={}, expires_at=timezone.now()
        )
        ExportFile.objects.create(
            export=export, name=owner.slug, storage_key=str(number), rows=0, bytes=0
        )
    assert rows(acme, "file", "name") == [["acme"]]
    assert rows(globex, "file", "name", options={"rows": "gte:0"}) == [["globex"]]


def test_lists_of_related_records_stay_on_one_line(
    own_registry: Registry, acme: Organization
) -> None:
    relation = Relation("contacts", fields=("id", "alternate_names", "metadata"))
    own_registry.register(Resource("team", "teams", Group, relations=(relation,)))
    group = GroupFactory(organization=acme)
    for name in ("a", "b"):
        ContactFactory(organization=acme, name=name, alternate_names=[name, "\n"], groups=[group])
    (row,) = rows(acme, "team", "contacts.alternate_names", "contacts.metadata", format="jsonl")
    assert row == {
        "contacts.alternate_names": [["a", "\n"], ["b", "\n"]],
        "contacts.metadata": [{}, {}],
    }


def test_computed_columns_with_braces_and_percent_signs_are_exported(
    own_registry: Registry, acme: Organization
) -> None:
    columns = (
        Column("100%", ColumnType.TEXT, "{row}.name || '{{}} 100%'"),
        Column("names", ColumnType.JSON, "jsonb_build_array({row}.name, null)"),
    )
    own_registry.register(Resource("product", "products", Item, columns=columns))
    ItemFactory(organization=acme, name="Bolt")
    assert rows(acme, "product", "100%", "names") == [["Bolt{} 100%", "Bolt, "]]
    assert rows(acme, "product", "id", options={"100%": "equals:Bolt{} 100%"})
    assert not rows(acme, "product", "id", options={"names": "Nut"})
