"""The commerce resources."""

from collections.abc import Mapping

from django.db.models import Model

from longshore.domains.commerce import computed
from longshore.domains.commerce import models as commerce
from longshore.domains.commerce.amounts import amounts
from longshore.domains.commerce.models.base import Record
from longshore.domains.commerce.models.tags import Taggable
from longshore.resources.columns import Column, ColumnType, secret_fields
from longshore.resources.registry import Resource, register
from longshore.resources.relations import Relation

# Fields of related records without a name: first the label, then the others.
_RELATED_FIELDS: Mapping[type[Model], tuple[str, ...]] = {
    commerce.Customer: ("email", "first_name", "last_name"),
    commerce.Address: (
        *("line_1", "line_2", "line_3", "line_4"),
        *("city", "zip_code", "state_code", "country_code"),
        *("first_name", "last_name", "phone"),
    ),
    commerce.Sku: ("code", "name"),
    commerce.Bundle: ("code", "name"),
    commerce.Price: ("sku_code", "currency_code", "amount_cents"),
    commerce.PriceList: ("name", "code", "currency_code"),
    commerce.StockItem: ("sku_code", "quantity"),
    commerce.ShippingMethod: ("name", "code"),
    commerce.Order: ("number", "status", "is_test", "placed_at"),
    commerce.LineItem: ("sku_code", "name", "quantity"),
    commerce.Transaction: ("number", "kind", "amount_cents", "succeeded", "is_test"),
    commerce.OrderSubscription: ("number", "status", "customer_email", "created_at"),
    commerce.Cart: ("status", "customer_email", "is_test", "created_at"),
    commerce.OrderShipment: ("number", "status"),
    commerce.OrderFulfillment: ("order_number", "status", "is_test", "created_at"),
    commerce.Return: ("number", "status", "is_test", "created_at"),
    commerce.PromotionRule: ("type",),
}


# Ids of payments and cards in the payment gateway. Nobody can pay with them.
_REFERENCES = frozenset({"token", "payment_source_token"})


def _relation(model: type[Record], name: str) -> Relation:
    target = Relation(name).bind(model).target
    label, *others = _RELATED_FIELDS.get(target, ("name",))
    tags = name == "tags"
    return Relation(name, label, ("id", label, *others), "tag" if tags else None, joined=tags)


def _declare(
    model: type[Record],
    name: str,
    *,
    plural: str = "",
    key: str = "id",
    includes: str = "",
    columns: tuple[Column, ...] = (),
    default_columns: str = "",
    computed_amounts: tuple[Column, ...] = (),
    writable: tuple[str, ...] | None = None,
    parts: str = "",
) -> None:
    """Register a model with its amounts, and with a relation for each foreign key and for tags.

    default_columns, key, includes, parts: columns, paths, and one-to-many relations whose records
        a batch writes with the record, separated by spaces.
    computed_amounts: computed columns of cents.
    """
    searched = any(field.name == "search_text" for field in model._meta.concrete_fields)
    links = [field for field in model._meta.concrete_fields if field.many_to_one]
    names = [field.name for field in links if field.name != "organization"]
    tags = ("tags",) if issubclass(model, Taggable) else ()
    register(
        Resource(
            name=name,
            plural=plural or f"{name}s",
            model=model,
            relations=tuple(_relation(model, relation) for relation in (*names, *tags)),
            columns=(*columns, *amounts(model, computed_amounts)),
            default_columns=tuple(default_columns.split()),
            exposed=secret_fields(model) & _REFERENCES,
            hidden=frozenset({"search_text"} if searched else ()),
            search="search_text" if searched else None,
            key=tuple(key.split()),
            includes=tuple(includes.split()),
            writable=writable,
            writable_relations=() if writable == () else (*tags, *parts.split()),
        )
    )


# Customers
_declare(
    commerce.Customer,
    "customer",
    key="email",
    includes="customer_addresses customer_subscriptions orders returns tags",
    columns=(computed.ADDRESSES,),
)
_declare(
    commerce.Address,
    "address",
    plural="addresses",
    columns=(
        Column("full_name", ColumnType.TEXT, "concat_ws(' ', {row}.first_name, {row}.last_name)"),
    ),
)
_declare(
    commerce.CustomerAddress,
    "customer_address",
    plural="customer_addresses",
    key="customer_id address_id",
    includes="customer address",
)
_declare(commerce.CustomerSubscription, "customer_subscription", includes="customer")
_declare(commerce.CustomerPaymentSource, "customer_payment_source", writable=())

