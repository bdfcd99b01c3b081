"""The commerce models: constraints, views, keys and writable columns."""

import pytest
from django.apps import apps
from django.db import IntegrityError, ProgrammingError, models, transaction

from longshore.accounts.models import Organization
from longshore.domains.commerce.models import (
    Authorization,
    Bundle,
    Customer,
    LineItem,
    Order,
    Refund,
    SkuList,
    SkuListItem,
    Transaction,
)
from longshore.resources.registry import registry
from tests.records import a_record

pytestmark = pytest.mark.django_db

MODELS = [
    model for model in apps.get_app_config("longshore_commerce").get_models() if model._meta.managed
]


def test_every_model_has_its_own_id_prefix() -> None:
    prefixes = [str(model().pk).rpartition("_")[0] for model in MODELS]
    assert len(set(prefixes)) == len(MODELS) > 40


def test_transaction_kinds_are_views_of_one_table(acme: Organization) -> None:
    order = a_record(Order, acme)
    reserved = a_record(Authorization, acme, order=order, amount_cents=500)
    a_record(Transaction, acme, order=order, kind="capture")
    a_record(Refund, acme, order=order)
    assert Transaction.objects.get(pk=reserved.pk).kind == "authorization"
    assert order.transactions.count() == 3
    assert list(order.authorizations.all()) == [reserved]
    assert order.refunds.count() == 1
    assert order.voids.count() == 0
    reserved.amount_cents = 400
    reserved.save()
    assert Transaction.objects.get(pk=reserved.pk).amount_cents == 400


def test_view_rejects_other_kinds(acme: Organization) -> None:
    with pytest.raises(ProgrammingError, match="check option"):
        a_record(Authorization, acme, kind="refund")


def test_deleting_an_order_deletes_its_transactions(acme: Organization) -> None:
    kept = a_record(Transaction, acme)
    order = a_record(Order, acme)
    for model in (Transaction, Authorization, Refund):
        a_record(model, acme, order=order)
    order.delete()
    assert list(Transaction.objects.all()) == [kept]


def test_bundle_has_the_items_of_its_list(acme: Organization) -> None:
    skus = a_record(SkuList, acme)
    items = [a_record(SkuListItem, acme, sku_list=skus) for _ in range(2)]
    a_record(SkuListItem, acme)
    bundles = [a_record(Bundle, acme, sku_list=skus) for _ in range(2)]
    for bundle in bundles:
        assert set(bundle.sku_list_items.all()) == set(items)
    assert not a_record(Bundle, acme).sku_list_items.exists()


@pytest.mark.parametrize(
    ("model", "values", "constraint"),
    [
        (LineItem, {"unit_amount_cents": 1, "quantity": 2}, "line_item_adds_up"),
        (Order, {"total_tax_amount_cents": 1}, "order_is_taxed_in_full"),
        (Transaction, {"kind": "void", "amount_cents": -1}, "transaction_is_not_negative"),
    ],
)
def test_constraints_reject_inconsistent_amounts(
    acme: Organization, model: type[models.Model], values: dict[str, int], constraint: str
) -> None:
    with pytest.raises(IntegrityError, match=constraint):
        a_record(model, acme, **values)


def test_keys_are_unique_within_an_organization(acme: Organization, globex: Organization) -> None:
    keyed = [r for r in registry if r.model in MODELS and r.key != ("id",)]
    assert len(keyed) > 17
    for resource in keyed:
        first = a_record(resource.model, acme)
        fields = [first._meta.get_field(name).name for name in resource.key]
        value = {name: getattr(first, name) for name in fields}
        if len(fields) == 1:
            a_record(resource.model, globex, **value)
        with transaction.atomic(), pytest.raises(IntegrityError, match="unique"):
            a_record(resource.model, acme, **value)


def test_keys_match_other_shops() -> None:
    keys = {each.name: each.key for each in registry}
    assert keys["sku"] == ("code",)
    assert keys["customer"] == ("email",)
    assert keys["order"] == ("number",)
    assert keys["price"] == ("sku_code", "price_list_id")


def test_batches_may_write_editable_columns_only() -> None:
    sku, payment = registry.get("sku"), registry.get("transaction")
    assert sku is not None
    assert payment is not None
    assert {"code", "name", "shipping_category_id", "metadata"} <= set(sku.writable_columns)
    computed = {"id", "organization_id", "created_at", "updated_at", "search_text"}
    assert not computed & set(sku.writable_columns)
    assert payment.writable_columns == {}


def test_keys_are_writable() -> None:
    for resource in registry:
        if resource.writable is None and resource.key != ("id",):
            assert set(resource.key) <= set(resource.writable_columns), resource.name


def test_search_text_joins_non_empty_fields(acme: Organization) -> None:
    customer = a_record(Customer, acme, email="zoe@example.org", first_name="Zoë", last_name="")
    customer.refresh_from_db()
    assert customer.search_text == "zoe@example.org Zoë"
