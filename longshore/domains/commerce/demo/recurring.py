"""Rows of subscriptions and carts."""

from collections.abc import Iterable, Iterator

from longshore.domains.commerce.demo.orders import attributions
from longshore.domains.commerce.demo.plan import Plan
from longshore.domains.commerce.demo.sales import Sale, sales_with
from longshore.domains.commerce.demo.shop import COMMON, sku_name
from longshore.domains.demo.cells import NULL
from longshore.domains.demo.clock import stamp

SUBSCRIPTION = f"""id number status frequency interval interval_count customer_id customer_email
    customer_payment_source_id market_id source_order_id currency_code total_amount_cents
    shipping_amount_cents orders_count errors_count succeeded_on_last_run cancel_reason starts_at
    expires_at last_run_at next_run_at cancelled_at {COMMON}"""
SUBSCRIPTION_ITEM = f"""id order_subscription_id sku_id bundle_id sku_code name quantity
    currency_code unit_amount_cents total_amount_cents {COMMON}"""
CART = f"""id status customer_id customer_email order_id is_test checkout_url currency_code
    total_amount_with_taxes_cents attribution {COMMON}"""
CART_LINE_ITEM = f"""id cart_id sku_id sku_code name quantity currency_code unit_amount_cents
    total_amount_cents {COMMON}"""

_DAY_MS = 86_400_000
_STATUSES = (
    *("active", "active", "active", "active", "running", "cancelled", "past_due", "retrying"),
    *("paused", "draft", "inactive", "cancelled", "active"),
)
# Frequency, interval, interval_count, days.
_FREQUENCIES = (
    ("monthly", "month", 1, 30),
    ("weekly", "week", 1, 7),
    ("yearly", "year", 1, 365),
    ("daily", "day", 1, 1),
    ("two-month", "month", 2, 61),
)
_CANCEL_REASONS = ("Too expensive", "Moved away", "No longer needed", NULL)


def subscriptions(plan: Plan, sales: Iterable[Sale]) -> Iterator[str]:
    """One order in ten has a subscription."""
    for sale in sales_with("osub", sales):
        bits, number = sale.bits, sale.number // 10
        status = _STATUSES[number % len(_STATUSES)]
        frequency, interval, count, days = _FREQUENCIES[number % len(_FREQUENCIES)]
        runs = 1 + (bits >> 20 & 1)
        last = sale.placed + (runs - 1) * days * _DAY_MS
        stopped = status == "cancelled"
        source = f"cps_{plan.names['cus'](sale.customer)[4:]}" if sale.customer % 2 == 0 else NULL
        total = sum(line.unit * line.quantity for line in sale.lines) + sale.shipping
        yield (
            f"osub_{sale.body}\tSUB-{sale.number:06}\t{status}\t{frequency}\t{interval}\t{count}"
            f"\t{plan.names['cus'](sale.customer)}\t{plan.email(sale.customer)}\t{source}"
            f"\t{plan.names['mkt'](sale.place_number)}\tord_{sale.body}\t{sale.place.currency}"
            f"\t{total}\t{sale.shipping}\t{runs}\t{bits >> 24 & 1}"
            f"\t{'ft'[status in ('active', 'running')]}"
            f"\t{_CANCEL_REASONS[number % len(_CANCEL_REASONS)] if stopped else NULL}"
            f"\t{stamp(sale.placed)}"
            f"\t{stamp(sale.placed + 1095 * _DAY_MS) if bits & 3 == 2 else NULL}"
            f"\t{stamp(last)}"
            f"\t{NULL if stopped else stamp(last + days * _DAY_MS)}"
            f"\t{stamp(last + _DAY_MS) if stopped else NULL}"
            f"\t{plan.common(sale.number, sale.placed, bits)}"
        )


def subscription_items(plan: Plan, sales: Iterable[Sale]) -> Iterator[str]:
    for sale in sales_with("osub", sales):
        which = sale.bits >> 16 & 0xFFFF
        bundle = plan.names["bun"](which % plan.counts["bun"]) if sale.bits & 3 == 0 else NULL
        for line in sale.lines:
            yield (
                f"osit_{sale.body}{line.letter}\tosub_{sale.body}\t{plan.names['sku'](line.sku)}"
                f"\t{bundle}\tSKU-{line.sku:06}\t{sku_name(line.sku)}\t{line.quantity}"
                f"\t{sale.place.currency}\t{line.unit}\t{line.unit * line.quantity}"
                f"\t{plan.common(sale.number, sale.placed, sale.bits)}"
            )


def _filled(sales: Iterable[Sale]) -> Iterator[tuple[Sale, bool]]:
    """Yield the sales with a cart, and whether the cart became the order."""
    goods = (sale for sale in sales if sale.outcome.fulfillment != "not_required")
    return ((sale, sale.number % 2 == 0) for sale in goods if sale.number % 4 < 3)


def carts(plan: Plan, sales: Iterable[Sale]) -> Iterator[str]:
    """Every second order has a submitted cart, every fourth an open cart with the same lines."""
    origins = attributions()
    for sale, bought in _filled(sales):
        bits = sale.bits
        known = bought or bits & 3
        time = sale.made if bought else sale.placed + 3 * _DAY_MS
        total = sum(line.unit * line.quantity for line in sale.lines)
        yield (
            f"cart_{sale.body}\t{'submitted' if bought else 'open'}"
            f"\t{plan.names['cus'](sale.customer) if known else NULL}"
            f"\t{plan.email(sale.customer) if known else NULL}"
            f"\t{f'ord_{sale.body}' if bought else NULL}\t{'ft'[sale.outcome.is_test]}"
            f"\thttps://shop.example.com/checkout/{sale.body}\t{sale.place.currency}\t{total}"
            f"\t{origins[bits % len(origins)]}"
            f"\t{plan.common(sale.number, time, bits)}"
        )


def cart_line_items(plan: Plan, sales: Iterable[Sale]) -> Iterator[str]:
    for sale, bought in _filled(sales):
        time = sale.made if bought else sale.placed + 3 * _DAY_MS
        common = plan.common(sale.number, time, sale.bits)
        for line in sale.lines:
            yield (
                f"clin_{sale.body}{line.letter}\tcart_{sale.body}\t{plan.names['sku'](line.sku)}"
                f"\tSKU-{line.sku:06}\t{sku_name(line.sku)}\t{line.quantity}"
                f"\t{sale.place.currency}\t{line.unit}\t{line.unit * line.quantity}\t{common}"
            )
