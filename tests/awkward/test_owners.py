"""Related records without a resource: only those of the own organization are shown and chosen."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection

from longshore.accounts.models import Organization
from longshore.resources.checks import check_resource
from longshore.resources.filters import Selection
from longshore.resources.listing import Listing
from longshore.resources.registry import Registry, Resource
from tests.awkward.files import rows
from tests.awkward.models import TEAM, Country, Team, TeamLink
from tests.awkward.shop_models import (
    BASKET,
    MODELS,
    PARCEL,
    PRODUCT,
    RESOURCES,
    SHARED,
    Basket,
    BasketLine,
    Label,
    Parcel,
    Product,
)
from tests.batches.staged import stage


@pytest.fixture
def shop(awkward: Registry, acme: Organization, globex: Organization) -> dict[str, Any]:
    """Acme's product in lines of both organizations. Returns their teams by slug."""
    with connection.schema_editor() as editor:
        for model in MODELS:
            editor.create_model(model)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for name in ("country", "team"):
        awkward.unregister(name)
    for resource in RESOURCES:
        awkward.register(resource)
    france = Country.objects.create(code="FR", name="France")
    product = Product.objects.create(organization=acme, name="Tea")
    teams = {}
    for organization in (acme, globex):
        team = teams[organization.slug] = Team.objects.create(name=f"Team {organization.slug}")
        TeamLink.objects.create(team=team, organization=organization)
        basket = Basket.objects.create(organization=organization, team=team)
        for used, name in ((product, "tea"), (None, "unknown")):
            text = f"{organization.slug} {name}"
            BasketLine.objects.create(basket=basket, country=france, product=used, name=text)
    return teams


def codes(resource: Resource) -> list[str]:
    return [str(each.id).rpartition(".")[2] for each in check_resource(resource)]


def lines(organization: Organization, resource: Resource) -> list[str]:
    [record] = rows(organization, resource.name, "json", "lines")
    return [each["name"] for each in record["lines"]]


def test_children_of_a_shared_record_are_the_own_ones(
    shop: object, acme: Organization, globex: Organization
) -> None:
    for organization in (acme, globex):
        slug = organization.slug
        assert lines(organization, SHARED) == [f"{slug} tea", f"{slug} unknown"]
        listed = Listing(SHARED, Selection(), ("lines",)).page(organization.pk, 9, None)
        assert all(each.slug not in str(listed.records) for each in {acme, globex} - {organization})
    assert not rows(acme, "country", "json", filters={"lines_name_eq": "globex tea"})
    assert codes(SHARED) == ["I001", "E019"]


def test_children_that_another_record_owns_are_the_own_ones(
    shop: object, acme: Organization
) -> None:
    assert lines(acme, PRODUCT) == ["acme tea"]
    assert not rows(acme, "product", "json", filters={"lines_name_eq": "globex tea"})
    [error] = check_resource(PRODUCT)
    assert error.id == "longshore_resources.E019"
    assert error.hint == (
        "Register a resource for BasketLine, with organization='basket__organization', "
        "organization='product__organization' if its records belong to the product, or "
        "organization=None if all organizations share its records."
    )


def test_children_without_another_owner_are_part_of_the_record(
    shop: object, acme: Organization
) -> None:
    parcel = Parcel.objects.create(organization=acme)
    Label.objects.create(parcel=parcel, name="fragile")
    assert rows(acme, "crate", "json", "labels")[0]["labels"][0]["name"] == "fragile"
    assert codes(PARCEL) == []


def test_children_with_a_second_owner_are_part_of_the_record_by_declaration(
    shop: object, awkward: Registry, acme: Organization
) -> None:
    assert lines(acme, BASKET) == ["acme tea"]
    declared = replace(BASKET, relations=BASKET.relations[:1], writable_relations=("lines",))
    awkward.unregister("basket")
    awkward.register(declared)
    assert lines(acme, declared) == ["acme tea", "acme unknown"]
    assert codes(declared) == []


def test_a_tenant_with_a_link_model_is_the_own_one(
    shop: dict[str, Any], acme: Organization, globex: Organization
) -> None:
    assert "E019" in codes(BASKET)
    Basket.objects.filter(organization=acme).update(team=shop["globex"])
    assert rows(acme, "basket", "json", "team") == [{"team": None}]
    assert not rows(acme, "basket", "json", filters={"team_name_eq": "Team globex"})
    [basket] = rows(globex, "basket", "json", "team")
    assert basket["team"]["name"] == "Team globex"


def test_a_batch_cannot_choose_the_tenant_of_another_organization(
    shop: dict[str, Any], acme: Organization
) -> None:
    given = [[str(shop[slug].pk)] for slug in ("acme", "globex")]
    attempt = stage(acme, "basket", ["team_id"], given)
    assert [(row, column) for row, column, *_ in attempt.errors] == [(2, "team_id")]


def test_a_shared_tenant_with_a_link_model_is_a_warning(awkward: Registry) -> None:
    awkward.unregister("team")
    [warning] = check_resource(replace(TEAM, organization=None))
    assert warning.id == "longshore_resources.W001"
    assert "organization='longshore__organization'" in str(warning.hint)
