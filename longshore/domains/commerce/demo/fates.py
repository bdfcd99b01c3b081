"""Outcomes of the orders of the demo shop, and their frequency."""

from typing import NamedTuple


class Fate(NamedTuple):
    """What becomes of an order.

    reserved, taken, released: percent of what is to be paid.
    shipment, delivery: the statuses of its shipment and of its fulfillment, if it has them.
    returned: the status of its return. disputed: the status of its dispute, or the resolution.
    failed: the kind of transaction that succeeded only when it was tried again.
    """

    status: str
    payment: str = "unpaid"
    fulfillment: str = "unfulfilled"
    reserved: int = 0
    taken: int = 0
    released: int = 0
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


_CANCELLED = Fate("cancelled", "voided", reserved=100, released=100)
_WAITING = Fate("placed", "authorized", reserved=100)
_PAID = Fate("approved", "paid", reserved=100, taken=100)
_DONE = _PAID._replace(fulfillment="fulfilled", shipment="delivered", delivery="delivered")
_REFUNDED = _DONE._replace(refunded=True, payment="refunded")
_RETURNED = _DONE._replace(returned="refunded", payment="partially_refunded")
# A fate for each of 128 consecutive orders: every status occurs among a few hundred orders.
_RARE = (
    *(Fate("draft"), Fate("draft"), Fate("pending"), Fate("pending"), Fate("pending", "pending")),
    *(Fate("placing", "pending"), Fate("placed", "pending")),
    *(
        _CANCELLED,
        _CANCELLED,
        _CANCELLED._replace(is_test=True),
        _CANCELLED._replace(failed="void"),
    ),
    *(_WAITING, _WAITING, _WAITING._replace(status="editing")),
    _WAITING._replace(payment="partially_authorized", reserved=50),
    _WAITING._replace(payment="partially_voided", released=50),
    *(_WAITING._replace(payment="expiring"), _WAITING._replace(payment="expired")),
    _DONE._replace(payment="free", reserved=0, taken=0),
    _PAID._replace(payment="partially_paid", taken=50, fulfillment="on_hold", shipment="on_hold"),
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
_FATES = (*_RARE, *(_DONE,) * (128 - len(_RARE)))
# Odd, so that neighbouring orders have unlike fates, and each fate comes once in 128 orders.
_STRIDE = 53


def fate_of(number: int) -> Fate:
    return _FATES[number * _STRIDE & 127]
