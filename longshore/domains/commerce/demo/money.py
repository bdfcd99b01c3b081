"""Rows of transactions and of disputes about them."""

from collections.abc import Iterable, Iterator

from longshore.domains.commerce.demo.plan import PAYMENTS, Plan
from longshore.domains.commerce.demo.sales import Sale, having
from longshore.domains.commerce.demo.shop import COMMON
from longshore.domains.demo.cells import NULL
from longshore.domains.demo.clock import stamp

TRANSACTION = f"""id number kind order_id parent_id customer_id payment_method_id currency_code
    amount_cents succeeded is_disputed is_test message response_code token gateway_transaction_id
    payment_details {COMMON}"""
DISPUTE = f"""id type status resolution order_id transaction_id currency_code amount_cents arn
    case_number happened_at {COMMON}"""

_DAY_MS = 86_400_000
# message response_code
_APPROVED = "Approved\t00"
_DECLINED = "Declined: insufficient funds\t51"


def _steps(sale: Sale) -> Iterator[tuple[str, str, str, int, int, bool]]:
    """Letter, kind, the parent's letter, amount, time, and whether it succeeded."""
    fate, to_pay = sale.fate, sale.to_pay
    for letter, kind, parent, amount, time in (
        ("1", "authorization", "", to_pay * fate.reserved // 100, sale.placed),
        ("2", "capture", "1", to_pay * fate.taken // 100, sale.approved),
        ("3", "void", "1", to_pay * fate.released // 100, sale.approved),
        ("4", "refund", "2", sale.refund, sale.returned + _DAY_MS),
    ):
        if amount:
            if fate.failed == kind:
                yield "0", kind, parent, amount, time, False
            yield letter, kind, parent, amount, time, True


def transactions(plan: Plan, sales: Iterable[Sale]) -> Iterator[str]:
    for sale in sales:
        bits, method = sale.bits, sale.place_number * len(PAYMENTS) + sale.payment
        owner = (
            f"{plan.names['cus'](sale.customer)}\t{plan.names['pmth'](method)}"
            f"\t{sale.place.currency}"
        )
        details = (
            f'{{"gateway": "bank {method % 3}", "bankcard_first_six": "4242{bits % 90 + 10}", '
            f'"bankcard_last_four": "{bits % 9000 + 1000}"}}'
        )
        for letter, kind, parent, amount, time, succeeded in _steps(sale):
            disputed = bool(sale.fate.disputed) and kind == "capture" and succeeded
            parent_id = f"txn_{sale.body}{parent}" if parent else NULL
            yield (
                f"txn_{sale.body}{letter}\t{sale.order_number}/{letter}\t{kind}\tord_{sale.body}"
                f"\t{parent_id}\t{owner}\t{amount}\t{'ft'[succeeded]}\t{'ft'[disputed]}"
                f"\t{'ft'[sale.fate.is_test]}\t{_APPROVED if succeeded else _DECLINED}"
                f"\ttok_{bits & 0xFFFFFFFF:08x}\tgw_{sale.number}_{letter}\t{details}"
                f"\t{plan.common(sale.number, time, bits)}"
            )


def disputes(plan: Plan, sales: Iterable[Sale]) -> Iterator[str]:
    for sale in having("dsp", sales):
        bits, number = sale.bits, sale.number
        stand, resolution = sale.fate.disputed, NULL
        if stand not in ("new", "open"):
            stand, resolution = "resolved", stand
        happened = sale.delivered + 20 * _DAY_MS
        yield (
            f"dsp_{sale.body}\t{('chargeback', 'alert')[bits >> 3 & 1]}\t{stand}\t{resolution}"
            f"\tord_{sale.body}\ttxn_{sale.body}2\t{sale.place.currency}\t{sale.to_pay}"
            f"\t{f'ARN{bits & 0xFFFFFFFF:011}' if bits & 16 else NULL}\tCASE-{number}"
            f"\t{stamp(happened)}\t{plan.common(number, happened + _DAY_MS, bits)}"
        )
