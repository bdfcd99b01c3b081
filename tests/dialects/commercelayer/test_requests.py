"""The documented requests, with only the host and the token changed.

The vendor's guide to exports describes each example in a sentence; its reference shows the form of
every request. The sentences are the names of the examples here.
"""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction

from longshore.accounts.models import Organization, Scope
from longshore.domains.commerce.models import (
    Customer,
    OrderSubscription,
    Sku,
    SkuList,
)
from tests.conftest import KeyClient
from tests.dialects.commercelayer.conformance import REQUESTS, rows
from tests.dialects.commercelayer.conftest import VendorClient, attributes

# The types that the vendor's clients list, and the includes that they offer.
TYPES = (
    *["addresses", "authorizations", "bundles", "captures", "coupons", "customer_addresses"],
    *[
        "customer_payment_sources",
        "customer_subscriptions",
        "customers",
        "gift_cards",
        "in_stock_subscriptions",
    ],
    *[
        "line_items",
        "line_item_options",
        "orders",
        "order_subscriptions",
        "payment_methods",
        "price_tiers",
        "prices",
    ],
    *[
        "refunds",
        "returns",
        "shipments",
        "shipping_categories",
        "shipping_methods",
        "sku_lists",
        "sku_list_items",
    ],
    *[
        "sku_options",
        "skus",
        "stock_items",
        "stock_transfers",
        "tags",
        "tax_categories",
        "transactions",
        "voids",
    ],
)
INCLUDES = {
    "bundles": "sku_list sku_list_items tags",
    "customer_subscriptions": "customer",
    "customers": "customer_addresses customer_subscriptions orders returns tags",
    "coupons": "promotion_rule.promotion",
    "in_stock_subscriptions": "customer market sku",
    "orders": """customer shipping_address billing_address payment_method line_items
        line_items.line_item_options shipments shipments.shipping_method returns
        returns.return_line_items authorizations captures voids refunds transactions tags""",
    "order_subscriptions": """customer customer_payment_source market source_order
        order_subscription_items""",
    "payment_methods": "order",
    "prices": "sku price_tiers",
    "returns": "order return_line_items",
    "shipments": """order stock_line_items shipping_category shipping_method origin_address
        shipping_address parcels""",
    "shipping_categories": "skus",
    "shipping_methods": "shipments",
    "skus": "shipping_category prices prices.price_tiers stock_items tax_categories tags",
    "sku_lists": "sku_list_items bundles",
    "sku_list_items": "sku",
    "stock_items": "sku",
    "tax_categories": "sku",
    "transactions": "order",
}
EXAMPLES: dict[str, dict[str, Any]] = {
    "addresses (JSON)": {"resource_type": "addresses", "dry_data": True},
    "bundles with SKU lists and SKU list items (CSV)": {
        "resource_type": "bundles",
        "format": "csv",
        "includes": ["sku_list", "sku_list_items"],
        "filters": {"sku_list_name_eq": "<SKU list of a bundle>"},
    },
    "customer addresses with addresses and customers (JSON)": {
        "resource_type": "customer_addresses",
        "includes": ["customer", "address"],
        "dry_data": True,
        "filters": {"customer_email_end": "<end of an email>"},
    },
    "orders with customer, addresses, line items, payment method and refunds (JSON)": {
        "resource_type": "orders",
        "includes": [
            "customer",
            "shipping_address",
            "billing_address",
            "line_items",
            "line_items.line_item_options",
            "payment_method",
            "refunds",
        ],
        "dry_data": True,
        "filters": {
            "status_in": ["approved", "placed", "pending"],
            "country_code_in": ["US", "IT", "DE", "FR", "GB", "CA"],
            "placed_at_gteq": "2000-01-01T00:00:00.000Z",
            "placed_at_lt": "2100-01-01T00:00:00.000Z",
        },
    },
    "order subscriptions with items and customer payment source (JSON)": {
        "resource_type": "order_subscriptions",
        "includes": ["order_subscription_items", "customer_payment_source"],
        "dry_data": True,
        "filters": {"customer_email_eq": "<email of a subscription>"},
    },
    "prices with price tiers (CSV)": {
        "resource_type": "prices",
        "format": "csv",
        "includes": ["price_tiers"],
        "dry_data": True,
        "filters": {"price_list_currency_code_eq": "USD"},
    },
    "SKUs with prices, price tiers, stock items, and tax categories (JSON)": {
        "resource_type": "skus",
        "includes": ["prices", "prices.price_tiers", "stock_items", "tax_categories"],
        "dry_data": True,
        "filters": {"name_cont": "a"},
    },
    "stock items with SKUs (CSV)": {
        "resource_type": "stock_items",
        "format": "csv",
        "includes": ["sku"],
        "filters": {"quantity_gteq": 0},
    },
    "stock transfers with SKUs (CSV)": {
        "resource_type": "stock_transfers",
        "format": "csv",
        "includes": ["sku"],
        "filters": {"quantity_gteq": 0},
    },
    "SKUs tagged with at least one of two tags (JSON)": {
        "resource_type": "skus",
        "filters": {"tags_id_in": "<two tags>"},
    },
    "fields of the record and of its relations": {
        "resource_type": "skus",
        "fields": ["code", "name", "prices.*", "prices.price_tiers.price_amount_cents"],
    },
}


