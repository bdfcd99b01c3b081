"""Rows of customers, their addresses, payment sources, gift cards and subscriptions."""

from collections.abc import Iterator

from longshore.domains.commerce.demo.plan import (
    LOCATIONS,
    PAYMENTS,
    PLACES,
    Plan,
    people,
)
from longshore.domains.commerce.demo.shop import COMMON, rows
from longshore.domains.demo import words
from longshore.domains.demo.cells import NULL, cell
from longshore.domains.demo.chance import scatter
from longshore.domains.demo.clock import stamp

CUSTOMER = f"""id email status user_type first_name last_name phone_number language_code
    accepts_marketing is_blocked ip_address tax_exemption_code orders_count subscriptions_count
    currency_code total_spent_amount_cents joined_at {COMMON}"""
ADDRESS = f"""id business first_name last_name company line_1 line_2 city zip_code state_code
    country_code phone line_3 line_4 email notes lat lng billing_info {COMMON}"""
CUSTOMER_ADDRESS = f"id customer_id address_id {COMMON}"
CUSTOMER_SUBSCRIPTION = f"id customer_id customer_email {COMMON}"
CUSTOMER_PAYMENT_SOURCE = f"""id name customer_id payment_method_id payment_source_type
    payment_source_token card_first_six card_last_four {COMMON}"""
GIFT_CARD = f"""id code status currency_code initial_balance_cents balance_cents single_use
    rechargeable image_url market_id customer_id recipient_email expires_at {COMMON}"""
IN_STOCK_SUBSCRIPTION = f"""id status market_id customer_id customer_email sku_id sku_code
    stock_threshold {COMMON}"""

_DAY_MS = 86_400_000
# The user types of two of sixteen consecutive customers; the others are customers.
_USER_TYPES = {5: "lead", 11: "dashboard"}
_LANGUAGES = ("en", "en", "de", "fr", "ja", "es", "pl", NULL)


def addresses(plan: Plan) -> Iterator[str]:
    """One address for each stock location, then two for each customer."""
    notes = [cell(note) for note in words.NOTES]
    for number, bits, key, common in rows(plan, "adr"):
        person = plan.person((number - LOCATIONS) // 2)
        home = person.address if number % 2 == 0 else people()[bits & 1023].address
        company = bits & 7 == 0
        yield (
            f"{key}\t{'ft'[company]}\t{person.names}"
            f"\t{cell(words.VENDORS[bits % len(words.VENDORS)]) if company else NULL}\t{home}"
            f"\t{f'Gate {bits >> 8 & 7}' if bits & 15 == 1 else NULL}"
            f"\t{f'Yard {bits >> 11 & 7}' if bits & 31 == 1 else NULL}"
            f"\t{str(number).join(person.email) if bits & 24 else NULL}"
            f"\t{notes[bits % len(notes)]}\t{bits % 120_000 / 1000 - 60}"
            f"\t{bits % 340_000 / 1000 - 170}\t{f'VAT{bits & 0xFFFFF}' if company else NULL}"
            f"\t{common}"
        )


def customers(plan: Plan) -> Iterator[str]:
    """Columns computed from the orders follow when all rows are loaded."""
    for number, bits, key, common in rows(plan, "cus"):
        person = plan.person(number)
        yield (
            f"{key}\t{plan.email(number)}\tprospect"
            f"\t{_USER_TYPES.get(number % 16, 'customer')}"
            f"\t{person.names}\t{person.phone if bits & 3 else NULL}\t{_LANGUAGES[bits >> 8 & 7]}"
            f"\t{'ft'[bits >> 11 & 1]}\t{'ft'[bits & 127 == 5]}"
            f"\t{f'203.0.113.{bits >> 12 & 255}' if bits & 5 else NULL}"
            f"\t{f'EX-{number}' if bits & 63 == 7 else NULL}\t0\t0"
            f"\t{PLACES[plan.place(number)].currency}\t0\t{stamp(plan.moments['cus'](number))}"
            f"\t{common}"
        )


def customer_addresses(plan: Plan) -> Iterator[str]:
    for number, _, key, common in rows(plan, "cus"):
        for which in (0, 1):
            yield f"cad_{key[4:]}{which}\t{key}\t{plan.address(number, which)}\t{common}"


def customer_subscriptions(plan: Plan) -> Iterator[str]:
    """Every third customer has a subscription."""
    for number, _, key, common in rows(plan, "cus"):
        if number % 3 == 0:
            yield f"csub_{key[4:]}\t{key}\t{plan.email(number)}\t{common}"


def customer_payment_sources(plan: Plan) -> Iterator[str]:
    """Every second customer has a payment source; one in three of these is a wallet."""
    for number, bits, key, common in rows(plan, "cus"):
        if number % 2 == 0:
            wallet = number % 6 == 0
            method = plan.names["pmth"](plan.place(number) * len(PAYMENTS) + wallet)
            last = f"{bits >> 8 & 0xFFFF:05}"[:4]
            kind = "wallets" if wallet else "credit_cards"
            card = f"{NULL}\t{NULL}" if wallet else f"4242{bits % 90 + 10}\t{last}"
            yield (
                f"cps_{key[4:]}\t{'Wallet' if wallet else f'Visa ending in {last}'}\t{key}"
                f"\t{method}\t{kind}\tpm_{bits & 0xFFFFFFFF:08x}\t{card}\t{common}"
            )


def gift_cards(plan: Plan) -> Iterator[str]:
    for number, bits, key, common in rows(plan, "gift"):
        customer, status = bits % plan.counts["cus"], bits >> 16 & 3
        place, initial = plan.place(customer), (bits >> 20 & 15) * 500 + 500
        left = (0, initial, initial, initial // 2)[status]
        yield (
            f"{key}\tGIFT-{number:06}\t{('redeemed', 'draft', 'inactive', 'active')[status]}"
            f"\t{PLACES[place].currency}\t{initial}\t{left}\t{'ft'[bits & 1]}"
            f"\t{'ft'[bits >> 1 & 1]}"
            f"\t{NULL if bits & 4 else f'https://images.example.com/gifts/{number}.jpg'}"
            f"\t{plan.names['mkt'](place)}\t{plan.names['cus'](customer) if bits & 8 else NULL}"
            f"\t{plan.email(customer)}\t{stamp(plan.moments['gift'](number) + 730 * _DAY_MS)}"
            f"\t{common}"
        )


def in_stock_subscriptions(plan: Plan) -> Iterator[str]:
    for _, bits, key, common in rows(plan, "isub"):
        customer, sku = scatter(bits) % plan.counts["cus"], bits % plan.counts["sku"]
        yield (
            f"{key}\t{('active', 'active', 'notified', 'inactive')[bits >> 8 & 3]}"
            f"\t{plan.names['mkt'](plan.place(customer))}\t{plan.names['cus'](customer)}"
            f"\t{plan.email(customer)}\t{plan.names['sku'](sku)}\tSKU-{sku:06}"
            f"\t{1 + (bits >> 12 & 3)}\t{common}"
        )
