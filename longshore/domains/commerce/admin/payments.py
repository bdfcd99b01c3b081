"""Payments in the admin: payment methods, transactions of four kinds, and disputes."""

from django.contrib import admin

from longshore.domains.commerce.admin.records import CommerceAdmin
from longshore.domains.commerce.models import (
    Authorization,
    Capture,
    Dispute,
    PaymentMethod,
    Refund,
    Transaction,
    Void,
)


@admin.register(PaymentMethod)
class PaymentMethodAdmin(CommerceAdmin):
    columns = (
        "payment_source_type",
        "market",
        "price_amount_cents",
        "require_capture",
        "disabled_at",
    )
    search_fields = ("name",)


@admin.register(Transaction, Authorization, Capture, Void, Refund)
class TransactionAdmin(CommerceAdmin):
    """All transactions, or those of one kind."""

    columns = ("kind", "order", "amount_cents", "succeeded", "is_disputed")
    detail = "message"
    search_fields = ("number",)


@admin.register(Dispute)
class DisputeAdmin(CommerceAdmin):
    columns = ("type", "status", "order", "transaction", "amount_cents", "happened_at")
    search_fields = ("case_number", "arn")
