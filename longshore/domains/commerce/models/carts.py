"""Carts and their lines."""

from django.db import models

from longshore.domains.commerce.models.base import (
    Record,
    by,
    cents,
    count,
    currency,
    flag,
    one_of,
    part_of,
    related,
)
from longshore.domains.commerce.models.catalog import Sku
from longshore.domains.commerce.models.customers import Customer
from longshore.domains.commerce.models.orders import Order
from longshore.resources.fields import id_field, json_object, text


class CartStatus(models.TextChoices):
    """The status of a cart."""

    OPEN = "open"
    SUBMITTED = "submitted"


class Cart(Record):
    """The cart of a visitor. An open cart counts as abandoned 30 minutes after its last change."""

    id = id_field("cart")
    status = one_of(CartStatus, CartStatus.OPEN, "C")
    customer = related(Customer, "carts")
    customer_email = text()
    order = related(Order, "carts", "Order that the cart became.")
    is_test = flag()
    checkout_url = text()
    currency_code = currency()
    total_amount_with_taxes_cents = cents()
    attribution = json_object("{utm_source, utm_medium, utm_campaign, funnel, affiliate, gclid}.")

    class Meta(Record.Meta):
        indexes = (*Record.Meta.indexes, by("status", "created_at"))

    def __str__(self) -> str:
        return str(self.pk)


class CartLineItem(Record):
    """A line of a cart."""

    id = id_field("clin")
    cart = part_of(Cart, "cart_line_items")
    sku = related(Sku, "cart_line_items")
    sku_code = text()
    name = models.TextField(blank=True)
    quantity = count(default=1)
    currency_code = currency()
    unit_amount_cents = cents()
    total_amount_cents = cents()

    def __str__(self) -> str:
        return f"{self.quantity} of {self.sku_code or self.name}"
