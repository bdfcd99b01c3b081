"""The catalog in the admin: markets, SKUs, their options, lists and bundles."""

from django.contrib import admin

from longshore.domains.commerce.admin.records import CommerceAdmin, PartInline
from longshore.domains.commerce.models import (
    Bundle,
    Market,
    Price,
    ShippingCategory,
    Sku,
    SkuList,
    SkuListItem,
    SkuOption,
    StockItem,
    TaxCategory,
)


class PriceInline(PartInline):
    model = Price
    columns = ("price_list", "amount_cents", "compare_at_amount_cents")


class StockInline(PartInline):
    model = StockItem
    columns = ("stock_location",)


class TaxInline(PartInline):
    model = TaxCategory
    columns = ("tax_calculator",)


class ListItemInline(PartInline):
    model = SkuListItem
    columns = ("position",)


@admin.register(Market)
class MarketAdmin(CommerceAdmin):
    columns = ("code", "price_list", "disabled_at")
    search_fields = ("name", "code")


@admin.register(ShippingCategory)
class ShippingCategoryAdmin(CommerceAdmin):
    columns = ("code",)
    search_fields = ("name", "code")


@admin.register(Sku)
class SkuAdmin(CommerceAdmin):
    columns = ("product_title", "variant_title", "shipping_category", "do_not_ship")
    detail = "name"
    search_fields = ("search_text",)
    inlines = (PriceInline, StockInline, TaxInline)


@admin.register(TaxCategory)
class TaxCategoryAdmin(CommerceAdmin):
    columns = ("sku", "tax_calculator")
    search_fields = ("code", "sku_code")


@admin.register(SkuOption)
class SkuOptionAdmin(CommerceAdmin):
    columns = ("market", "price_amount_cents", "delay_hours")
    search_fields = ("name",)


@admin.register(SkuList)
class SkuListAdmin(CommerceAdmin):
    columns = ("slug", "manual")
    search_fields = ("name", "slug")
    inlines = (ListItemInline,)


@admin.register(SkuListItem)
class SkuListItemAdmin(CommerceAdmin):
    columns = ("sku_list", "sku", "position")
    search_fields = ("sku_code",)


@admin.register(Bundle)
class BundleAdmin(CommerceAdmin):
    columns = ("market", "sku_list", "skus_count", "price_amount_cents", "compare_at_amount_cents")
    detail = "name"
    search_fields = ("code", "name")
    readonly_fields = ("skus_count",)