@pytest.fixture(scope="module")
def shop(django_db_setup: None, django_db_blocker: Any) -> Any:
    """The vendor's client of a shop with demo data."""
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("demo_data", organization="acme", rows=0, orders=150, verbosity=0)
        acme = Organization.objects.get(slug="acme")
        yield VendorClient(KeyClient(acme, "shop", Scope.READ, Scope.WRITE))
        transaction.set_rollback(True)


def filled(body: dict[str, Any]) -> dict[str, Any]:
    """Return an example with values of the demo data in place of those in angle brackets."""
    subscription = OrderSubscription.objects.exclude(customer_email="").first()
    Customer.objects.filter(customer_addresses__isnull=False)[0]
    tagged = Sku.objects.filter(tags__isnull=False)
    values: dict[str, Any] = {
        "<SKU list of a bundle>": SkuList.objects.filter(bundles__isnull=False)[0].name,
        "<end of an email>": Customer.objects.filter(customer_addresses__isnull=False)[0].email[
            -8:
        ],
        "<email of a subscription>": subscription.customer_email if subscription else "",
        "<two tags>": [*tagged.values_list("tags", flat=True).distinct()[:2]],
    }
    filters = {
        name: values.get(value, value) if isinstance(value, str) else value
        for name, value in body.get("filters", {}).items()
    }
    return {**body, **({"filters": filters} if filters else {})}


@pytest.mark.slow
@rows.same(REQUESTS, "the eleven documented requests")
@pytest.mark.django_db
@pytest.mark.parametrize("name", EXAMPLES)
def test_a_documented_request_creates_an_export(shop: VendorClient, name: str) -> None:
    body = filled(EXAMPLES[name])
    shown = attributes(shop.create("exports", body))
    assert shown["records_count"] > 0
    assert {name: shown[name] for name in body} == body


@pytest.mark.slow
@rows.same(REQUESTS, "the 33 exportable types", "the offered includes of 19 types")
@pytest.mark.django_db
@pytest.mark.parametrize("type", TYPES)
def test_every_type_and_include_of_the_vendor_is_accepted(shop: VendorClient, type: str) -> None:
    given = {"resource_type": type, "includes": INCLUDES.get(type, "").split()}
    response = shop.create("exports", given)
    if response.status_code == 422:
        # The demo data has no records of the type.
        assert response.json()["errors"][0]["meta"]["error"] == "greater_than"
    else:
        assert attributes(response)["includes"] == given["includes"]
