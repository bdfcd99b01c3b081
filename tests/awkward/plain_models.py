"""Models that are less common, but need no special declaration: keys, views, partitions, types."""

import uuid

from django.contrib.postgres.fields import DateRangeField, DecimalRangeField, IntegerRangeField
from django.db import models
from django.db.models.functions import Upper

from longshore.accounts.models import Organization
from longshore.resources.registry import Resource
from longshore.resources.relations import Relation
from tests.awkward.models import Awkward


class Device(Awkward):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    serial = models.CharField(max_length=40, unique=True, db_column="Serial No.")
    address = models.GenericIPAddressField()
    uptime = models.DurationField()
    label = models.GeneratedField(
        expression=Upper("serial"), output_field=models.CharField(max_length=40), db_persist=True
    )
    rented = DateRangeField(null=True)
    ports = IntegerRangeField(null=True)
    volts = DecimalRangeField(null=True)


class Badge(Awkward):
    """Its primary key is a one-to-one relation."""

    device = models.OneToOneField(Device, on_delete=models.CASCADE, primary_key=True)
    text = models.CharField(max_length=40)


class Repair(Awkward):
    """Its foreign key refers to another column than the primary key."""

    device = models.ForeignKey(
        Device, to_field="serial", on_delete=models.CASCADE, related_name="repairs"
    )
    cost = models.DecimalField(max_digits=8, decimal_places=2)


class Category(Awkward):
    """A tree."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=40)
    parent = models.ForeignKey("self", null=True, on_delete=models.CASCADE, related_name="children")


class Reading(Awkward):
    """A partitioned table."""

    organization = models.ForeignKey(Organization, on_delete=models.DO_NOTHING, related_name="+")
    taken_at = models.DateTimeField()
    value = models.FloatField()

    class Meta(Awkward.Meta):
        abstract = False
        managed = False
        db_table = "awkward_reading"


class Total(Awkward):
    id = models.TextField(primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.DO_NOTHING, related_name="+")
    total = models.FloatField()

    class Meta(Awkward.Meta):
        abstract = True
        managed = False


class ReadingTotal(Total):
    """A view."""

    class Meta(Total.Meta):
        abstract = False
        db_table = "awkward_total"


class StoredTotal(Total):
    """A materialized view."""

    class Meta(Total.Meta):
        abstract = False
        db_table = "awkward_stored_total"


TABLES = """
CREATE TABLE awkward_reading (
    id bigint, organization_id varchar(40), taken_at timestamptz, value double precision,
    PRIMARY KEY (id, taken_at)
) PARTITION BY RANGE (taken_at);
CREATE TABLE awkward_reading_2023 PARTITION OF awkward_reading
    FOR VALUES FROM ('2023-01-01Z') TO ('2024-01-01Z');
CREATE TABLE awkward_reading_2024 PARTITION OF awkward_reading
    FOR VALUES FROM ('2024-01-01Z') TO ('2025-01-01Z');
CREATE VIEW awkward_total AS
    SELECT organization_id AS id, organization_id, sum(value) AS total
    FROM awkward_reading GROUP BY organization_id;
CREATE MATERIALIZED VIEW awkward_stored_total AS SELECT * FROM awkward_total;
"""

DEVICE = Resource(
    "device",
    "devices",
    Device,
    date_field=None,
    relations=(
        Relation("repairs", label="cost", fields=("id", "cost")),
        Relation("badge", label="text", fields=("device_id", "text")),
    ),
)
BADGE = Resource("badge", "badges", Badge, organization="device__organization", date_field=None)
REPAIR = Resource(
    "repair",
    "repairs",
    Repair,
    organization="device__organization",
    date_field=None,
    relations=(Relation("device", label="serial", fields=("id", "serial", "label")),),
    includes=("device",),
)
CATEGORY = Resource(
    "category",
    "categories",
    Category,
    date_field=None,
    relations=(
        Relation("parent", fields=("id", "name")),
        Relation("children", fields=("id", "name"), singular="child"),
    ),
    includes=("parent",),
)
READING = Resource("reading", "readings", Reading, date_field="taken_at")
TOTAL = Resource("total", "totals", ReadingTotal, date_field=None)
STORED_TOTAL = Resource("stored_total", "stored_totals", StoredTotal, date_field=None)
RESOURCES = (DEVICE, BADGE, REPAIR, CATEGORY, READING, TOTAL, STORED_TOTAL)
