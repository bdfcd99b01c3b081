"""Outbound orders: shipments with their parcels, and fulfillments."""

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
from longshore.domains.commerce.models.catalog import ShippingCategory, Sku
from longshore.domains.commerce.models.customers import Address
from longshore.domains.commerce.models.orders import LineItem, Order
from longshore.domains.commerce.models.shipping import ShippingMethod
from longshore.domains.commerce.models.stock import StockItem, StockLocation
from longshore.resources.fields import choice, id_field, text, texts


class ShipmentStatus(models.TextChoices):
    """The processing status of a shipment."""

    DRAFT = "draft"
    UPCOMING = "upcoming"
    ON_HOLD = "on_hold"
    PICKING = "picking"
    PACKING = "packing"
    READY_TO_SHIP = "ready_to_ship"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class OrderShipment(Record):
    """The part of an order that leaves one stock location."""

    id = id_field("oshp")
    number = models.TextField()
    status = one_of(ShipmentStatus, ShipmentStatus.DRAFT, "C")
    order = part_of(Order, "shipments")
    shipping_category = related(ShippingCategory, "shipments")
    shipping_method = related(ShippingMethod, "shipments")
    stock_location = related(StockLocation, "shipments")
    origin_address = related(Address, "shipments_from")
    shipping_address = related(Address, "shipments_to")
    currency_code = currency()
    cost_amount_cents = cents("Shipping cost of the shop.")
    skus_count = count()
    on_hold_at = moment()
    picking_at = moment()
    packing_at = moment()
    ready_to_ship_at = moment()
    shipped_at = moment()
    delivered_at = moment()
    cancelled_at = moment()

    class Meta(Record.Meta):
        constraints = (only_one("number"),)
        indexes = (*Record.Meta.indexes, by("status", "created_at"))

    def __str__(self) -> str:
        return self.number


class StockLineItem(Record):
    """A quantity of a SKU, taken from stock for a shipment."""

    id = id_field("stli")
    shipment = part_of(OrderShipment, "stock_line_items")
    line_item = related(LineItem, "stock_line_items")
    sku = related(Sku, "stock_line_items")
    stock_item = related(StockItem, "stock_line_items")
    sku_code = text()
    quantity = count(default=1)

    def __str__(self) -> str:
        return f"{self.quantity} of {self.sku_code}"


class Parcel(Record):
    """A box of a shipment."""

    id = id_field("pcl")
    number = models.TextField()
    shipment = part_of(OrderShipment, "parcels")
    weight = models.FloatField(null=True, blank=True, help_text="In `unit_of_weight`.")
    unit_of_weight = text("Unit of weight: gr, oz or lb.")
    carrier = text()
    tracking_number = text()
    tracking_status = text("Status reported by the carrier.")
    shipping_label_url = text()

    class Meta(Record.Meta):
        constraints = (only_one("number"),)

    def __str__(self) -> str:
        return self.number


class OutcomeStatus(models.TextChoices):
    """Whether a fulfillment is valid or canceled."""

    SUCCESS = "success"
    CANCELED = "canceled"


class DeliveryStatus(models.TextChoices):
    """The delivery status of a fulfillment."""

    TRACKING_ADDED = "tracking_added"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    ATTEMPTED_DELIVERY = "attempted_delivery"
    FAILED_DELIVERY = "failed_delivery"
    DELIVERED = "delivered"
    DELAYED = "delayed"


class OrderFulfillment(Record):
    """Shipped lines of an order with their tracking data."""

    id = id_field("oful")
    order = part_of(Order, "fulfillments")
    order_number = models.TextField()
    is_test = flag("Belongs to a test order.")
    status = one_of(OutcomeStatus, OutcomeStatus.SUCCESS, "C")
    delivery_status = choice(DeliveryStatus)
    stock_location = related(StockLocation, "fulfillments")
    shipping_method = related(ShippingMethod, "fulfillments")
    tracking_codes = texts()
    tracking_carriers = texts()
    tracking_links = texts()

    def __str__(self) -> str:
        return f"Fulfillment of {self.order_number}"


class FulfillmentLineItem(Record):
    """The shipped quantity of an order line."""

    id = id_field("ofli")
    fulfillment = part_of(OrderFulfillment, "fulfillment_line_items")
    line_item = part_of(LineItem, "fulfillment_line_items")
    sku_code = text()
    quantity = count("Ordered quantity.", default=1)
    fulfilled_quantity = count()
    returned_quantity = count()

    def __str__(self) -> str:
        return f"{self.fulfilled_quantity} of {self.sku_code}"
