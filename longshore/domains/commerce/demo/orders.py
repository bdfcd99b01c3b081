"""Rows of orders, their lines and the options of lines."""

from collections.abc import Iterable, Iterator
from functools import cache

from longshore.domains.commerce.demo.plan import METHODS, OPTIONS, PAYMENTS, Plan
from longshore.domains.commerce.demo.sales import Sale
from longshore.domains.commerce.demo.shop import COMMON, sku_name
from longshore.domains.demo import words
from longshore.domains.demo.cells import NULL, document
from longshore.domains.demo.clock import stamp

ORDER = f"""id number status payment_status fulfillment_status is_test source guest customer_id
    customer_email language_code ip_address market_id shipping_address_id billing_address_id
    payment_method_id shipping_method_id country_code coupon_code gift_card_code currency_code
    tax_included tax_rate skus_count subtotal_amount_cents discount_amount_cents
    adjustment_amount_cents gift_card_amount_cents shipping_amount_cents
    payment_method_amount_cents total_tax_amount_cents total_taxable_amount_cents
    total_amount_cents total_amount_with_taxes_cents total_cost_amount_cents attribution placed_at
    approved_at cancelled_at payment_updated_at fulfillment_updated_at archived_at {COMMON}"""
LINE_ITEM = f"""id order_id item_type sku_id sku_code bundle_id bundle_code name image_url
    product_id product_title variant_title quantity current_quantity is_upsell requires_shipping
    currency_code unit_amount_cents compare_at_amount_cents unit_cost_amount_cents
    options_amount_cents discount_amount_cents total_amount_cents tax_amount_cents tax_rate
    tax_included {COMMON}"""
LINE_ITEM_OPTION = f"""id line_item_id sku_option_id name quantity currency_code unit_amount_cents
    total_amount_cents delay_hours options {COMMON}"""

_SOURCES = ("web", "web", "web", "api", "subscription", "marketplace", "telephone", NULL)


@cache
def attributions() -> list[str]:
    """Return the attributions of orders."""
    sources = ("newsletter", "search", "social", "partner")
    found = [
        document({"utm_source": source, "utm_medium": medium, "utm_campaign": f"winter {number}"})
        for source in sources
        for medium in ("email", "cpc")
        for number in range(3)
    ]
    return [*found, NULL, document({"funnel": "two steps", "affiliate": "a-17", "gclid": "Cj0K"})]


def orders(plan: Plan, sales: Iterable[Sale]) -> Iterator[str]:
    origins, coupons, gifts = attributions(), plan.counts["cpn"], plan.counts["gift"]
    for sale in sales:
        bits, outcome, place = sale.bits, sale.outcome, sale.place
        customer, placed = sale.customer, outcome.placed
        with_tax = place.tax_included
        approved = stamp(sale.approved)
        yield (
            f"ord_{sale.body}\t{sale.order_number}\t{outcome.status}\t{outcome.payment}"
            f"\t{outcome.fulfillment}\t{'ft'[outcome.is_test]}\t{_SOURCES[bits >> 11 & 7]}"
            f"\t{'ft'[bits >> 14 & 3 == 0]}\t{plan.names['cus'](customer)}\t{plan.email(customer)}"
            f"\t{('en', 'de', 'ja')[bits % 3]}\t203.0.113.{bits >> 12 & 255}"
            f"\t{plan.names['mkt'](sale.place_number)}\t{plan.address(customer)}"
            f"\t{plan.address(customer, bits >> 15 & 1)}"
            f"\t{plan.names['pmth'](sale.place_number * len(PAYMENTS) + sale.payment)}"
            f"\t{plan.names['smth'](sale.place_number * len(METHODS) + sale.method)}"
            f"\t{plan.person(customer).country}"
            f"\t{NULL if sale.coupon is None else f'SAVE{sale.coupon % coupons:05}'}"
            f"\t{f'GIFT-{bits % gifts:06}' if sale.gift else NULL}\t{place.currency}"
            f"\t{'ft'[with_tax]}\t{place.tax_percent / 100}\t{sale.pieces}\t{sale.subtotal}"
            f"\t{sale.discount}\t{sale.adjustment}\t{sale.gift}\t{sale.shipping}\t{sale.fee}"
            f"\t{sale.tax}"
            f"\t{sale.to_pay - sale.tax}\t{sale.to_pay - (0 if with_tax else sale.tax)}"
            f"\t{sale.to_pay}\t{sale.cost}\t{origins[bits % len(origins)]}"
            f"\t{stamp(sale.placed) if placed else NULL}"
            f"\t{approved if outcome.approved else NULL}"
            f"\t{approved if outcome.status == 'cancelled' else NULL}"
            f"\t{approved if placed else NULL}\t{stamp(sale.shipped) if outcome.delivery else NULL}"
            f"\t{stamp(sale.changed) if outcome.delivery and bits & 96 == 0 else NULL}"
            f"\t{plan.common(sale.number, sale.made, bits, sale.changed)}"
        )


