"""Rows of transactions and disputes."""

from collections.abc import Iterable, Iterator

from longshore.domains.commerce.demo.plan import PAYMENTS, Plan
from longshore.domains.commerce.demo.sales import Sale, sales_with
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
    """Yield letter, kind, letter of the parent, amount, time and success of each transaction."""
    outcome, to_pay = sale.outcome, sale.to_pay
    for letter, kind, parent, amount, time in (
        ("1", "authorization", "", to_pay * outcome.authorized // 100, sale.placed),
        ("2", "capture", "1", to_pay * outcome.captured // 100, sale.approved),
        ("3", "void", "1", to_pay * outcome.voided // 100, sale.approved),
        ("4", "refund", "2", sale.refund, sale.returned + _DAY_MS),
    ):
        if amount:
            if outcome.failed == kind:
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
            disputed = bool(sale.outcome.disputed) and kind == "capture" and succeeded
            parent_id = f"txn_{sale.body}{parent}" if parent else NULL
            yield (
                f"txn_{sale.body}{letter}\t{sale.order_number}/{letter}\t{kind}\tord_{sale.body}"
                f"\t{parent_id}\t{owner}\t{amount}\t{'ft'[succeeded]}\t{'ft'[disputed]}"
                f"\t{'ft'[sale.outcome.is_test]}\t{_APPROVED if succeeded else _DECLINED}"
                f"\ttok_{bits & 0xFFFFFFFF:08x}\tgw_{sale.number}_{letter}\t{details}"
                f"\t{plan.common(sale.number, time, bits)}"
            )


def disputes(plan: Plan, sales: Iterable[Sale]) -> Iterator[str]:
    for sale in sales_with("dsp", sales):
        bits, number = sale.bits, sale.number
        status, resolution = sale.outcome.disputed, NULL
        if status not in ("new", "open"):
            status, resolution = "resolved", status
        happened = sale.delivered + 20 * _DAY_MS
        yield (
            f"dsp_{sale.body}\t{('chargeback', 'alert')[bits >> 3 & 1]}\t{status}\t{resolution}"
            f"\tord_{sale.body}\ttxn_{sale.body}2\t{sale.place.currency}\t{sale.to_pay}"
            f"\t{f'ARN{bits & 0xFFFFFFFF:011}' if bits & 16 else NULL}\tCASE-{number}"
            f"\t{stamp(happened)}\t{plan.common(number, happened + _DAY_MS, bits)}"
        )
