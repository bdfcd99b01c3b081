"""The demo data of the commerce domain."""

from collections.abc import Callable, Iterable, Iterator

from django.db.models import Model

from longshore.accounts.models import Organization
from longshore.domains.commerce import models
from longshore.domains.commerce.demo import (
    customers,
    money,
    orders,
    parcels,
    recurring,
    shop,
    tagging,
)
from longshore.domains.commerce.demo.plan import Plan
from longshore.domains.commerce.demo.sales import Sale, sale
from longshore.domains.demo.load import DemoData, TableRows
from longshore.domains.demo.sources import DemoSource

# Orders that are computed together and then written to one table after the other.
_CHUNK_ORDERS = 2000

_SHOP: tuple[tuple[type[Model], str, Callable[[Plan], Iterator[str]]], ...] = (
    (models.Tag, shop.TAG, shop.tags),
    (models.Address, customers.ADDRESS, customers.addresses),
    (models.PriceList, shop.PRICE_LIST, shop.price_lists),
    (models.Market, shop.MARKET, shop.markets),
    (models.ShippingCategory, shop.SHIPPING_CATEGORY, shop.shipping_categories),
    (models.StockLocation, shop.STOCK_LOCATION, shop.stock_locations),
    (models.ShippingMethod, shop.SHIPPING_METHOD, shop.shipping_methods),
    (models.PaymentMethod, shop.PAYMENT_METHOD, shop.payment_methods),
    (models.SkuOption, shop.SKU_OPTION, shop.sku_options),
    (models.Sku, shop.SKU, shop.skus),
    (models.TaxCategory, shop.TAX_CATEGORY, shop.tax_categories),
    (models.Price, shop.PRICE, shop.prices),
    (models.PriceTier, shop.PRICE_TIER, shop.price_tiers),
    (models.StockItem, shop.STOCK_ITEM, shop.stock_items),
    (models.StockTransfer, shop.STOCK_TRANSFER, shop.stock_transfers),
    (models.SkuList, shop.SKU_LIST, shop.sku_lists),
    (models.SkuListItem, shop.SKU_LIST_ITEM, shop.sku_list_items),
    (models.Bundle, shop.BUNDLE, shop.bundles),
    (models.Promotion, shop.PROMOTION, shop.promotions),
    (models.PromotionRule, shop.PROMOTION_RULE, shop.promotion_rules),
    (models.Coupon, shop.COUPON, shop.coupons),
    (models.Customer, customers.CUSTOMER, customers.customers),
    (models.CustomerAddress, customers.CUSTOMER_ADDRESS, customers.customer_addresses),
    (
        models.CustomerSubscription,
        customers.CUSTOMER_SUBSCRIPTION,
        customers.customer_subscriptions,
    ),
    (
        models.CustomerPaymentSource,
        customers.CUSTOMER_PAYMENT_SOURCE,
        customers.customer_payment_sources,
    ),
    (models.GiftCard, customers.GIFT_CARD, customers.gift_cards),
    (models.InStockSubscription, customers.IN_STOCK_SUBSCRIPTION, customers.in_stock_subscriptions),
)
_SALES: tuple[tuple[type[Model], str, Callable[[Plan, Iterable[Sale]], Iterator[str]]], ...] = (
    (models.Order, orders.ORDER, orders.orders),
    (models.LineItem, orders.LINE_ITEM, orders.line_items),
    (models.LineItemOption, orders.LINE_ITEM_OPTION, orders.line_item_options),
    (models.Transaction, money.TRANSACTION, money.transactions),
    (models.Dispute, money.DISPUTE, money.disputes),
    (models.OrderShipment, parcels.SHIPMENT, parcels.shipments),
    (models.StockLineItem, parcels.STOCK_LINE_ITEM, parcels.stock_line_items),
    (models.Parcel, parcels.PARCEL, parcels.parcels),
    (models.OrderFulfillment, parcels.FULFILLMENT, parcels.fulfillments),
    (models.FulfillmentLineItem, parcels.FULFILLMENT_LINE_ITEM, parcels.fulfillment_line_items),
    (models.Return, parcels.RETURN, parcels.returns),
    (models.ReturnLineItem, parcels.RETURN_LINE_ITEM, parcels.return_line_items),
    (models.OrderSubscription, recurring.SUBSCRIPTION, recurring.subscriptions),
    (models.OrderSubscriptionItem, recurring.SUBSCRIPTION_ITEM, recurring.subscription_items),
    (models.Cart, recurring.CART, recurring.carts),
    (models.CartLineItem, recurring.CART_LINE_ITEM, recurring.cart_line_items),
)

# Customer columns that are computed from the orders.
_ORDER_TOTALS = """
    UPDATE longshore_commerce_customer AS customer SET
        orders_count = bought.orders, total_spent_amount_cents = bought.spent,
        status = CASE WHEN bought.orders > 1 THEN 'repeat' ELSE 'acquired' END
    FROM (
        SELECT customer_id, count(*) AS orders, coalesce(sum(total_amount_with_taxes_cents)
            FILTER (WHERE approved_at IS NOT NULL), 0) AS spent
        FROM longshore_commerce_order WHERE organization_id = '{0}' AND placed_at IS NOT NULL
        GROUP BY customer_id
    ) AS bought WHERE bought.customer_id = customer.id"""
_SUBSCRIPTION_COUNTS = """
    UPDATE longshore_commerce_customer AS customer SET subscriptions_count = had.subscriptions
    FROM (
        SELECT customer_id, count(*) AS subscriptions FROM longshore_commerce_ordersubscription
        WHERE organization_id = '{0}' GROUP BY customer_id
    ) AS had WHERE had.customer_id = customer.id"""


def _build(organization: Organization, orders: int) -> DemoData:
    plan = Plan(organization.slug, organization.id, orders)
    filled = tuple(model for model, *_ in (*_SHOP, *_SALES))
    return DemoData(
        size=orders,
        unit="orders",
        models=filled + tagging.MODELS,
        marker=(models.Market, plan.names["mkt"](0)),
        tables=lambda: _tables(plan),
        finish=(
            _ORDER_TOTALS.format(organization.id),
            _SUBSCRIPTION_COUNTS.format(organization.id),
        ),
    )


def _tables(plan: Plan) -> Iterator[TableRows]:
    for model, columns, rows in _SHOP:
        yield model, columns, rows(plan)
    yield from tagging.shop_tags(plan)
    for start in range(0, plan.orders, _CHUNK_ORDERS):
        chunk = [sale(plan, n) for n in range(start, min(start + _CHUNK_ORDERS, plan.orders))]
        for model, columns, sold in _SALES:
            yield model, columns, sold(plan, chunk)
        yield from tagging.sale_tags(plan, chunk)


DEMO = DemoSource(
    unit="orders",
    help="Orders of a shop with all related records, about twenty records per order.",
    default_size=0,
    sample_size=500,
    min_size=1,
    model=models.Order,
    build=_build,
)
