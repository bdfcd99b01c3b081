"""Outcomes of the orders of the demo shop, and their frequency."""

from typing import NamedTuple


class Outcome(NamedTuple):
    """The outcome of an order.

    authorized, captured, voided: percentages of the amount to pay.
    shipment, delivery: statuses of the shipment and of the fulfillment; empty without them.
    returned: status of the return. disputed: status of the dispute, or its resolution.
    failed: kind of the transaction whose first attempt failed.
    """

    status: str
    payment: str = "unpaid"
    fulfillment: str = "unfulfilled"
    authorized: int = 0
    captured: int = 0
    voided: int = 0
    shipment: str = ""
    delivery: str = ""
    returned: str = ""
    disputed: str = ""
    refunded: bool = False
    failed: str = ""
    is_test: bool = False

    @property
    def placed(self) -> bool:
        return self.status not in ("draft", "pending", "placing")

    @property
    def approved(self) -> bool:
        return self.status == "approved"

    @property
    def free(self) -> bool:
        return self.payment == "free"


_CANCELLED = Outcome("cancelled", "voided", authorized=100, voided=100)
_WAITING = Outcome("placed", "authorized", authorized=100)
_PAID = Outcome("approved", "paid", authorized=100, captured=100)
_DONE = _PAID._replace(fulfillment="fulfilled", shipment="delivered", delivery="delivered")
_REFUNDED = _DONE._replace(refunded=True, payment="refunded")
_RETURNED = _DONE._replace(returned="refunded", payment="partially_refunded")
# The outcomes of 128 consecutive orders: every status occurs among a few hundred orders.
_RARE = (
    *(
        Outcome("draft"),
        Outcome("draft"),
        Outcome("pending"),
        Outcome("pending"),
        Outcome("pending", "pending"),
    ),
    *(Outcome("placing", "pending"), Outcome("placed", "pending")),
    *(
        _CANCELLED,
        _CANCELLED,
        _CANCELLED._replace(is_test=True),
        _CANCELLED._replace(failed="void"),
    ),
    *(_WAITING, _WAITING, _WAITING._replace(status="editing")),
    _WAITING._replace(payment="partially_authorized", authorized=50),
    _WAITING._replace(payment="partially_voided", voided=50),
    *(_WAITING._replace(payment="expiring"), _WAITING._replace(payment="expired")),
    _DONE._replace(payment="free", authorized=0, captured=0),
    _PAID._replace(
        payment="partially_paid", captured=50, fulfillment="on_hold", shipment="on_hold"
    ),
    _PAID._replace(fulfillment="on_hold", shipment="on_hold"),
    *(_PAID._replace(fulfillment="not_required"),) * 2,
    *(_PAID._replace(fulfillment="rejected", shipment="cancelled"),) * 2,
    *(
        _PAID._replace(fulfillment="processing", shipment=shipment)
        for shipment in ("draft", "upcoming", "picking", "packing")
    ),
    _PAID._replace(fulfillment="in_progress", shipment="ready_to_ship"),
    *(_PAID._replace(fulfillment="incomplete", shipment="packing", delivery="in_transit"),) * 2,
    *(
        _DONE._replace(shipment="shipped", delivery=delivery)
        for delivery in (
            *("tracking_added", "in_transit", "out_for_delivery", "attempted_delivery"),
            *("failed_delivery", "delayed"),
        )
    ),
    *(_RETURNED,) * 8,
    _RETURNED._replace(is_test=True),
    *(
        _DONE._replace(returned=returned)
        for returned in (
            *("draft", "requested", "approved", "rejected", "cancelled", "shipped", "received"),
            *("requested", "approved", "rejected", "cancelled", "shipped", "received"),
        )
    ),
    *(_REFUNDED, _REFUNDED, _REFUNDED._replace(failed="refund")),
    *(_DONE._replace(disputed=stand) for stand in ("new", "new", "open", "open", "won", "lost")),
    _REFUNDED._replace(disputed="refunded"),
    *(_DONE._replace(failed=kind) for kind in ("authorization", "authorization", "capture")),
    *(_DONE._replace(is_test=True),) * 2,
)
_OUTCOMES = (*_RARE, *(_DONE,) * (128 - len(_RARE)))
# Odd: spreads similar outcomes, and uses each entry once in 128 orders.
_STRIDE = 53


def outcome_of(number: int) -> Outcome:
    return _OUTCOMES[number * _STRIDE & 127]
