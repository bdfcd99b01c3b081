"""Promotions in the admin, with their rules, coupons and gift cards."""

from django.contrib import admin

from longshore.domains.commerce.admin.records import CommerceAdmin, PartInline
from longshore.domains.commerce.models import (
    Coupon,
    GiftCard,
    Promotion,
    PromotionRule,
)


class RuleInline(PartInline):
    model = PromotionRule
    columns = ("type", "order_amount_cents", "sku_list")


class CouponInline(PartInline):
    model = Coupon
    columns = ("usage_count", "usage_limit", "expires_at")


@admin.register(Promotion)
class PromotionAdmin(CommerceAdmin):
    columns = (
        "type",
        "percentage",
        "fixed_amount_cents",
        "market",
        "total_usage_count",
        "expires_at",
    )
    search_fields = ("name",)
    readonly_fields = ("total_usage_count",)
    inlines = (RuleInline,)


@admin.register(PromotionRule)
class PromotionRuleAdmin(CommerceAdmin):
    columns = ("promotion", "type", "order_amount_cents", "sku_list")
    search_fields = ("promotion__name",)
    inlines = (CouponInline,)


@admin.register(Coupon)
class CouponAdmin(CommerceAdmin):
    columns = ("promotion_rule", "usage_count", "usage_limit", "expires_at")
    search_fields = ("code", "recipient_email")
    readonly_fields = ("usage_count",)
    list_select_related = ("organization", "promotion_rule__promotion")


@admin.register(GiftCard)
class GiftCardAdmin(CommerceAdmin):
    columns = ("status", "customer", "initial_balance_cents", "balance_cents", "expires_at")
    detail = "recipient_email"
    search_fields = ("code", "recipient_email")
