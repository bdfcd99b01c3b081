"""Rows of shipments, fulfillments and returns."""

from collections.abc import Iterable, Iterator

from longshore.domains.commerce.demo.plan import LOCATIONS, METHODS, Plan
from longshore.domains.commerce.demo.sales import Sale, sales_with
from longshore.domains.commerce.demo.shop import COMMON, sku_name
from longshore.domains.demo import words
from longshore.domains.demo.cells import NULL
from longshore.domains.demo.clock import stamp

SHIPMENT = f"""id number status order_id shipping_category_id shipping_method_id stock_location_id
    origin_address_id shipping_address_id currency_code cost_amount_cents skus_count on_hold_at
    picking_at packing_at ready_to_ship_at shipped_at delivered_at cancelled_at {COMMON}"""
STOCK_LINE_ITEM = f"id shipment_id line_item_id sku_id stock_item_id sku_code quantity {COMMON}"
PARCEL = f"""id number shipment_id weight unit_of_weight carrier tracking_number tracking_status
    shipping_label_url {COMMON}"""
FULFILLMENT = f"""id order_id order_number is_test status delivery_status stock_location_id
    shipping_method_id tracking_codes tracking_carriers tracking_links {COMMON}"""
FULFILLMENT_LINE_ITEM = f"""id fulfillment_id line_item_id sku_code quantity fulfilled_quantity
    returned_quantity {COMMON}"""
RETURN = f"""id number status is_test reason order_id customer_id customer_email stock_location_id
    tracking_number skus_count requested_at approved_at shipped_at received_at cancelled_at
    {COMMON}"""
RETURN_LINE_ITEM = f"""id order_return_id line_item_id sku_code name quantity currency_code
    amount_cents restock_type return_reason restocked_at {COMMON}"""

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_REASONS = ("Too small", "Too large", "Broken on arrival", 'Not as "shown"', "Zu spät", NULL)
# Steps of a shipment in order, and how many hours before the shipping time they happen.
_STEPS = {"picking": 4, "packing": 3, "ready_to_ship": 2, "shipped": 0}
_SENT_BACK = ("shipped", "received", "refunded")
_RESTOCK = ("return", "return", "no_restock", "cancel")
_WEIGHTS = (("gr", 350.5), ("oz", 12.4), ("lb", 0.8))


def _carrier(sale: Sale) -> str:
    return words.CARRIERS[sale.bits % len(words.CARRIERS)]


def _tracking(sale: Sale) -> str:
    return f"1Z{sale.bits >> 16 & 0xFFFFFFFF:010}"


def _shipment_times(sale: Sale) -> str:
    # on_hold_at picking_at packing_at ready_to_ship_at shipped_at delivered_at cancelled_at
    state, soon = sale.outcome.shipment, stamp(sale.approved + _HOUR_MS)
    taken = list(_STEPS)
    if state in taken:
        taken = taken[: taken.index(state) + 1]
    elif state != "delivered":
        taken = []
    return "\t".join(
        (
            soon if state == "on_hold" else NULL,
            *(
                stamp(sale.shipped - hours * _HOUR_MS) if step in taken else NULL
                for step, hours in _STEPS.items()
            ),
            stamp(sale.delivered) if state == "delivered" else NULL,
            soon if state == "cancelled" else NULL,
        )
    )


def shipments(plan: Plan, sales: Iterable[Sale]) -> Iterator[str]:
    for sale in sales_with("oshp", sales):
        location = sale.bits % LOCATIONS
        method = sale.place_number * len(METHODS) + sale.method
        yield (
            f"oshp_{sale.body}\t{sale.order_number}/S1\t{sale.outcome.shipment}\tord_{sale.body}"
            f"\t{plan.names['scat'](sale.method)}\t{plan.names['smth'](method)}"
            f"\t{plan.names['sloc'](location)}\t{plan.names['adr'](location)}"
            f"\t{plan.address(sale.customer)}\t{sale.place.currency}\t{300 + sale.bits % 900}"
            f"\t{sale.pieces}\t{_shipment_times(sale)}"
            f"\t{plan.common(sale.number, sale.approved, sale.bits, sale.changed)}"
        )


def stock_line_items(plan: Plan, sales: Iterable[Sale]) -> Iterator[str]:
    for sale in sales_with("oshp", sales):
        location = sale.bits % LOCATIONS
        common = plan.common(sale.number, sale.approved, sale.bits)
        for line in sale.lines:
            yield (
                f"stli_{sale.body}{line.letter}\toshp_{sale.body}\tlin_{sale.body}{line.letter}"
                f"\t{plan.names['sku'](line.sku)}"
                f"\t{plan.names['sitm'](line.sku * LOCATIONS + location)}\tSKU-{line.sku:06}"
                f"\t{line.quantity}\t{common}"
            )


