"""Promotions with their rules and coupons, and gift cards."""

from django.db import models

from longshore.domains.commerce.models.base import (
    Record,
    cents,
    count,
    currency,
    flag,
    moment,
    one_of,
    only_one,
    optional_cents,
    part_of,
    related,
)
from longshore.domains.commerce.models.catalog import Market, SkuList
from longshore.domains.commerce.models.customers import Customer
from longshore.domains.commerce.models.tags import Taggable
from longshore.resources.fields import id_field, text


class PromotionType(models.TextChoices):
    """The type of a discount."""

    PERCENTAGE = "percentage"
    FIXED_AMOUNT = "fixed_amount"
    FREE_SHIPPING = "free_shipping"


class Promotion(Record):
    """A discount for a period of time."""

    id = id_field("promo")
    name = models.TextField()
    type = one_of(PromotionType, PromotionType.PERCENTAGE)
    percentage = models.PositiveSmallIntegerField(null=True, blank=True)
    currency_code = currency()
    fixed_amount_cents = optional_cents()
    market = related(Market, "promotions")
    priority = count()
    exclusive = flag("Cannot be combined with other promotions.")
    total_usage_limit = models.PositiveIntegerField(null=True, blank=True)
    total_usage_count = count()
    starts_at = moment()
    expires_at = moment()
    disabled_at = moment()

    class Meta(Record.Meta):
        constraints = (
            models.CheckConstraint(
                condition=models.Q(percentage__isnull=True) | models.Q(percentage__lte=100),
                name="promotion_takes_off_100_percent_at_most",
            ),
        )

    def __str__(self) -> str:
        return self.name


class RuleType(models.TextChoices):
    """The type of a promotion rule."""

    COUPON_CODES = "coupon_codes"
    ORDER_AMOUNT = "order_amount"
    SKU_LIST = "sku_list"


class PromotionRule(Record):
    """A condition that an order must meet for a promotion."""

    id = id_field("prul")
    promotion = part_of(Promotion, "promotion_rules")
    type = one_of(RuleType, RuleType.COUPON_CODES)
    currency_code = currency()
    order_amount_cents = optional_cents("Minimum amount of the order.")
    sku_list = related(SkuList, "promotion_rules")

    def __str__(self) -> str:
        return f"{self.promotion}: {self.type}"


class Coupon(Taggable):
    """A code for a promotion."""

    id = id_field("cpn")
    code = models.TextField()
    promotion_rule = part_of(PromotionRule, "coupons")
    customer_single_use = flag("Each customer may use the coupon once.")
    usage_limit = models.PositiveIntegerField(
        null=True, blank=True, help_text="Maximum number of uses; null for none."
    )
    usage_count = count()
    recipient_email = text("E-mail address of the only customer who may use the coupon.")
    expires_at = moment()

    class Meta(Taggable.Meta):
        constraints = (only_one("code"),)

    def __str__(self) -> str:
        return self.code


class GiftCardStatus(models.TextChoices):
    """The status of a gift card."""

    DRAFT = "draft"
    INACTIVE = "inactive"
    ACTIVE = "active"
    REDEEMED = "redeemed"


class GiftCard(Taggable):
    """A prepaid gift card."""

    id = id_field("gift")
    code = models.TextField()
    status = one_of(GiftCardStatus, GiftCardStatus.DRAFT)
    currency_code = currency()
    initial_balance_cents = cents()
    balance_cents = cents()
    single_use = flag()
    rechargeable = flag()
    image_url = text()
    market = related(Market, "gift_cards")
    customer = related(Customer, "gift_cards", "Owner of the gift card.")
    recipient_email = text()
    expires_at = moment()

    class Meta(Taggable.Meta):
        constraints = (
            only_one("code"),
            models.CheckConstraint(
                condition=models.Q(balance_cents__gte=0), name="gift_card_is_not_overdrawn"
            ),
        )

    def __str__(self) -> str:
        return self.code
