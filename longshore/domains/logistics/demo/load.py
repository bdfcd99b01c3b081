"""The demo data of the logistics domain."""

from collections.abc import Callable, Iterator

from django.db.models import Model

from longshore.accounts.models import Organization
from longshore.domains.demo.load import DemoData
from longshore.domains.demo.sources import DemoSource
from longshore.domains.logistics import models
from longshore.domains.logistics.demo import directory, goods, parcels
from longshore.domains.logistics.demo.plan import MIN_ROWS, Plan

# Model, columns, rows, in the order of their foreign keys. Only trackers precede the shipments that
# they refer to: foreign keys are deferred.
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


def _build(organization: Organization, rows: int) -> DemoData:
    plan = Plan(organization.slug, organization.id, rows)
    return DemoData(
        size=rows,
        records=rows,
        unit="rows",
        models=tuple(model for model, *_ in _TABLES),
        marker=(models.Location, plan.names["loc"](0)),
        tables=lambda: ((model, columns, rows(plan)) for model, columns, rows in _TABLES),
    )


DEMO = DemoSource(
    unit="rows",
    help=f"Logistics records, all ten resources together: 0, or at least {MIN_ROWS}.",
    default_size=20_000,
    sample_size=10_000,
    min_size=MIN_ROWS,
    model=models.Shipment,
    build=_build,
)
