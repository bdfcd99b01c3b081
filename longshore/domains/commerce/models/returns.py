"""How goods come back."""

from django.db import models

from longshore.domains.commerce.models.base import (
    Record,
    by,
    cents,
    count,
    currency,
    flag,
    moment,
    one_of,
    only_one,
    part_of,
    related,
)
from longshore.domains.commerce.models.customers import Customer
from longshore.domains.commerce.models.orders import LineItem, Order
from longshore.domains.commerce.models.stock import StockLocation
from longshore.domains.commerce.models.tags import Taggable
from longshore.resources.fields import id_field, text


class ReturnStatus(models.TextChoices):
    """How far a return is."""

    DRAFT = "draft"
    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    SHIPPED = "shipped"
    RECEIVED = "received"
    REFUNDED = "refunded"


class Return(Taggable):
    """What a customer sends back of an order."""

    id = id_field("ret")
    number = models.TextField()
    status = one_of(ReturnStatus, ReturnStatus.DRAFT, "C")
    is_test = flag("Of an order that is a test.")
    reason = text()
    order = part_of(Order, "returns")
    customer = related(Customer, "returns")
    customer_email = text()
    stock_location = related(StockLocation, "returns", "Where it arrives.")
    tracking_number = text()
    skus_count = count()
    requested_at = moment()
    approved_at = moment()
    shipped_at = moment()
    received_at = moment()
    cancelled_at = moment()

    class Meta(Taggable.Meta):
        constraints = (only_one("number"),)
        indexes = (*Record.Meta.indexes, by("status", "created_at"))

    def __str__(self) -> str:
        return self.number


class RestockType(models.TextChoices):
    """What becomes of a piece that comes back."""

    CANCEL = "cancel"
    NO_RESTOCK = "no_restock"
    RETURN = "return"


class ReturnLineItem(Record):
    """So much of a line of an order, sent back."""

    id = id_field("rlin")
    # The word itself is taken in Python.
    order_return = part_of(Return, "return_line_items")
    line_item = part_of(LineItem, "return_line_items")
    sku_code = text()
    name = models.TextField(blank=True)
    quantity = count(default=1)
    currency_code = currency()
    amount_cents = cents("Given back for it.")
    restock_type = one_of(RestockType, RestockType.RETURN)
    return_reason = text()
    restocked_at = moment()

    def __str__(self) -> str:
        return f"{self.quantity} of {self.sku_code}"
