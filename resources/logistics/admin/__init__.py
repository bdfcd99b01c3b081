"""The ten logistics resources in the admin."""

from resources.logistics.admin import orders, parcels, people, stock, tracking

__all__ = ["orders", "parcels", "people", "stock", "tracking"]
