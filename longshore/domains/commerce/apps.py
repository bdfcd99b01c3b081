"""The commerce domain: what a shop sells, to whom, and how it is paid and delivered."""

from typing import ClassVar

from django.apps import AppConfig

from longshore.database.labels import spell_out


class CommerceConfig(AppConfig):
    name = "longshore.domains.commerce"
    default_auto_field = "django.db.models.BigAutoField"
    label = "longshore_commerce"
    verbose_name = "Commerce"
    # A `DemoSource`, loaded by `manage.py demo` and `manage.py demo_data`.
    demo = "longshore.domains.commerce.demo.load.DEMO"
    # Groups of the admin's sidebar, with their models in order.
    subjects: ClassVar[dict[str, tuple[str, ...]]] = {
        "orders": (
            "Order",
            "LineItem",
            "LineItemOption",
            "Cart",
            "CartLineItem",
            "OrderSubscription",
            "OrderSubscriptionItem",
        ),
        "customers": (
            "Customer",
            "Address",
            "CustomerAddress",
            "CustomerPaymentSource",
            "CustomerSubscription",
            "Tag",
        ),
        "catalog": (
            "Sku",
            "SkuOption",
            "SkuList",
            "SkuListItem",
            "Bundle",
            "Market",
            "PriceList",
            "Price",
            "PriceTier",
            "TaxCategory",
            "ShippingCategory",
        ),
        "stock": ("StockItem", "StockLocation", "StockTransfer", "InStockSubscription"),
        "shipping": (
            "OrderShipment",
            "Parcel",
            "StockLineItem",
            "OrderFulfillment",
            "FulfillmentLineItem",
            "Return",
            "ReturnLineItem",
            "ShippingMethod",
        ),
        "payments": (
            "Transaction",
            "Authorization",
            "Capture",
            "Void",
            "Refund",
            "Dispute",
            "PaymentMethod",
        ),
        "promotions": ("Promotion", "PromotionRule", "Coupon", "GiftCard"),
    }
    # Icons of the admin's sidebar, by model: names of Material Symbols.
    icons: ClassVar[dict[str, str]] = {
        "Order": "shopping_bag",
        "LineItem": "list",
        "Cart": "shopping_cart",
        "OrderSubscription": "event_repeat",
        "Customer": "person",
        "Address": "home_pin",
        "CustomerPaymentSource": "credit_card",
        "CustomerSubscription": "mail",
        "Tag": "sell",
        "Sku": "category",
        "SkuList": "list_alt",
        "Bundle": "package_2",
        "Market": "public",
        "PriceList": "request_quote",
        "Price": "payments",
        "StockItem": "inventory_2",
        "StockLocation": "warehouse",
        "StockTransfer": "sync_alt",
        "InStockSubscription": "notifications",
        "OrderShipment": "local_shipping",
        "Parcel": "package",
        "OrderFulfillment": "inventory",
        "Return": "assignment_return",
        "Transaction": "receipt_long",
        "Refund": "currency_exchange",
        "Dispute": "gavel",
        "PaymentMethod": "account_balance",
        "Promotion": "percent",
        "Coupon": "confirmation_number",
        "GiftCard": "card_giftcard",
    }

    def ready(self) -> None:
        spell_out(self)
