"""Compute the orders of the demo shop with all amounts and times, from their numbers."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from longshore.domains.commerce.demo.outcomes import Outcome, outcome_of
from longshore.domains.commerce.demo.plan import PLACES, Place, Plan
from longshore.domains.demo.chance import scatter

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS
# The number of lines of eight orders.
_LINES = (1, 2, 2, 3, 3, 3, 4, 6)
_LETTERS = "123456"
# The names of lines for shipping, payment fee and adjustment, by their type.
_CHARGES = {
    "shipments": "Shipping",
    "payment_methods": "Payment fee",
    "adjustments": "Goodwill",
}


class Line(NamedTuple):
    """A line of an order. Amounts as in the model.

    letter: suffix that makes the line's id unique.
    """

    letter: str
    sku: int
    quantity: int
    unit: int
    option: int
    options: int
    discount: int
    total: int
    tax: int
    cost: int
    returned: int


class Charge(NamedTuple):
    """A line of an order for shipping, payment, promotion or adjustment.

    letter: suffix that makes the line's id unique.
    """

    letter: str
    item_type: str
    name: str
    unit: int = 0
    discount: int = 0


@dataclass(slots=True)
class Sale:
    """An order. Times are milliseconds since 1970; amounts are in cents of its currency."""

    number: int
    body: str
    bits: int
    outcome: Outcome
    customer: int
    place_number: int
    place: Place
    lines: list[Line]
    charges: list[Charge]
    coupon: int | None
    method: int
    payment: int
    fee: int
    adjustment: int
    subtotal: int
    discount: int
    gift: int
    shipping: int
    tax: int
    to_pay: int
    refund: int
    sent_back: int
    cost: int
    pieces: int
    made: int
    placed: int
    approved: int
    shipped: int
    delivered: int
    returned: int
    changed: int

    def id(self, prefix: str) -> str:
        """Return the id of the order, or of its only shipment, return, …"""
        return f"{prefix}_{self.body}"

    @property
    def order_number(self) -> str:
        return f"#{100_000 + self.number}"


def sales_with(prefix: str, sales: Iterable[Sale]) -> Iterator[Sale]:
    """Return the sales that have a record with this id prefix, such as a return or a dispute."""
    wanted = _CONDITIONS[prefix]
    return (sale for sale in sales if wanted(sale))


_CONDITIONS: dict[str, Callable[[Sale], bool]] = {
    "ord": lambda sale: True,
    "oshp": lambda sale: bool(sale.outcome.shipment),
    # A rejected order has a canceled fulfillment.
    "oful": lambda sale: bool(sale.outcome.delivery) or sale.outcome.fulfillment == "rejected",
    "ret": lambda sale: bool(sale.outcome.returned),
    "dsp": lambda sale: bool(sale.outcome.disputed),
    # One order in ten has a subscription, except for gift cards.
    "osub": lambda sale: (
        sale.outcome.placed and sale.outcome.fulfillment != "not_required" and sale.number % 10 == 3
    ),
}


def _lines(plan: Plan, sale_bits: int, order: int, place_number: int, off: int) -> Iterator[Line]:
    place, skus = PLACES[place_number], plan.counts["sku"]
    for index in range(_LINES[sale_bits & 7]):
        bits = scatter(order * 8 + index + plan.salt)
        sku = (bits & 0xFFFF) * (bits >> 16 & 0xFFFF) * skus >> 32
        quantity, unit = (1, 1, 1, 2, 1, 3, 1, 2)[bits >> 32 & 7], plan.price(sku, place_number)
        # A free line has no options.
        option = (bits >> 35 & 15) if bits >> 35 & 15 < 3 and off < 100 else -1
        options = 500 * place.rate // 100 * quantity if option >= 0 else 0
        discount = -(unit * quantity * off // 100)
        total = unit * quantity + options + discount
        percent = place.tax_percent
        tax = total * percent // (100 + percent if place.tax_included else 100)
        cost = unit * (45 + sku % 20) // 100
        yield Line(
            _LETTERS[index], sku, quantity, unit, option, options, discount, total, tax, cost, 0
        )


def _charges(sums: Mapping[str, int]) -> Iterator[Charge]:
    for letter, (item_type, amount) in zip("7890", sums.items(), strict=True):
        if amount and item_type == "promotions":
            yield Charge(letter, item_type, "10% off", discount=amount)
        elif amount:
            yield Charge(letter, item_type, _CHARGES[item_type], unit=amount)


def sale(plan: Plan, number: int) -> Sale:
    """Compute the order with a number."""
    bits = scatter(number + plan.salt)
    made = plan.moments["ord"](number)
    customer = plan.customer(number)
    place_number = plan.place(customer)
    place = PLACES[place_number]
    outcome = outcome_of(number + plan.salt)
    coupon = bits >> 16 & 0xFFFF if bits >> 32 & 7 == 0 or outcome.free else None
    # A coupon gives a discount for each line, or for the whole order.
    promoted = coupon is not None and bits >> 31 & 1 == 1 and not outcome.free
    off = 100 if outcome.free else 0 if coupon is None or promoted else 10
    lines = list(_lines(plan, bits, number, place_number, off))
    if outcome.fulfillment == "not_required":
        # The order has one line: a gift card.
        lines = lines[:1]
    pieces = sum(line.quantity for line in lines)
    if outcome.fulfillment == "incomplete" and pieces == 1:
        outcome = outcome._replace(fulfillment="in_progress", delivery="")
    refund, sent_back = 0, 0
    if outcome.returned:
        # The customer returns one or two pieces of the first line.
        first = lines[0]
        sent_back = min(first.quantity, 1 + (bits >> 34 & 1))
        if outcome.returned in ("received", "refunded"):
            lines[0] = first._replace(returned=sent_back)
        if outcome.returned == "refunded":
            refund = first.total * sent_back // first.quantity
            if not place.tax_included:
                refund += first.tax * sent_back // first.quantity
    method = bits >> 36 & 3 if bits >> 36 & 3 < 3 else 1
    payment = (0, 0, 0, 1, 1, 1, 1, 2)[bits >> 39 & 7]
    tax = sum(line.tax for line in lines)
    subtotal = sum(line.unit * line.quantity + line.options for line in lines)
    promotion = -(subtotal // 10) if promoted else 0
    discount = sum(line.discount for line in lines) + promotion
    shipping = (
        0 if outcome.free or outcome.fulfillment == "not_required" else place.shipping[method]
    )
    fee = 0 if outcome.free else place.fee(payment)
    adjustment = 0 if outcome.free or number % 24 != 7 else (-100, 250)[bits & 1]
    to_pay = subtotal + discount + shipping + fee + adjustment
    to_pay += 0 if place.tax_included else tax
    # A gift card pays less than the shipping, so that refunds for pieces never exceed the payment.
    gift = -min(1000, shipping) if bits >> 48 & 15 == 0 else 0
    to_pay += gift
    if outcome.refunded:
        refund = to_pay
    if refund == to_pay and outcome.returned:
        outcome = outcome._replace(payment="refunded")
    placed = made + (bits >> 43 & 31) * _MINUTE_MS
    approved = placed + (bits >> 20 & 3) * _HOUR_MS
    shipped = approved + (6 + (bits >> 22 & 31)) * _HOUR_MS
    delivered = shipped + (1 + (bits >> 27 & 3)) * _DAY_MS
    returned = delivered + (2 + (bits >> 29 & 7)) * _DAY_MS
    if outcome.returned or outcome.refunded or outcome.disputed:
        changed = returned + 2 * _DAY_MS
    else:
        changed = delivered if outcome.delivery else approved + 5 * _HOUR_MS
    charges = {
        "shipments": shipping,
        "payment_methods": fee,
        "adjustments": adjustment,
        "promotions": promotion,
    }
    return Sale(
        number=number,
        body=plan.names["ord"](number)[4:],
        bits=bits,
        outcome=outcome,
        customer=customer,
        place_number=place_number,
        place=place,
        lines=lines,
        charges=list(_charges(charges)),
        coupon=coupon,
        method=method,
        payment=payment,
        fee=fee,
        adjustment=adjustment,
        subtotal=subtotal,
        discount=discount,
        gift=gift,
        shipping=shipping,
        tax=tax,
        to_pay=to_pay,
        refund=refund,
        sent_back=sent_back,
        cost=sum(line.cost * line.quantity for line in lines),
        pieces=pieces,
        made=made,
        placed=placed,
        approved=approved,
        shipped=shipped,
        delivered=delivered,
        returned=returned,
        changed=changed,
    )
