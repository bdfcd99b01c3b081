"""Outbound orders in the admin: shipments with their parcels, and fulfillments."""

from django.contrib import admin

from longshore.domains.commerce.admin.records import CommerceAdmin, PartInline
from longshore.domains.commerce.models import (
    FulfillmentLineItem,
    OrderFulfillment,
    OrderShipment,
    Parcel,
    StockLineItem,
)


class StockLineInline(PartInline):
    model = StockLineItem
    columns = ("stock_item",)


class ParcelInline(PartInline):
    model = Parcel
    columns = ("carrier", "tracking_number", "tracking_status")


class FulfillmentLineInline(PartInline):
    model = FulfillmentLineItem
    columns = ("line_item", "quantity", "fulfilled_quantity", "returned_quantity")


@admin.register(OrderShipment)
class OrderShipmentAdmin(CommerceAdmin):
    columns = (
        "status",
        "order",
        "stock_location",
        "shipping_method",
        "cost_amount_cents",
        "shipped_at",
    )
    search_fields = ("number",)
    inlines = (ParcelInline, StockLineInline)


@admin.register(StockLineItem)
class StockLineItemAdmin(CommerceAdmin):
    columns = ("shipment", "sku", "quantity")
    search_fields = ("sku_code",)


@admin.register(Parcel)
class ParcelAdmin(CommerceAdmin):
    columns = ("shipment", "carrier", "tracking_number", "tracking_status")
    search_fields = ("number", "tracking_number")


@admin.register(OrderFulfillment)
class OrderFulfillmentAdmin(CommerceAdmin):
    columns = ("status", "delivery_status", "order", "stock_location", "is_test")
    search_fields = ("order_number",)
    inlines = (FulfillmentLineInline,)


@admin.register(FulfillmentLineItem)
class FulfillmentLineItemAdmin(CommerceAdmin):
    columns = ("fulfillment", "line_item", "fulfilled_quantity", "returned_quantity")
    search_fields = ("sku_code",)
