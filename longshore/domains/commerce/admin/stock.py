"""Stock in the admin: locations, quantities, transfers and in-stock subscriptions."""

from django.contrib import admin

from longshore.domains.commerce.admin.records import CommerceAdmin
from longshore.domains.commerce.models import (
    InStockSubscription,
    StockItem,
    StockLocation,
    StockTransfer,
)


@admin.register(StockLocation)
class StockLocationAdmin(CommerceAdmin):
    columns = ("code", "address")
    search_fields = ("name", "code")


@admin.register(StockItem)
class StockItemAdmin(CommerceAdmin):
    columns = ("sku", "stock_location")
    search_fields = ("sku_code",)


@admin.register(StockTransfer)
class StockTransferAdmin(CommerceAdmin):
    columns = ("status", "sku", "quantity", "origin_stock_location", "destination_stock_location")
    search_fields = ("number", "sku_code")


@admin.register(InStockSubscription)
class InStockSubscriptionAdmin(CommerceAdmin):
    columns = ("status", "sku", "market", "stock_threshold")
    search_fields = ("customer_email", "sku_code")
