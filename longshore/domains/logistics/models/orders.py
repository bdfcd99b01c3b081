"""Fulfillments and manifests with their articles: outbound orders and inbound deliveries."""

from django.db import models
from django.db.models.fields.json import KT

from longshore.domains.logistics.models.base import Record
from longshore.domains.logistics.models.places import Location
from longshore.domains.logistics.models.stock import Item
from longshore.resources.fields import (
    id_field,
    json_list,
    json_object,
    link,
    link_index,
    search_field,
    search_index,
    text,
    texts,
)


class FulfillmentStatus(models.TextChoices):
    """The processing status of a fulfillment."""

    CREATED = "created"
    PROCESSING = "processing"
    PICKED = "picked"
    PACKED = "packed"
    SHIPPING = "shipping"
    COMPLETED = "completed"
    CANCELED = "canceled"


class Fulfillment(Record):
    """An order to pick, pack and ship."""

    id = id_field("ful")
    status = models.CharField(
        max_length=20,
        choices=FulfillmentStatus.choices,
        default=FulfillmentStatus.CREATED,
        db_collation="C",
    )
    order_number = text()
    recipient = json_object("{name, email, phone, address, contact_id}.")
    location = link(Location, "fulfillments", "Location where the order is picked.")
    search_text = search_field("order_number", "external_id", KT("recipient__name"))

    class Meta(Record.Meta):
        indexes = (
            *Record.Meta.indexes,
            models.Index(fields=["organization", "created_at"], name="fulfillment_by_creation"),
            models.Index(
                fields=["organization", "status", "created_at"], name="fulfillment_by_status"
            ),
            link_index("location", "fulfillment_by_location"),
            search_index("fulfillment_by_words"),
        )

    def __str__(self) -> str:
        return self.order_number or self.id


class ManifestStatus(models.TextChoices):
    """The processing status of a manifest."""

    CREATED = "created"
    IN_TRANSIT = "in_transit"
    ARRIVED = "arrived"
    PROCESSING = "processing"
    PROCESSED = "processed"
    COMPLETED = "completed"
    CANCELED = "canceled"


class Manifest(Record):
    """An inbound delivery of articles or containers."""

    id = id_field("man")
    status = models.CharField(
        max_length=20,
        choices=ManifestStatus.choices,
        default=ManifestStatus.CREATED,
        db_collation="C",
    )
    location = link(Location, "manifests", "Location where the delivery arrives.")
    containers = json_list("[{id, type, seal}].")
    order_number = text()
    invoice_number = text()
    purchase_order_number = text()
    reference_number = text()
    container_number = text()
    load_number = text()
    special_handling_tags = texts("fragile, refrigerated, hazardous…")
    arrived_at = models.DateTimeField(null=True, blank=True)
    processed_at = models.DateTimeField(null=True, blank=True)
    search_text = search_field(
        "order_number",
        "invoice_number",
        "purchase_order_number",
        "reference_number",
        "container_number",
        "load_number",
        "external_id",
    )

    class Meta(Record.Meta):
        indexes = (
            *Record.Meta.indexes,
            models.Index(fields=["organization", "created_at"], name="manifest_by_creation"),
            models.Index(
                fields=["organization", "status", "created_at"], name="manifest_by_status"
            ),
            link_index("location", "manifest_by_location"),
            search_index("manifest_by_words"),
        )

    def __str__(self) -> str:
        return self.load_number or self.reference_number or self.id


class Article(models.Model):
    """A line of a fulfillment or of a manifest: an item and its quantities."""

    id = id_field("art")
    fulfillment = models.ForeignKey(
        Fulfillment,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="articles",
        db_index=False,
    )
    manifest = models.ForeignKey(
        Manifest,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="articles",
        db_index=False,
    )
    item = link(Item, "articles")
    requested_qty = models.PositiveIntegerField(default=0)
    picked_qty = models.PositiveIntegerField(default=0)
    packed_qty = models.PositiveIntegerField(default=0)
    received_qty = models.PositiveIntegerField(default=0)
    comment = text()
    sku = text("SKU at the time of the order; the item's SKU may have changed since.")
    name = models.TextField(blank=True)
    value = models.DecimalField(
        max_digits=12, decimal_places=2, null=True, blank=True, help_text="Value of one piece."
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(fulfillment__isnull=True) ^ models.Q(manifest__isnull=True),
                name="article_is_on_a_fulfillment_or_a_manifest",
                violation_error_message="An article belongs to either a fulfillment or a manifest.",
            ),
        )
        indexes = (
            link_index("fulfillment", "article_by_fulfillment"),
            link_index("manifest", "article_by_manifest"),
            link_index("item", "article_by_item"),
        )

    def __str__(self) -> str:
        return f"{self.requested_qty} of {self.name or self.sku or self.id}"
