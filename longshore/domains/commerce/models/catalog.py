"""The catalog: markets, SKUs, their options, lists and bundles."""

from django.db import models

from longshore.domains.commerce.models.base import (
    Record,
    by,
    cents,
    count,
    currency,
    flag,
    moment,
    only_one,
    optional_cents,
    part_of,
    related,
)
from longshore.domains.commerce.models.pricing import PriceList
from longshore.domains.commerce.models.tags import Taggable
from longshore.resources.fields import (
    id_field,
    search_field,
    search_index,
    sorted_index,
    text,
)


class Market(Record):
    """A group of customers or countries with a price list of its own."""

    id = id_field("mkt")
    name = models.TextField()
    code = models.TextField()
    price_list = related(PriceList, "markets")
    disabled_at = moment()

    class Meta(Record.Meta):
        constraints = (only_one("code"),)

    def __str__(self) -> str:
        return self.name


class ShippingCategory(Record):
    """A category of SKUs that are shipped in the same way."""

    id = id_field("scat")
    name = models.TextField()
    code = models.TextField()

    class Meta(Record.Meta):
        constraints = (only_one("code"),)
        verbose_name_plural = "shipping categories"

    def __str__(self) -> str:
        return self.name


class Sku(Taggable):
    """A product variant: the unit of stock and sale."""

    id = id_field("sku")
    code = models.TextField()
    name = models.TextField()
    description = text()
    image_url = text()
    product_id = text("Id that all variants of a product share.")
    product_title = text()
    variant_title = text("Name of the variant, such as its size or color.")
    pieces_per_pack = count(default=1)
    weight = models.FloatField(null=True, blank=True, help_text="In `unit_of_weight`.")
    unit_of_weight = text("Unit of weight: gr, oz or lb.")
    hs_tariff_number = text("Harmonized system code, for customs.")
    do_not_ship = flag("Not a physical product.")
    do_not_track = flag("Stock is not counted.")
    shipping_category = related(ShippingCategory, "skus")
    search_text = search_field("code", "name", "description", "reference")

    class Meta(Taggable.Meta):
        constraints = (only_one("code"),)
        indexes = (
            *Record.Meta.indexes,
            by("name"),
            sorted_index("name", "sku_in_order_of_name"),
            sorted_index("code", "sku_in_order_of_code"),
            search_index("sku_words"),
        )

    def __str__(self) -> str:
        return self.code


class TaxCategory(Record):
    """The tax code of a SKU."""

    id = id_field("tcat")
    code = models.TextField(help_text="Code in the tax calculator.")
    sku = part_of(Sku, "tax_categories")
    sku_code = models.TextField()
    tax_calculator = text()

    class Meta(Record.Meta):
        verbose_name_plural = "tax categories"

    def __str__(self) -> str:
        return f"{self.sku_code}: {self.code}"


class SkuOption(Record):
    """A paid option of SKUs, such as engraving or gift wrap."""

    id = id_field("sopt")
    name = models.TextField()
    description = text()
    currency_code = currency()
    price_amount_cents = cents()
    delay_hours = count("Delay of the shipment in hours.")
    sku_code_regex = text("Pattern of the codes of SKUs with this option; null for all.")
    market = related(Market, "sku_options")

    def __str__(self) -> str:
        return self.name


class SkuList(Record):
    """A list of SKUs, selected manually or by a pattern of their codes."""

    id = id_field("slst")
    name = models.TextField()
    slug = models.TextField()
    description = text()
    image_url = text()
    manual = flag("Whether the items are selected manually.", default=True)
    sku_code_regex = text("Pattern of the codes of SKUs in a list that is not manual.")

    class Meta(Record.Meta):
        constraints = (only_one("slug"),)

    def __str__(self) -> str:
        return self.name


class SkuListItem(Record):
    """A SKU in a list, with quantity and position."""

    id = id_field("slit")
    sku_list = part_of(SkuList, "sku_list_items")
    sku = part_of(Sku, "sku_list_items")
    sku_code = models.TextField()
    position = count()
    quantity = count(default=1)

    class Meta(Record.Meta):
        constraints = (
            models.UniqueConstraint(fields=["sku_list", "sku"], name="sku_is_in_a_list_once"),
        )

    def __str__(self) -> str:
        return f"{self.quantity} of {self.sku_code}"


class Bundle(Taggable):
    """The SKUs of a list, sold together."""

    id = id_field("bun")
    code = models.TextField()
    name = models.TextField()
    description = text()
    image_url = text()
    currency_code = currency()
    price_amount_cents = cents()
    compare_at_amount_cents = optional_cents("Total price of the single SKUs.")
    skus_count = count()
    market = related(Market, "bundles")
    sku_list = related(SkuList, "bundles")
    sku_list_items: "models.ManyToManyField[SkuListItem, BundleItem]" = models.ManyToManyField(
        SkuListItem, through="BundleItem", related_name="+"
    )

    class Meta(Taggable.Meta):
        constraints = (only_one("code"),)

    def __str__(self) -> str:
        return self.code


class BundleItem(models.Model):
    """An item of the SKU list of a bundle. A database view."""

    id = models.TextField(primary_key=True)
    bundle = models.ForeignKey(Bundle, on_delete=models.DO_NOTHING, related_name="+")
    sku_list_item = models.ForeignKey(SkuListItem, on_delete=models.DO_NOTHING, related_name="+")

    class Meta:
        managed = False

    def __str__(self) -> str:
        return self.id
