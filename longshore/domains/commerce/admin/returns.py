"""Returns and their lines in the admin."""

from django.contrib import admin

from longshore.domains.commerce.admin.records import CommerceAdmin, PartInline
from longshore.domains.commerce.models import (
    Return,
    ReturnLineItem,
)


class ReturnLineInline(PartInline):
    model = ReturnLineItem
    columns = ("name", "amount_cents", "restock_type", "restocked_at")


@admin.register(Return)
class ReturnAdmin(CommerceAdmin):
    columns = ("status", "order", "skus_count", "stock_location", "received_at")
    detail = "customer_email"
    search_fields = ("number", "customer_email")
    readonly_fields = ("skus_count",)
    inlines = (ReturnLineInline,)


@admin.register(ReturnLineItem)
class ReturnLineItemAdmin(CommerceAdmin):
    columns = ("order_return", "quantity", "amount_cents", "restock_type", "restocked_at")
    detail = "name"
    search_fields = ("sku_code", "name")
