"""Computed columns of the commerce resources.

A reported status is a status in the vocabulary of the named exports. That vocabulary is
smaller: every status of the data maps to exactly one reported status.
"""

from collections.abc import Mapping

from longshore.domains.commerce.models import (
    FulfillmentStatus,
    PaymentStatus,
    SubscriptionStatus,
)
from longshore.resources.columns import Column, ColumnType

_REPORTED_PAYMENT: Mapping[str, str] = {
    PaymentStatus.UNPAID: "pending",
    PaymentStatus.PARTIALLY_AUTHORIZED: "authorized",
    PaymentStatus.FREE: "paid",
}
_REPORTED_FULFILLMENT: Mapping[str, str] = {FulfillmentStatus.IN_PROGRESS: "processing"}
# A draft or inactive subscription creates no orders now, but may later, like a paused one.
_REPORTED_SUBSCRIPTION: Mapping[str, str] = {
    SubscriptionStatus.DRAFT: "paused",
    SubscriptionStatus.INACTIVE: "paused",
    SubscriptionStatus.RUNNING: "active",
    SubscriptionStatus.CANCELLED: "canceled",
}


def _reported(field: str, statuses: list[str], words: Mapping[str, str]) -> Column:
    """Return the reported status of a field. words: reported statuses that differ."""
    cases = " ".join(f"WHEN '{value}' THEN '{word}'" for value, word in words.items())
    return Column(
        f"reported_{field}",
        ColumnType.TEXT,
        f"CASE {{row}}.{field} {cases} ELSE {{row}}.{field} END",
        nullable=False,
        description=f"`{field}` in the vocabulary of named exports.",
        choices=tuple(dict.fromkeys(words.get(value, value) for value in statuses)),
    )


def _cents(name: str, expression: str, description: str, *, nullable: bool = False) -> Column:
    return Column(name, ColumnType.INTEGER, expression, nullable=nullable, description=description)


ORDER = (
    _reported("payment_status", PaymentStatus.values, _REPORTED_PAYMENT),
    _reported("fulfillment_status", FulfillmentStatus.values, _REPORTED_FULFILLMENT),
)
SUBSCRIPTION = (_reported("status", SubscriptionStatus.values, _REPORTED_SUBSCRIPTION),)
SUBSCRIPTION_ITEM = (
    Column(
        "order_subscription_reported_status",
        ColumnType.TEXT,
        """(SELECT $ FROM longshore_commerce_ordersubscription AS subscription
            WHERE subscription.id = {row}.order_subscription_id
            AND subscription.organization_id = {row}.organization_id)""".replace(
            "$", SUBSCRIPTION[0].expression.replace("{row}", "subscription")
        ),
        description="`reported_status` of the subscription.",
        choices=SUBSCRIPTION[0].choices,
    ),
)

LINE_ITEM_AMOUNTS = (
    _cents(
        "total_amount_with_taxes_cents",
        "{row}.total_amount_cents"
        " + CASE WHEN {row}.tax_included THEN 0 ELSE {row}.tax_amount_cents END",
        "Total including tax.",
    ),
    _cents(
        "total_taxable_amount_cents",
        "{row}.total_amount_cents"
        " - CASE WHEN {row}.tax_included THEN {row}.tax_amount_cents ELSE 0 END",
        "Total without tax.",
    ),
    _cents(
        "compare_at_amount_with_taxes_cents",
        "CASE WHEN {row}.tax_included THEN {row}.compare_at_amount_cents ELSE"
        " round({row}.compare_at_amount_cents * (1 + {row}.tax_rate::numeric))::bigint END",
        "Original price of one piece, including tax.",
        nullable=True,
    ),
    _cents(
        "total_cost_amount_cents",
        "{row}.unit_cost_amount_cents * {row}.quantity",
        "Cost of all pieces for the shop.",
    ),
)

CART = (
    Column(
        "abandoned",
        ColumnType.BOOLEAN,
        "({row}.status = 'open' AND {row}.updated_at < now() - interval '30 minutes')",
        nullable=False,
        description="Open and not changed for 30 minutes.",
    ),
)

TRANSACTION = (
    Column(
        "type",
        ColumnType.TEXT,
        "CASE {row}.kind WHEN 'authorization' THEN 'authorize' WHEN 'capture' THEN 'debit'"
        " ELSE {row}.kind END",
        nullable=False,
        choices=("authorize", "debit", "void", "refund"),
    ),
    Column(
        "status",
        ColumnType.TEXT,
        "CASE WHEN {row}.succeeded THEN 'succeeded' ELSE 'failed' END",
        nullable=False,
        choices=("succeeded", "failed"),
    ),
)

ADDRESSES = Column(
    "addresses",
    ColumnType.JSON,
    """(SELECT coalesce(jsonb_agg(jsonb_build_object(
            'first_name', address.first_name, 'last_name', address.last_name,
            'company', address.company, 'line_1', address.line_1, 'line_2', address.line_2,
            'line_3', address.line_3, 'line_4', address.line_4, 'city', address.city,
            'state_code', address.state_code, 'zip_code', address.zip_code,
            'country_code', address.country_code, 'phone', address.phone
        ) ORDER BY kept.created_at, kept.id), '[]')
    FROM longshore_commerce_customeraddress AS kept
    JOIN longshore_commerce_address AS address ON address.id = kept.address_id
        AND address.organization_id = {row}.organization_id
    WHERE kept.customer_id = {row}.id AND kept.organization_id = {row}.organization_id)""",
    nullable=False,
    description="Address book of the customer, oldest first.",
)
