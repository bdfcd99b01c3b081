"""Recurring orders."""

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
from longshore.domains.commerce.models.catalog import Bundle, Market, Sku
from longshore.domains.commerce.models.customers import (
    Customer,
    CustomerPaymentSource,
)
from longshore.domains.commerce.models.orders import Order
from longshore.domains.commerce.models.tags import Taggable
from longshore.resources.fields import id_field, text


class SubscriptionStatus(models.TextChoices):
    """The status of a subscription."""

    DRAFT = "draft"
    INACTIVE = "inactive"
    ACTIVE = "active"
    RUNNING = "running"
    PAUSED = "paused"
    PAST_DUE = "past_due"
    RETRYING = "retrying"
    CANCELLED = "cancelled"


class Interval(models.TextChoices):
    """The unit of the interval between two orders."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class OrderSubscription(Taggable):
    """A recurring order of a customer."""

    id = id_field("osub")
    number = models.TextField()
    status = one_of(SubscriptionStatus, SubscriptionStatus.DRAFT, "C")
    frequency = models.TextField(
        default="monthly", help_text="hourly to yearly, or a cron expression."
    )
    interval = one_of(Interval, Interval.MONTH)
    interval_count = count("Number of intervals between two orders.", default=1)
    customer = related(Customer, "order_subscriptions")
    customer_email = text()
    customer_payment_source = related(CustomerPaymentSource, "order_subscriptions")
    market = related(Market, "order_subscriptions")
    source_order = related(Order, "order_subscriptions", "Order that the subscription repeats.")
    currency_code = currency()
    total_amount_cents = cents("Total of each order, including shipping.")
    shipping_amount_cents = cents()
    orders_count = count("Number of orders so far.")
    errors_count = count("Number of failed orders.")
    succeeded_on_last_run = flag(default=True)
    cancel_reason = text()
    starts_at = moment()
    expires_at = moment()
    last_run_at = moment()
    next_run_at = moment()
    cancelled_at = moment()

    class Meta(Taggable.Meta):
        constraints = (only_one("number"),)
        indexes = (*Record.Meta.indexes, by("status", "created_at"), by("next_run_at"))

    def __str__(self) -> str:
        return self.number


class OrderSubscriptionItem(Record):
    """A line of each order of a subscription."""

    id = id_field("osit")
    order_subscription = part_of(OrderSubscription, "order_subscription_items")
    sku = related(Sku, "order_subscription_items")
    bundle = related(Bundle, "order_subscription_items")
    sku_code = text()
    name = models.TextField(blank=True)
    quantity = count(default=1)
    currency_code = currency()
    unit_amount_cents = cents()
    total_amount_cents = cents()

    def __str__(self) -> str:
        return f"{self.quantity} of {self.sku_code or self.name}"
