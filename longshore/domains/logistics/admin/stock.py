"""Items and assets in the admin."""

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from longshore.accounts.admin.filters import RelatedFilter
from longshore.accounts.admin.presentation import EMPTY
from longshore.domains.admin.records import RelatedInline
from longshore.domains.logistics.admin.records import LogisticsAdmin
from longshore.domains.logistics.models import Asset, AssetStatus, Item, Level
from longshore.files.currencies import with_currency

STATUS_COLORS = {
    AssetStatus.IN_USE: "success",
    AssetStatus.IN_STORAGE: "info",
    AssetStatus.ON_LOAN: "info",
    AssetStatus.IN_TRANSIT: "info",
    AssetStatus.IN_PIPELINE: "info",
    AssetStatus.FOR_SALE: "info",
    AssetStatus.IN_REPAIR: "warning",
    AssetStatus.OUT_OF_SERVICE: "warning",
    AssetStatus.LOST: "danger",
    AssetStatus.MISSING: "danger",
    AssetStatus.STOLEN: "danger",
    AssetStatus.DONATED: "default",
    AssetStatus.DISPOSED: "default",
    AssetStatus.SOLD: "default",
}


class LevelInline(RelatedInline):
    model = Level
    autocomplete_fields = ("location",)


@admin.register(Item)
class ItemAdmin(LogisticsAdmin):
    list_display = ("name_and_details", "sku", "upc", "vendor", "price", "is_asset", "created")
    list_filter = ("is_asset",)
    inlines = (LevelInline,)
    main_fieldsets = (
        (
            None,
            {
                "fields": (
                    "name",
                    "description",
                    ("sku", "upc", "gtin"),
                    ("value", "currency", "vendor"),
                    ("harmonized_code", "origin_country", "is_asset"),
                )
            },
        ),
        (
            "Appearance",
            {
                "classes": ("tab",),
                "fields": (
                    ("color", "size"),
                    ("length", "width", "height", "weight"),
                    ("packaged", "attributes"),
                    "images",
                ),
            },
        ),
    )

    @display(description="Item", header=True)
    def name_and_details(self, item: Item) -> tuple[str, str]:
        return item.name, item.description or EMPTY

    @display(description="Value")
    def price(self, item: Item) -> str:
        return EMPTY if item.value is None else with_currency(f"{item.value:,}", item.currency)


@admin.register(Asset)
class AssetAdmin(LogisticsAdmin):
    list_display = ("name_and_details", "state", "assignee", "item", "location", "created")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("location", RelatedFilter),
    )
    list_select_related = ("organization", "item", "location")
    main_fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "status"),
                    ("serial_number", "assignee"),
                    ("item", "location", "layout_id"),
                    ("next_maintenance_date", "warranty_valid_until"),
                )
            },
        ),
        (
            "Article",
            {
                "classes": ("tab",),
                "fields": (
                    ("sku", "gtin", "harmonized_code"),
                    ("value", "currency", "vendor"),
                    ("dimensions", "attributes"),
                    "images",
                ),
            },
        ),
    )

    @display(description="Asset", header=True)
    def name_and_details(self, asset: Asset) -> tuple[str, str]:
        return asset.name, asset.serial_number or EMPTY

    @display(description="Status", label=STATUS_COLORS)
    def state(self, asset: Asset) -> tuple[str, str]:
        return asset.status, asset.get_status_display()
