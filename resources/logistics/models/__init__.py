"""The logistics domain: ten resources and the rows that join them."""

from resources.logistics.models.orders import (
    Article,
    Fulfillment,
    FulfillmentStatus,
    Manifest,
    ManifestStatus,
)
from resources.logistics.models.parcels import Direction, ParcelStatus, RefundStatus, Shipment
from resources.logistics.models.people import (
    Contact,
    ContactGroup,
    ContactLocation,
    Group,
    GroupResource,
)
from resources.logistics.models.places import Location
from resources.logistics.models.stock import Asset, AssetStatus, Item, Level
from resources.logistics.models.tracking import InferenceStatus, ShippingLabelInference, Tracker

__all__ = [
    "Article",
    "Asset",
    "AssetStatus",
    "Contact",
    "ContactGroup",
    "ContactLocation",
    "Direction",
    "Fulfillment",
    "FulfillmentStatus",
    "Group",
    "GroupResource",
    "InferenceStatus",
    "Item",
    "Level",
    "Location",
    "Manifest",
    "ManifestStatus",
    "ParcelStatus",
    "RefundStatus",
    "Shipment",
    "ShippingLabelInference",
    "Tracker",
]
