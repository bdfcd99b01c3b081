"""The demo data of the logistics domain."""

from collections.abc import Callable, Iterator

from django.db.models import Model

from longshore.domains.demo.load import Demo
from longshore.domains.logistics import models
from longshore.domains.logistics.demo import directory, goods, parcels
from longshore.domains.logistics.demo.plan import Plan

# Model, columns, rows; in the order of their foreign keys, save from trackers to shipments.
_TABLES: tuple[tuple[type[Model], str, Callable[[Plan], Iterator[str]]], ...] = (
    (models.Location, directory.LOCATION, directory.locations),
    (models.Group, directory.GROUP, directory.groups),
    (models.Contact, directory.CONTACT, directory.contacts),
    (models.ContactGroup, directory.CONTACT_GROUP, directory.contact_groups),
    (models.ContactLocation, directory.CONTACT_LOCATION, directory.contact_locations),
    (models.Item, goods.ITEM, goods.items),
    (models.Level, goods.LEVEL, goods.levels),
    (models.Asset, goods.ASSET, goods.assets),
    (models.Manifest, goods.MANIFEST, goods.manifests),
    (models.Fulfillment, goods.FULFILLMENT, goods.fulfillments),
    (models.Article, goods.ARTICLE, goods.articles),
    (models.Tracker, parcels.TRACKER, parcels.trackers),
    (models.ShippingLabelInference, parcels.INFERENCE, parcels.inferences),
    (models.Shipment, parcels.SHIPMENT, parcels.shipments),
)


def demo(plan: Plan) -> Demo:
    return Demo(
        size=plan.rows,
        records=plan.rows,
        unit="rows",
        models=tuple(model for model, *_ in _TABLES),
        first=(models.Location, plan.names["loc"](0)),
        batches=lambda: ((model, columns, rows(plan)) for model, columns, rows in _TABLES),
    )