def parcels(plan: Plan, sales: Iterable[Sale]) -> Iterator[str]:
    for sale in sales_with("oshp", sales):
        number = _tracking(sale) if sale.outcome.delivery else NULL
        unit, weight = _WEIGHTS[sale.number % 3]
        yield (
            f"pcl_{sale.body}\t{sale.order_number}/P1\toshp_{sale.body}"
            f"\t{sale.pieces * weight:.1f}\t{unit}\t{_carrier(sale)}\t{number}"
            f"\t{sale.outcome.delivery or NULL}"
            f"\thttps://labels.example.com/{sale.number}.pdf"
            f"\t{plan.common(sale.number, sale.approved, sale.bits)}"
        )


def fulfillments(plan: Plan, sales: Iterable[Sale]) -> Iterator[str]:
    for sale in sales_with("oful", sales):
        bits, tracking = sale.bits, _tracking(sale)
        delivery = sale.outcome.delivery
        method = sale.place_number * len(METHODS) + sale.method
        yield (
            f"oful_{sale.body}\tord_{sale.body}\t{sale.order_number}\t{'ft'[sale.outcome.is_test]}"
            f"\t{'success' if delivery else 'canceled'}\t{delivery or NULL}"
            f"\t{plan.names['sloc'](bits % LOCATIONS)}\t{plan.names['smth'](method)}"
            f"\t{{{tracking}}}"
            f"\t{{{_carrier(sale)}}}\t{{https://tracking.example.com/{tracking}}}"
            f"\t{plan.common(sale.number, sale.shipped, bits, sale.delivered)}"
        )


def fulfillment_line_items(plan: Plan, sales: Iterable[Sale]) -> Iterator[str]:
    for sale in sales_with("oful", sales):
        common = plan.common(sale.number, sale.shipped, sale.bits)
        outcome = sale.outcome
        for line in sale.lines:
            sent = line.quantity if outcome.delivery else 0
            if outcome.fulfillment == "incomplete" and line.letter == "1":
                sent -= 1
            yield (
                f"ofli_{sale.body}{line.letter}\toful_{sale.body}\tlin_{sale.body}{line.letter}"
                f"\tSKU-{line.sku:06}\t{line.quantity}\t{sent}\t{line.returned}\t{common}"
            )


def _return_times(sale: Sale) -> str:
    # requested_at approved_at shipped_at received_at cancelled_at
    state, requested = sale.outcome.returned, sale.returned - _DAY_MS
    approved = state in ("approved", *_SENT_BACK)
    return "\t".join(
        (
            stamp(requested) if state != "draft" else NULL,
            stamp(requested + _HOUR_MS) if approved else NULL,
            stamp(requested + 5 * _HOUR_MS) if state in _SENT_BACK else NULL,
            stamp(sale.returned) if state in ("received", "refunded") else NULL,
            stamp(requested + _HOUR_MS) if state == "cancelled" else NULL,
        )
    )


def returns(plan: Plan, sales: Iterable[Sale]) -> Iterator[str]:
    for sale in sales_with("ret", sales):
        state = sale.outcome.returned
        yield (
            f"ret_{sale.body}\t{sale.order_number}/R1\t{state}\t{'ft'[sale.outcome.is_test]}"
            f"\t{_REASONS[sale.bits % 6]}"
            f"\tord_{sale.body}\t{plan.names['cus'](sale.customer)}\t{plan.email(sale.customer)}"
            f"\t{plan.names['sloc'](sale.bits % LOCATIONS)}"
            f"\t{f'R{_tracking(sale)}' if state in _SENT_BACK else NULL}\t{sale.sent_back}"
            f"\t{_return_times(sale)}"
            f"\t{plan.common(sale.number, sale.returned - _DAY_MS, sale.bits, sale.changed)}"
        )


def return_line_items(plan: Plan, sales: Iterable[Sale]) -> Iterator[str]:
    for sale in sales_with("ret", sales):
        line, restock = sale.lines[0], _RESTOCK[sale.bits >> 30 & 3]
        restocked = restock == "return" and line.returned
        yield (
            f"rlin_{sale.body}\tret_{sale.body}\tlin_{sale.body}{line.letter}\tSKU-{line.sku:06}"
            f"\t{sku_name(line.sku)}\t{sale.sent_back}\t{sale.place.currency}\t{sale.refund}"
            f"\t{restock}\t{_REASONS[sale.bits % 6]}"
            f"\t{stamp(sale.returned) if restocked else NULL}"
            f"\t{plan.common(sale.number, sale.returned - _DAY_MS, sale.bits)}"
        )
