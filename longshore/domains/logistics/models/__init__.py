"""The models of the logistics domain: ten resources, their lines and many-to-many tables."""

from longshore.domains.logistics.models.orders import (
    Article,
    Fulfillment,
    FulfillmentStatus,
    Manifest,
    ManifestStatus,
)
from longshore.domains.logistics.models.parcels import (
    Direction,
    ParcelStatus,
    RefundStatus,
    Shipment,
)
from longshore.domains.logistics.models.people import (
    Contact,
    ContactGroup,
    ContactLocation,
    Group,
    GroupResource,
)
from longshore.domains.logistics.models.places import Location
from longshore.domains.logistics.models.stock import (
    Asset,
    AssetStatus,
    Item,
    Level,
)
from longshore.domains.logistics.models.tracking import (
    InferenceStatus,
    ShippingLabelInference,
    Tracker,
)

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
