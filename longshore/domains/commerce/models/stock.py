"""Stock: locations, quantities, transfers and in-stock subscriptions."""

from django.db import models

from longshore.domains.commerce.models.base import (
    Record,
    by,
    count,
    flag,
    moment,
    one_of,
    only_one,
    part_of,
    related,
)
from longshore.domains.commerce.models.catalog import Market, Sku
from longshore.domains.commerce.models.customers import Address, Customer
from longshore.resources.fields import id_field, sorted_index, text


class StockLocation(Record):
    """A warehouse or shop that ships orders."""

    id = id_field("sloc")
    name = models.TextField()
    code = models.TextField()
    address = related(Address, "stock_locations")
    label_format = text("Format of shipping labels: PDF, PNG or ZPL.")
    suppress_etd = flag("Print labels without electronic customs documents.")

    class Meta(Record.Meta):
        constraints = (only_one("code"),)

    def __str__(self) -> str:
        return self.name


class StockItem(Record):
    """The quantity of a SKU at a location."""

    id = id_field("sitm")
    sku = part_of(Sku, "stock_items")
    stock_location = part_of(StockLocation, "stock_items")
    sku_code = models.TextField()
    quantity = count()

    class Meta(Record.Meta):
        constraints = (
            models.UniqueConstraint(
                fields=["sku", "stock_location"], name="sku_has_one_stock_at_a_location"
            ),
        )
        indexes = (
            *Record.Meta.indexes,
            by("sku_code"),
            sorted_index("sku_code", "stock_in_order_of_sku"),
        )

    def __str__(self) -> str:
        return f"{self.quantity} of {self.sku_code}"


class TransferStatus(models.TextChoices):
    """The status of a stock transfer."""

    DRAFT = "draft"
    UPCOMING = "upcoming"
    ON_HOLD = "on_hold"
    PICKING = "picking"
    IN_TRANSIT = "in_transit"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class StockTransfer(Record):
    """A transfer of a SKU between two locations."""

    id = id_field("strf")
    number = models.TextField()
    status = one_of(TransferStatus, TransferStatus.DRAFT)
    sku = part_of(Sku, "stock_transfers")
    sku_code = models.TextField()
    quantity = count(default=1)
    origin_stock_location = part_of(StockLocation, "transfers_from")
    destination_stock_location = part_of(StockLocation, "transfers_to")
    on_hold_at = moment()
    picking_at = moment()
    in_transit_at = moment()
    completed_at = moment()
    cancelled_at = moment()

    class Meta(Record.Meta):
        constraints = (
            only_one("number"),
            models.CheckConstraint(
                condition=~models.Q(origin_stock_location=models.F("destination_stock_location")),
                name="stock_is_transferred_elsewhere",
            ),
        )

    def __str__(self) -> str:
        return self.number


class InterestStatus(models.TextChoices):
    """The status of an in-stock subscription."""

    ACTIVE = "active"
    INACTIVE = "inactive"
    NOTIFIED = "notified"


class InStockSubscription(Record):
    """A request of a customer for a notification when a SKU is in stock again."""

    id = id_field("isub")
    status = one_of(InterestStatus, InterestStatus.ACTIVE)
    market = related(Market, "in_stock_subscriptions")
    customer = part_of(Customer, "in_stock_subscriptions")
    customer_email = models.TextField()
    sku = part_of(Sku, "in_stock_subscriptions")
    sku_code = models.TextField()
    stock_threshold = count("Minimum quantity in stock for the notification.", default=1)

    def __str__(self) -> str:
        return f"{self.customer_email}: {self.sku_code}"
