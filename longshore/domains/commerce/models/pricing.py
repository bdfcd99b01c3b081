"""What things cost: price lists, their prices, and tiers of these."""

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
from longshore.resources.fields import id_field, sorted_index


class PriceList(Record):
    """The prices of one market or season, all in one currency."""

    id = id_field("plst")
    name = models.TextField()
    code = models.TextField()
    currency_code = currency()
    tax_included = flag("Its prices hold the tax.")

    class Meta(Record.Meta):
        constraints = (only_one("code"),)

    def __str__(self) -> str:
        return self.name


class Price(Record):
    """What a SKU costs in a price list."""

    id = id_field("prc")
    sku = part_of("longshore_commerce.Sku", "prices")
    price_list = part_of(PriceList, "prices")
    sku_code = models.TextField()
    currency_code = currency()
    amount_cents = cents()
    compare_at_amount_cents = optional_cents("What it is said to have cost.")

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
        return f"{self.sku_code}: {self.amount_cents} {self.currency_code}"


class TierType(models.TextChoices):
    """What a tier counts: pieces of an order, or how often a subscription comes."""

    VOLUME = "volume"
    FREQUENCY = "frequency"


class PriceTier(Record):
    """The price of one piece up to a quantity or frequency."""

    id = id_field("tier")
    price = part_of(Price, "price_tiers")
    name = models.TextField()
    type = one_of(TierType, TierType.VOLUME)
    up_to = models.FloatField(null=True, blank=True, help_text="Null: however many.")
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
