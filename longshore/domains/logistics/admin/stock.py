"""Items and assets in the admin."""

from django.contrib import admin
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
)
from unfold.decorators import display

from longshore.domains.logistics.admin.records import (
    BY_ORGANIZATION,
    NOTHING,
    RecordAdmin,
    RelatedInline,
)
from longshore.domains.logistics.models import Asset, AssetStatus, Item, Level

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
class ItemAdmin(RecordAdmin):
    list_display = ("name_and_details", "sku", "upc", "vendor", "price", "is_asset", "created")
    list_filter = (BY_ORGANIZATION, "is_asset")
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
        return item.name, item.description or NOTHING

    @display(description="Value")
    def price(self, item: Item) -> str:
        return NOTHING if item.value is None else f"{item.value:,} {item.currency}"


@admin.register(Asset)
class AssetAdmin(RecordAdmin):
    list_display = ("name_and_details", "state", "assignee", "item", "location", "created")
    list_filter = (
        BY_ORGANIZATION,
        ("status", ChoicesDropdownFilter),
        ("location", AutocompleteSelectFilter),
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
        return asset.name, asset.serial_number or NOTHING

    @display(description="Status", label=STATUS_COLORS)
    def state(self, asset: Asset) -> tuple[str, str]:
        return asset.status, asset.get_status_display()
