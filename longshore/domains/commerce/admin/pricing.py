"""Price lists, prices and price tiers in the admin."""

from django.contrib import admin

from longshore.domains.commerce.admin.records import CommerceAdmin, PartInline
from longshore.domains.commerce.models import (
    Price,
    PriceList,
    PriceTier,
)


class TierInline(PartInline):
    model = PriceTier
    columns = ("type", "up_to", "price_amount_cents")


@admin.register(PriceList)
class PriceListAdmin(CommerceAdmin):
    columns = ("code", "currency_code", "tax_included")
    search_fields = ("name", "code")


@admin.register(Price)
class PriceAdmin(CommerceAdmin):
    columns = ("sku", "price_list", "amount_cents", "compare_at_amount_cents")
    search_fields = ("sku_code",)
    inlines = (TierInline,)


@admin.register(PriceTier)
class PriceTierAdmin(CommerceAdmin):
    columns = ("price", "type", "up_to", "price_amount_cents")
    search_fields = ("name",)
