"""Returns and their lines."""

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
    """The status of a return."""

    DRAFT = "draft"
    REQUESTED = "requested"
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    SHIPPED = "shipped"
    RECEIVED = "received"
    REFUNDED = "refunded"


class Return(Taggable):
    """Returned goods of an order."""

    id = id_field("ret")
    number = models.TextField()
    status = one_of(ReturnStatus, ReturnStatus.DRAFT, "C")
    is_test = flag("Belongs to a test order.")
    reason = text()
    order = part_of(Order, "returns")
    customer = related(Customer, "returns")
    customer_email = text()
    stock_location = related(StockLocation, "returns", "Location where the return arrives.")
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
    """What happens to a returned piece."""

    CANCEL = "cancel"
    NO_RESTOCK = "no_restock"
    RETURN = "return"


class ReturnLineItem(Record):
    """The returned quantity of an order line."""

    id = id_field("rlin")
    # `return` is a Python keyword.
    order_return = part_of(Return, "return_line_items")
    line_item = part_of(LineItem, "return_line_items")
    sku_code = text()
    name = models.TextField(blank=True)
    quantity = count(default=1)
    currency_code = currency()
    amount_cents = cents("Refunded amount.")
    restock_type = one_of(RestockType, RestockType.RETURN)
    return_reason = text()
    restocked_at = moment()

    def __str__(self) -> str:
        return f"{self.quantity} of {self.sku_code}"
