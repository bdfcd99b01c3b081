"""Rows of what goes out, shipments and fulfillments, and of what comes back, returns."""

from collections.abc import Iterable, Iterator

from resources.commerce.demo.plan import LOCATIONS, METHODS, Plan
from resources.commerce.demo.sales import Sale, having
from resources.commerce.demo.shop import COMMON, sku_name
from resources.demo import words
from resources.demo.cells import NULL
from resources.demo.clock import stamp

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
_DELIVERY = ("delivered",) * 12 + ("delayed", "failed_delivery", "in_transit", "out_for_delivery")


def _carrier(sale: Sale) -> str:
    return words.CARRIERS[sale.bits % len(words.CARRIERS)]


def _tracking(sale: Sale) -> str:
    return f"1Z{sale.bits >> 16 & 0xFFFFFFFF:010}"


def shipments(plan: Plan, sales: Iterable[Sale]) -> Iterator[str]:
    for sale in having("oshp", sales):
        location, gone = sale.bits % LOCATIONS, sale.fate.shipped
        method = sale.place_number * len(METHODS) + sale.method
        state = "delivered" if gone else ("picking", "on_hold")[sale.bits >> 20 & 1]
        held = stamp(sale.approved + _HOUR_MS) if state == "on_hold" else NULL
        times = (
            "\t".join(stamp(sale.shipped - hours * _HOUR_MS) for hours in (4, 3, 2, 0))
            if gone
            else f"{stamp(sale.approved + _HOUR_MS)}\t{NULL}\t{NULL}\t{NULL}"
        )
        yield (
            f"oshp_{sale.body}\t{sale.order_number}/S1\t{state}\tord_{sale.body}"
            f"\t{plan.names['scat'](sale.method)}\t{plan.names['smth'](method)}"
            f"\t{plan.names['sloc'](location)}\t{plan.names['adr'](location)}"
            f"\t{plan.address(sale.customer)}\t{sale.place.currency}\t{300 + sale.bits % 900}"
            f"\t{sale.pieces}\t{held}\t{times}\t{stamp(sale.delivered) if gone else NULL}\t{NULL}"
            f"\t{plan.common(sale.number, sale.approved, sale.bits, sale.changed)}"
        )


def stock_line_items(plan: Plan, sales: Iterable[Sale]) -> Iterator[str]:
    for sale in having("oshp", sales):
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
    for sale in having("oshp", sales):
        number = _tracking(sale) if sale.fate.shipped else NULL
        yield (
            f"pcl_{sale.body}\t{sale.order_number}/P1\toshp_{sale.body}"
            f"\t{sale.pieces * 350.5}\tgr\t{_carrier(sale)}\t{number}"
            f"\t{'delivered' if sale.fate.shipped else NULL}"
            f"\thttps://labels.example.com/{sale.number}.pdf"
            f"\t{plan.common(sale.number, sale.approved, sale.bits)}"
        )


def fulfillments(plan: Plan, sales: Iterable[Sale]) -> Iterator[str]:
    for sale in having("oful", sales):
        bits, tracking = sale.bits, _tracking(sale)
        canceled = bits >> 53 & 63 == 0 and not sale.fate.returned
        method = sale.place_number * len(METHODS) + sale.method
        yield (
            f"oful_{sale.body}\tord_{sale.body}\t{sale.order_number}\t{'ft'[sale.is_test]}"
            f"\t{'canceled' if canceled else 'success'}"
            f"\t{NULL if canceled else 'delivered' if sale.refund else _DELIVERY[bits >> 20 & 15]}"
            f"\t{plan.names['sloc'](bits % LOCATIONS)}\t{plan.names['smth'](method)}"
            f"\t{{{tracking}}}"
            f"\t{{{_carrier(sale)}}}\t{{https://tracking.example.com/{tracking}}}"
            f"\t{plan.common(sale.number, sale.shipped, bits, sale.delivered)}"
        )


def fulfillment_line_items(plan: Plan, sales: Iterable[Sale]) -> Iterator[str]:
    for sale in having("oful", sales):
        common = plan.common(sale.number, sale.shipped, sale.bits)
        for line in sale.lines:
            yield (
                f"ofli_{sale.body}{line.letter}\toful_{sale.body}\tlin_{sale.body}{line.letter}"
                f"\tSKU-{line.sku:06}\t{line.quantity}\t{line.quantity}\t{line.returned}\t{common}"
            )


def returns(plan: Plan, sales: Iterable[Sale]) -> Iterator[str]:
    for sale in having("ret", sales):
        requested = sale.returned - _DAY_MS
        yield (
            f"ret_{sale.body}\t{sale.order_number}/R1\trefunded\t{'ft'[sale.is_test]}"
            f"\t{_REASONS[sale.bits % 6]}"
            f"\tord_{sale.body}\t{plan.names['cus'](sale.customer)}\t{plan.email(sale.customer)}"
            f"\t{plan.names['sloc'](sale.bits % LOCATIONS)}\tR{_tracking(sale)}\t1"
            f"\t{stamp(requested)}\t{stamp(requested + _HOUR_MS)}"
            f"\t{stamp(requested + 5 * _HOUR_MS)}"
            f"\t{stamp(sale.returned)}\t{NULL}"
            f"\t{plan.common(sale.number, requested, sale.bits, sale.changed)}"
        )


def return_line_items(plan: Plan, sales: Iterable[Sale]) -> Iterator[str]:
    for sale in having("ret", sales):
        line, kept = sale.lines[0], sale.bits >> 30 & 3
        yield (
            f"rlin_{sale.body}\tret_{sale.body}\tlin_{sale.body}{line.letter}\tSKU-{line.sku:06}"
            f"\t{sku_name(line.sku)}\t1\t{sale.place.currency}\t{sale.refund}"
            f"\t{'no_restock' if kept == 0 else 'return'}\t{_REASONS[sale.bits % 6]}"
            f"\t{NULL if kept == 0 else stamp(sale.returned)}"
            f"\t{plan.common(sale.number, sale.returned - _DAY_MS, sale.bits)}"
        )
