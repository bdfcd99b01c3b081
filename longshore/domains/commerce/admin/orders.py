"""Orders in the admin, with their lines and the options of lines."""

from django.contrib import admin

from longshore.domains.commerce.admin.records import CURRENCY, CommerceAdmin, PartInline, amounts_of
from longshore.domains.commerce.models import (
    LineItem,
    LineItemOption,
    Order,
    OrderShipment,
    Return,
    Transaction,
)


class LineInline(PartInline):
    model = LineItem
    columns = (
        "name",
        "item_type",
        "unit_amount_cents",
        "discount_amount_cents",
        "total_amount_cents",
    )


class ShipmentInline(PartInline):
    model = OrderShipment
    columns = ("status", "stock_location", "shipping_method", "shipped_at")


class TransactionInline(PartInline):
    model = Transaction
    columns = ("kind", "amount_cents", "succeeded", "message", "created_at")


class ReturnInline(PartInline):
    model = Return
    columns = ("status", "reason", "skus_count", "received_at")


class OptionInline(PartInline):
    model = LineItemOption
    columns = ("quantity", "unit_amount_cents", "total_amount_cents")


@admin.register(Order)
class OrderAdmin(CommerceAdmin):
    columns = (
        "status",
        "payment_status",
        "fulfillment_status",
        "total_amount_with_taxes_cents",
        "market",
    )
    detail = "customer_email"
    search_fields = ("search_text",)
    # Sums of the lines.
    readonly_fields = ("skus_count", CURRENCY, *amounts_of(Order))
    inlines = (LineInline, ShipmentInline, TransactionInline, ReturnInline)


@admin.register(LineItem)
class LineItemAdmin(CommerceAdmin):
    columns = ("order", "item_type", "unit_amount_cents", "total_amount_cents")
    detail = "name"
    search_fields = ("sku_code", "name")
    # The amounts of the order are sums of these.
    readonly_fields = ("quantity", CURRENCY, *amounts_of(LineItem))
    inlines = (OptionInline,)


@admin.register(LineItemOption)
class LineItemOptionAdmin(CommerceAdmin):
    columns = ("line_item", "quantity", "total_amount_cents")
    search_fields = ("name",)
    # The amount of the line contains them.
    readonly_fields = ("quantity", CURRENCY, *amounts_of(LineItemOption))
