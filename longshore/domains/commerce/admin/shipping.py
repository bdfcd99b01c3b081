"""Shipping methods in the admin."""

from django.contrib import admin

from longshore.domains.commerce.admin.records import CommerceAdmin
from longshore.domains.commerce.models import (
    ShippingMethod,
)


@admin.register(ShippingMethod)
class ShippingMethodAdmin(CommerceAdmin):
    columns = (
        "code",
        "scheme",
        "market",
        "price_amount_cents",
        "free_over_amount_cents",
        "disabled_at",
    )
    search_fields = ("name", "code")
