"""Recurring orders and their lines in the admin."""

from django.contrib import admin

from longshore.domains.commerce.admin.records import CommerceAdmin, PartInline
from longshore.domains.commerce.models import (
    OrderSubscription,
    OrderSubscriptionItem,
)


class SubscriptionLineInline(PartInline):
    model = OrderSubscriptionItem
    columns = ("name", "unit_amount_cents", "total_amount_cents")


@admin.register(OrderSubscription)
class OrderSubscriptionAdmin(CommerceAdmin):
    columns = ("status", "frequency", "total_amount_cents", "next_run_at", "orders_count")
    detail = "customer_email"
    search_fields = ("number", "customer_email")
    readonly_fields = ("orders_count", "errors_count", "succeeded_on_last_run", "last_run_at")
    inlines = (SubscriptionLineInline,)


@admin.register(OrderSubscriptionItem)
class OrderSubscriptionItemAdmin(CommerceAdmin):
    columns = ("order_subscription", "sku", "unit_amount_cents", "total_amount_cents")
    detail = "name"
    search_fields = ("sku_code", "name")