def line_items(plan: Plan, sales: Iterable[Sale]) -> Iterator[str]:
    variants, bundles = [color or NULL for color in words.COLORS], plan.counts["bun"]
    no_goods = no_product = 4 * f"\t{NULL}"
    for sale in sales:
        place, bits = sale.place, sale.bits
        common = plan.common(sale.number, sale.made, bits, sale.changed)
        fixed = f"\t{place.currency}\t"
        which = bits >> 16 & 0xFFFF
        bundle = plan.names["bun"](which % bundles) if bits & 31 == 9 else None
        rate, card = place.tax_percent / 100, sale.outcome.fulfillment == "not_required"
        for line in sale.lines:
            name, product = sku_name(line.sku), line.sku // 4
            look = (
                f"{name}\thttps://images.example.com/{line.sku}.jpg\tprod_{product}"
                f"\t{sku_name(product)}\t{variants[line.sku % len(variants)]}"
            )
            if card:
                item = f"gift_cards{no_goods}\tGift card{no_product}"
            elif bundle is not None and line.letter == "1":
                item = f"bundles\t{NULL}\t{NULL}\t{bundle}\tBUNDLE-{which % bundles:04}\t{look}"
            else:
                sku = plan.names["sku"](line.sku)
                item = f"skus\t{sku}\tSKU-{line.sku:06}\t{NULL}\t{NULL}\t{look}"
            yield (
                f"lin_{sale.body}{line.letter}\tord_{sale.body}\t{item}\t{line.quantity}"
                f"\t{line.quantity - line.returned}"
                f"\t{'ft'[line.letter == '4']}\t{'tf'[card]}{fixed}{line.unit}"
                f"\t{line.unit * 5 // 4 if line.sku & 1 else NULL}\t{line.cost}\t{line.options}"
                f"\t{line.discount}\t{line.total}\t{line.tax}\t{rate}"
                f"\t{'ft'[place.tax_included]}\t{common}"
            )
        for charge in sale.charges:
            yield (
                f"lin_{sale.body}{charge.letter}\tord_{sale.body}\t{charge.item_type}{no_goods}"
                f"\t{charge.name}{no_product}\t1\t1\tf\tf{fixed}{charge.unit}\t{NULL}\t0\t0"
                f"\t{charge.discount}\t{charge.unit + charge.discount}\t0\t0"
                f"\t{'ft'[place.tax_included]}\t{common}"
            )


def line_item_options(plan: Plan, sales: Iterable[Sale]) -> Iterator[str]:
    texts = [document({"text": note}) for note in words.NOTES]
    for sale in sales:
        for line in sale.lines:
            if line.option < 0:
                continue
            option = sale.place_number * len(OPTIONS) + line.option
            yield (
                f"liop_{sale.body}{line.letter}\tlin_{sale.body}{line.letter}"
                f"\t{plan.names['sopt'](option)}\t{OPTIONS[line.option]}\t{line.quantity}"
                f"\t{sale.place.currency}\t{line.options // line.quantity}\t{line.options}"
                f"\t{line.option * 24}\t{texts[sale.bits % len(texts)]}"
                f"\t{plan.common(sale.number, sale.made, sale.bits)}"
            )
