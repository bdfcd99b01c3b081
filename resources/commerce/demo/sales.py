"""What was bought, and what became of it: an order with all its amounts, from its number."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from resources.commerce.demo.plan import PLACES, Place, Plan
from resources.demo.chance import scatter

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS
# Lines of eight orders.
_LINES = (1, 2, 2, 3, 3, 3, 4, 6)
_LETTERS = "123456789"


class Fate(NamedTuple):
    """What becomes of an order."""

    status: str
    payment: str = "unpaid"
    fulfillment: str = "unfulfilled"
    declined: bool = False
    authorized: bool = True
    captured: bool = False
    shipped: bool = False
    returned: bool = False
    refunded: bool = False
    disputed: bool = False


_DRAFT = Fate("draft", authorized=False)
_PENDING = Fate("pending", authorized=False)
_CANCELLED = Fate("cancelled", "voided")
_WAITING = Fate("placed", "authorized")
_DONE = Fate("approved", "paid", "fulfilled", captured=True, shipped=True)
# By chance, of 64 orders.
_FATES = (
    *(_DRAFT, _PENDING, _CANCELLED, _CANCELLED, _WAITING, _WAITING),
    *(Fate("approved", "paid", "processing", captured=True),) * 2,
    *(_DONE._replace(returned=True, payment="partially_refunded"),) * 5,
    _DONE._replace(refunded=True, payment="refunded"),
    _DONE._replace(disputed=True),
    *(_DONE._replace(declined=True),) * 2,
    *(_DONE,) * 47,
)


class Line(NamedTuple):
    """A line of an order: `letter` sets its id apart; amounts as of the model."""

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


@dataclass(slots=True)
class Sale:
    """An order. Times are milliseconds since 1970; amounts are in cents of its currency."""

    number: int
    body: str
    bits: int
    fate: Fate
    is_test: bool
    customer: int
    place_number: int
    place: Place
    lines: list[Line]
    coupon: int | None
    method: int
    subtotal: int
    discount: int
    gift: int
    shipping: int
    tax: int
    to_pay: int
    refund: int
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
        """The id of the order, or of something of which it has one."""
        return f"{prefix}_{self.body}"

    @property
    def order_number(self) -> str:
        return f"#{100_000 + self.number}"

    @property
    def is_placed(self) -> bool:
        return self.fate.authorized


def having(prefix: str, sales: Iterable[Sale]) -> Iterator[Sale]:
    """The sales of which there is what ids of this prefix name: a return, a dispute…"""
    wanted = _HAVING[prefix]
    return (sale for sale in sales if wanted(sale))


_HAVING: dict[str, Callable[[Sale], bool]] = {
    "ord": lambda sale: True,
    "oshp": lambda sale: sale.fate.captured,
    "oful": lambda sale: sale.fate.shipped,
    "ret": lambda sale: sale.fate.returned,
    "dsp": lambda sale: sale.fate.disputed,
    # Of one order in twenty, to be repeated.
    "osub": lambda sale: sale.fate.authorized and sale.number % 20 == 3,
}


def _lines(plan: Plan, sale_bits: int, order: int, place_number: int, off: int) -> Iterator[Line]:
    place, skus = PLACES[place_number], plan.counts["sku"]
    for index in range(_LINES[sale_bits & 7]):
        bits = scatter(order * 8 + index + plan.salt)
        sku = (bits & 0xFFFF) * (bits >> 16 & 0xFFFF) * skus >> 32
        quantity, unit = (1, 1, 1, 2, 1, 3, 1, 2)[bits >> 32 & 7], plan.price(sku, place_number)
        option = (bits >> 35 & 15) if bits >> 35 & 15 < 3 else -1
        options = 500 * place.rate // 100 * quantity if option >= 0 else 0
        discount = -(unit * quantity * off // 100)
        total = unit * quantity + options + discount
        percent = place.tax_percent
        tax = total * percent // (100 + percent if place.tax_included else 100)
        cost = unit * (45 + sku % 20) // 100
        yield Line(
            _LETTERS[index], sku, quantity, unit, option, options, discount, total, tax, cost, 0
        )


def sale(plan: Plan, number: int) -> Sale:
    """The order of a number."""
    bits = scatter(number + plan.salt)
    made = plan.moments["ord"](number)
    customer = plan.customer(number)
    place_number = plan.place(customer)
    place = PLACES[place_number]
    fate = _FATES[bits >> 8 & 63]
    coupon = bits >> 16 & 0xFFFF if bits >> 32 & 7 == 0 else None
    lines = list(_lines(plan, bits, number, place_number, 10 if coupon is not None else 0))
    refund = 0
    if fate.returned:
        # One piece of the first line comes back.
        first = lines[0]
        lines[0] = first._replace(returned=1)
        refund = first.total // first.quantity
        if not place.tax_included:
            refund += first.tax // first.quantity
    method = bits >> 36 & 3 if bits >> 36 & 3 < 3 else 1
    tax, discount = sum(line.tax for line in lines), sum(line.discount for line in lines)
    subtotal = sum(line.unit * line.quantity + line.options for line in lines)
    shipping = place.shipping[method]
    to_pay = subtotal + discount + shipping + (0 if place.tax_included else tax)
    # The first piece alone may be given back, whatever was paid with a card.
    gift = -min(1000, shipping) if bits >> 38 & 31 == 0 else 0
    to_pay += gift
    if fate.refunded:
        refund = to_pay
    if refund == to_pay and fate.returned:
        fate = fate._replace(payment="refunded")
    placed = made + (bits >> 43 & 31) * _MINUTE_MS
    approved = placed + (bits >> 20 & 3) * _HOUR_MS
    shipped = approved + (6 + (bits >> 22 & 31)) * _HOUR_MS
    delivered = shipped + (1 + (bits >> 27 & 3)) * _DAY_MS
    returned = delivered + (2 + (bits >> 29 & 7)) * _DAY_MS
    after = fate.returned or fate.refunded or fate.disputed
    return Sale(
        number=number,
        body=plan.names["ord"](number)[4:],
        bits=bits,
        fate=fate,
        is_test=bits >> 48 & 63 == 0,
        customer=customer,
        place_number=place_number,
        place=place,
        lines=lines,
        coupon=coupon,
        method=method,
        subtotal=subtotal,
        discount=discount,
        gift=gift,
        shipping=shipping,
        tax=tax,
        to_pay=to_pay,
        refund=refund,
        cost=sum(line.cost * line.quantity for line in lines),
        pieces=sum(line.quantity for line in lines),
        made=made,
        placed=placed,
        approved=approved,
        shipped=shipped,
        delivered=delivered,
        returned=returned,
        changed=returned + 2 * _DAY_MS if after else delivered if fate.shipped else approved,
    )
