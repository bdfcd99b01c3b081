"""Carts in the admin."""

from django.contrib import admin

from longshore.domains.commerce.admin.records import CommerceAdmin, PartInline
from longshore.domains.commerce.models import (
    Cart,
    CartLineItem,
)


class CartLineInline(PartInline):
    model = CartLineItem
    columns = ("name", "unit_amount_cents", "total_amount_cents")


@admin.register(Cart)
class CartAdmin(CommerceAdmin):
    columns = ("status", "customer", "total_amount_with_taxes_cents", "is_test")
    detail = "customer_email"
    search_fields = ("customer_email",)
    inlines = (CartLineInline,)


@admin.register(CartLineItem)
class CartLineItemAdmin(CommerceAdmin):
    columns = ("cart", "sku", "quantity", "unit_amount_cents", "total_amount_cents")
    detail = "name"
    search_fields = ("sku_code", "name")
