"""The thirteen named exports of a shop: tables for people.

A named export leaves out columns that its own filters make constant, such as `is_test`.
"""

from longshore.domains.commerce.export_types import deliveries, orders, subscriptions
from longshore.resources.export_types import export_types

export_types.register(*orders.TYPES, *subscriptions.TYPES, *deliveries.TYPES)
