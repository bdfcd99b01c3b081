"""The admin of the commerce domain."""

from longshore.domains.commerce.admin import (
    carts,
    catalog,
    customers,
    fulfillment,
    orders,
    payments,
    pricing,
    promotions,
    returns,
    shipping,
    stock,
    subscriptions,
    tags,
)

__all__ = [
    "carts",
    "catalog",
    "customers",
    "fulfillment",
    "orders",
    "payments",
    "pricing",
    "promotions",
    "returns",
    "shipping",
    "stock",
    "subscriptions",
    "tags",
]
