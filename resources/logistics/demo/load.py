"""Writing demo rows with COPY."""

from collections.abc import Callable, Iterator
from itertools import islice

from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import GeneratedField, JSONField, Model
from psycopg import sql

from resources.logistics import models
from resources.logistics.demo import directory, goods, parcels
from resources.logistics.demo.plan import Plan
from resources.logistics.models.base import Record

# About 100 kB of text, which a socket takes at once: then rows are made while the server stores
# those before them.
_BATCH = 64

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
_NAMES = [model._meta.db_table for model, *_ in _TABLES]

# Statements that drop foreign keys and secondary indexes, and those that make them again.
_EXTRAS = """
    SELECT format('DROP INDEX %%s', indexrelid::regclass), pg_get_indexdef(indexrelid)
    FROM pg_index WHERE indrelid = ANY (%(tables)s::regclass[]) AND NOT indisunique
    UNION ALL
    SELECT format('ALTER TABLE %%s DROP CONSTRAINT %%I', conrelid::regclass, conname),
           format('ALTER TABLE %%s ADD CONSTRAINT %%I %%s', conrelid::regclass, conname,
                  pg_get_constraintdef(oid))
    FROM pg_constraint WHERE conrelid = ANY (%(tables)s::regclass[]) AND contype = 'f'
"""


def load(plan: Plan, written: Callable[[int], object]) -> list[str]:
    """Write all rows of the plan; `written` is told how many more records there are.

    Returns the statements that finish the load, to be executed in the same transaction. Where the
    tables are empty, it is twice as fast to build indexes and check foreign keys only then.
    """
    finish = ["SET LOCAL maintenance_work_mem = '256MB'"]
    with connection.cursor() as cursor:
        if not any(model._default_manager.exists() for model, *_ in _TABLES):
            cursor.execute(_EXTRAS, {"tables": _NAMES})
            for drop, create in cursor.fetchall():
                cursor.execute(drop)
                finish.append(create)
        for model, columns, rows in _TABLES:
            statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
                sql.Identifier(model._meta.db_table),
                sql.SQL(", ").join(map(sql.Identifier, columns.split())),
            )
            lines = rows(plan)
            with cursor.copy(statement) as copy:
                while batch := list(islice(lines, _BATCH)):
                    copy.write("\n".join(batch) + "\n")
                    written(len(batch) if issubclass(model, Record) else 0)
    # A tenth of the usual sample; autovacuum takes a full one later.
    finish.append("SET LOCAL default_statistics_target = 10")
    return finish + [_analyze(model) for model, *_ in _TABLES]


def _analyze(model: type[Model]) -> str:
    """Gathers statistics of plain columns: comparing documents takes longer than loading them."""
    columns = [
        f'"{field.column}"'
        for field in model._meta.concrete_fields
        if not isinstance(field, JSONField | ArrayField | GeneratedField)
    ]
    return f'ANALYZE "{model._meta.db_table}" ({", ".join(columns)})'
