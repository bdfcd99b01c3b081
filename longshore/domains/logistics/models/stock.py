"""Stock: items with their levels, and assets."""

from typing import Any

from django.db import models

from longshore.domains.logistics.models.base import Record
from longshore.domains.logistics.models.places import Location
from longshore.resources.fields import (
    id_field,
    json_list,
    json_object,
    link,
    link_index,
    search_field,
    search_index,
    sorted_index,
    text,
    texts,
)


def _value() -> "models.DecimalField[Any, Any]":
    return models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True, help_text="In `currency`."
    )


def _measure(help_text: str) -> "models.DecimalField[Any, Any]":
    return models.DecimalField(
        max_digits=12, decimal_places=3, null=True, blank=True, help_text=help_text
    )


class Item(Record):
    """A product of the catalog, with any number of pieces in stock."""

    id = id_field("item")
    name = models.TextField()
    description = text()
    sku = text("Stock keeping unit of the organization.")
    upc = text("Universal product code, 12 digits.")
    gtin = text("Global trade item number, 8 to 14 digits.")
    harmonized_code = text("Customs tariff code.")
    color = text()
    size = text()
    attributes = json_list("[{name, value}].")
    images = texts("URLs.")
    length = _measure("In centimetres.")
    width = _measure("In centimetres.")
    height = _measure("In centimetres.")
    weight = _measure("In kilograms.")
    packaged = json_object("Dimensions with packaging: {length, width, height, weight}.")
    origin_country = text("ISO 3166-1 alpha-2 code.")
    value = _value()
    currency = models.CharField(max_length=3, default="USD", help_text="ISO 4217 code.")
    vendor = text()
    is_asset = models.BooleanField(default=False, help_text="Whether each piece is an asset.")
    search_text = search_field("name", "description", "sku", "upc", "gtin", "vendor")

    class Meta(Record.Meta):
        indexes = (
            *Record.Meta.indexes,
            models.Index(fields=["organization", "name"], name="item_by_name"),
            models.Index(fields=["organization", "created_at"], name="item_by_creation"),
            models.Index(fields=["organization", "sku"], name="item_by_sku"),
            sorted_index("name", "item_in_order_of_name"),
            sorted_index("sku", "item_in_order_of_sku"),
            search_index("item_by_words"),
        )

    def __str__(self) -> str:
        return self.name


class Level(models.Model):
    """The quantities of an item at a place."""

    id = id_field("lvl")
    item = models.ForeignKey(Item, on_delete=models.CASCADE, related_name="levels", db_index=False)
    location = models.ForeignKey(
        Location, on_delete=models.CASCADE, related_name="levels", db_index=False
    )
    layout_id = models.TextField(
        default="", blank=True, help_text="Shelf or zone; empty for the whole location."
    )
    layout_name = text()
    verified_qty = models.PositiveIntegerField(default=0)
    damaged_qty = models.PositiveIntegerField(default=0)
    manifested_qty = models.PositiveIntegerField(default=0)
    reserved_qty = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["item", "location", "layout_id"], name="item_has_one_level_at_a_place"
            ),
        )
        indexes = (models.Index(fields=["location", "layout_id"], name="level_by_place"),)

    def __str__(self) -> str:
        return f"{self.verified_qty} of {self.item} at {self.layout_name or self.location}"


class AssetStatus(models.TextChoices):
    """The status of an asset."""

    IN_USE = "in_use"
    IN_STORAGE = "in_storage"
    ON_LOAN = "on_loan"
    IN_REPAIR = "in_repair"
    IN_TRANSIT = "in_transit"
    IN_PIPELINE = "in_pipeline"
    LOST = "lost"
    MISSING = "missing"
    STOLEN = "stolen"
    DONATED = "donated"
    DISPOSED = "disposed"
    OUT_OF_SERVICE = "out_of_service"
    FOR_SALE = "for_sale"
    SOLD = "sold"


class Asset(Record):
    """A single piece with a serial number and an assignee."""

    id = id_field("ast")
    name = models.TextField()
    status = models.CharField(
        max_length=20,
        choices=AssetStatus.choices,
        default=AssetStatus.IN_STORAGE,
        db_collation="C",
    )
    serial_number = text()
    sku = text("Stock keeping unit of the organization.")
    gtin = text("Global trade item number, 8 to 14 digits.")
    harmonized_code = text("Customs tariff code.")
    item = link(Item, "assets", "Product of the asset.")
    location = link(Location, "assets")
    layout_id = text("Shelf or zone.")
    assignee = text("Name or id of the person who has the asset.")
    vendor = text()
    currency = models.CharField(max_length=3, default="USD", help_text="ISO 4217 code.")
    value = _value()
    images = texts("URLs.")
    dimensions = json_object("{length, width, height} in centimetres, {weight} in kilograms.")
    attributes = json_list("[{name, value}].")
    next_maintenance_date = models.DateTimeField(null=True, blank=True)
    warranty_valid_until = models.DateTimeField(null=True, blank=True)
    search_text = search_field("name", "serial_number", "sku", "gtin", "assignee", "vendor")

    class Meta(Record.Meta):
        indexes = (
            *Record.Meta.indexes,
            models.Index(fields=["organization", "created_at"], name="asset_by_creation"),
            models.Index(fields=["organization", "status", "created_at"], name="asset_by_status"),
            link_index("item", "asset_by_item"),
            link_index("location", "asset_by_location"),
            search_index("asset_by_words"),
        )

    def __str__(self) -> str:
        return self.name