# Catalog and prices
_declare(commerce.Market, "market", key="code")
_declare(
    commerce.ShippingCategory,
    "shipping_category",
    plural="shipping_categories",
    key="code",
    includes="skus",
)
_declare(
    commerce.Sku,
    "sku",
    key="code",
    includes="shipping_category prices prices.price_tiers stock_items tax_categories tags",
    parts="prices stock_items tax_categories",
)
_declare(commerce.TaxCategory, "tax_category", plural="tax_categories", includes="sku")
_declare(commerce.SkuOption, "sku_option")
_declare(
    commerce.SkuList,
    "sku_list",
    key="slug",
    includes="sku_list_items bundles",
    parts="sku_list_items",
)
_declare(commerce.SkuListItem, "sku_list_item", key="sku_list_id sku_id", includes="sku")
_declare(
    commerce.Bundle,
    "bundle",
    key="code",
    includes="sku_list sku_list_items tags",
)
_declare(commerce.PriceList, "price_list", key="code")
_declare(
    commerce.Price,
    "price",
    key="sku_code price_list_id",
    includes="sku price_tiers",
    parts="price_tiers",
)
_declare(commerce.PriceTier, "price_tier")

# Stock
_declare(commerce.StockLocation, "stock_location", key="code")
_declare(commerce.StockItem, "stock_item", key="sku_id stock_location_id", includes="sku")
_declare(commerce.StockTransfer, "stock_transfer", key="number", includes="sku")
_declare(commerce.InStockSubscription, "in_stock_subscription", includes="customer market sku")

# Orders
_declare(
    commerce.Order,
    "order",
    key="number",
    includes="""customer shipping_address billing_address payment_method
        line_items line_items.line_item_options shipments shipments.shipping_method
        returns returns.return_line_items
        authorizations captures voids refunds transactions tags""",
    columns=computed.ORDER,
    default_columns="""id number status payment_status fulfillment_status customer customer_email
        country_code currency_code skus_count subtotal_amount_float discount_amount_float
        shipping_amount_float total_tax_amount_float total_amount_with_taxes_float coupon_code tags
        placed_at cancelled_at created_at updated_at""",
    parts="line_items",
)
_declare(
    commerce.LineItem,
    "line_item",
    includes="line_item_options",
    default_columns="""id order item_type sku_code bundle_code name quantity currency_code
        unit_amount_float discount_amount_float tax_rate tax_amount_float total_amount_float
        total_amount_with_taxes_float created_at updated_at""",
    computed_amounts=computed.LINE_ITEM_AMOUNTS,
    parts="line_item_options",
)
_declare(commerce.LineItemOption, "line_item_option")
_declare(commerce.Cart, "cart", columns=computed.CART, parts="cart_line_items")
_declare(commerce.CartLineItem, "cart_line_item")
_declare(
    commerce.OrderSubscription,
    "order_subscription",
    key="number",
    includes="customer customer_payment_source market source_order order_subscription_items",
    columns=computed.SUBSCRIPTION,
    parts="order_subscription_items",
)
_declare(
    commerce.OrderSubscriptionItem,
    "order_subscription_item",
    columns=computed.SUBSCRIPTION_ITEM,
)

# Payments
_declare(commerce.PaymentMethod, "payment_method", includes="order")
for _model, _name in (
    (commerce.Transaction, "transaction"),
    (commerce.Authorization, "authorization"),
    (commerce.Capture, "capture"),
    (commerce.Void, "void"),
    (commerce.Refund, "refund"),
):
    _declare(
        _model,
        _name,
        key="number",
        columns=computed.TRANSACTION,
        includes="order" if _name == "transaction" else "",
        writable=(),
    )
_declare(commerce.Dispute, "dispute", writable=())
_declare(commerce.GiftCard, "gift_card", key="code")

# Shipping and returns. The names `shipment` and `fulfillment` belong to the logistics domain.
_declare(commerce.ShippingMethod, "shipping_method", includes="shipments")
_declare(
    commerce.OrderShipment,
    "order_shipment",
    key="number",
    includes="""order stock_line_items shipping_category shipping_method origin_address
        shipping_address parcels""",
    writable=(),
)
_declare(commerce.StockLineItem, "stock_line_item", writable=())
_declare(commerce.Parcel, "parcel", key="number", writable=())
_declare(commerce.OrderFulfillment, "order_fulfillment", writable=())
_declare(commerce.FulfillmentLineItem, "fulfillment_line_item", writable=())
_declare(
    commerce.Return,
    "return",
    key="number",
    includes="order return_line_items",
    parts="return_line_items",
)
_declare(commerce.ReturnLineItem, "return_line_item")

# Promotions and tags
_declare(commerce.Promotion, "promotion")
_declare(commerce.PromotionRule, "promotion_rule")
_declare(commerce.Coupon, "coupon", key="code", includes="promotion_rule.promotion")
_declare(commerce.Tag, "tag", key="name")
