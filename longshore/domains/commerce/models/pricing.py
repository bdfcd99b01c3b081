"""Price lists, prices and price tiers."""

from django.db import models
from django.db.models import Q

from longshore.domains.commerce.models.base import (
    Record,
    by,
    cents,
    currency,
    flag,
    one_of,
    only_one,
    optional_cents,
    part_of,
)
from longshore.files.currencies import amount_text
from longshore.resources.fields import id_field, sorted_index


class PriceList(Record):
    """A list of prices in one currency, for a market or season."""

    id = id_field("plst")
    name = models.TextField()
    code = models.TextField()
    currency_code = currency()
    tax_included = flag("Whether the prices include the tax.")

    class Meta(Record.Meta):
        constraints = (only_one("code"),)

    def __str__(self) -> str:
        return self.name


class Price(Record):
    """The price of a SKU in a price list."""

    id = id_field("prc")
    sku = part_of("longshore_commerce.Sku", "prices")
    price_list = part_of(PriceList, "prices")
    sku_code = models.TextField()
    currency_code = currency()
    amount_cents = cents()
    compare_at_amount_cents = optional_cents("Original price.")

    class Meta(Record.Meta):
        constraints = (
            models.UniqueConstraint(fields=["sku", "price_list"], name="sku_has_a_price_in_a_list"),
            models.UniqueConstraint(
                fields=["price_list", "sku_code"], name="sku_code_has_a_price_in_a_list"
            ),
            models.CheckConstraint(condition=Q(amount_cents__gte=0), name="price_is_not_negative"),
        )
        indexes = (
            *Record.Meta.indexes,
            by("sku_code"),
            sorted_index("sku_code", "price_in_order_of_sku"),
        )

    def __str__(self) -> str:
        return f"{self.sku_code}: {amount_text(self.amount_cents, self.currency_code)}"


class TierType(models.TextChoices):
    """The measure of a tier: quantity of an order, or frequency of a subscription."""

    VOLUME = "volume"
    FREQUENCY = "frequency"


class PriceTier(Record):
    """The unit price up to a quantity or frequency."""

    id = id_field("tier")
    price = part_of(Price, "price_tiers")
    name = models.TextField()
    type = one_of(TierType, TierType.VOLUME)
    up_to = models.FloatField(null=True, blank=True, help_text="Upper limit; null for none.")
    currency_code = currency()
    price_amount_cents = cents()

    class Meta(Record.Meta):
        constraints = (
            models.CheckConstraint(
                condition=Q(up_to__isnull=True) | Q(up_to__gt=0),
                name="tier_goes_up_to_something",
            ),
        )

    def __str__(self) -> str:
        return self.name
