"""The admin of the logistics domain."""

from longshore.domains.logistics.admin import (
    orders,
    parcels,
    people,
    stock,
    tracking,
)

__all__ = ["orders", "parcels", "people", "stock", "tracking"]
