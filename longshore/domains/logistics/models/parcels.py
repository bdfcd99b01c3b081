"""Shipments: single parcels."""

from django.db import models
from django.db.models.fields.json import KT

from longshore.domains.logistics.models.base import Record
from longshore.domains.logistics.models.orders import Fulfillment, Manifest
from longshore.domains.logistics.models.people import Contact
from longshore.domains.logistics.models.places import Location
from longshore.resources.fields import (
    choice,
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


class Direction(models.TextChoices):
    """The direction of a parcel, seen from the organization's locations."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"


class ParcelStatus(models.TextChoices):
    """The delivery status of a parcel, for shipments and trackers."""

    CREATED = "created"
    PENDING = "pending"
    PURCHASED = "purchased"
    PICKED_UP = "picked_up"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    PICKUP_AVAILABLE = "pickup_available"
    DELIVERED = "delivered"
    COMPLETED = "completed"
    DELAYED = "delayed"
    EXCEPTION = "exception"
    RETURNED = "returned"
    LOST = "lost"
    CANCELED = "canceled"


class RefundStatus(models.TextChoices):
    """The status of the refund of an unused label."""

    REQUESTED = "requested"
    REFUNDED = "refunded"
    REJECTED = "rejected"


class Shipment(Record):
    """A parcel with its label, price and tracking. Amounts are in minor units of the currency."""

    id = id_field("ship")
    type = models.CharField(max_length=20, choices=Direction.choices, default=Direction.OUTBOUND)
    status = models.CharField(
        max_length=20,
        choices=ParcelStatus.choices,
        default=ParcelStatus.CREATED,
        db_collation="C",
    )
    provider = text("Carrier code: fedex, ups, usps…")
    tracking_number = text()
    tracking_url = text()
    tracking_updates = json_list("Messages of the carrier, oldest first: [{status, at, message}].")
    label_url = text()

    amount = models.IntegerField(
        null=True, blank=True, help_text="Price of the label, in minor units."
    )
    billed_amount = models.IntegerField(
        null=True, blank=True, help_text="Amount that the carrier finally charged, in minor units."
    )
    fee = models.IntegerField(null=True, blank=True, help_text="Handling fee, in minor units.")
    currency = models.CharField(max_length=3, default="USD", help_text="ISO 4217 code.")
    paid = models.BooleanField(default=False)
    payment_reference = text()
    refund_status = choice(RefundStatus)
    rates = json_list("Offers: [{provider, service, amount, currency, days}].")
    recommended_rate = json_object("The recommended offer.")
    purchased_rate = json_object("The purchased offer.")
    rates_generated_at = models.DateTimeField(null=True, blank=True)
    lead_time_mins = models.IntegerField(
        null=True, blank=True, help_text="Minutes from creation to pickup."
    )

    recipient = json_object("{name, email, phone, address}.")
    sender = json_object("{name, email, phone, address}.")
    destination_contact = link(Contact, "shipments_to")
    sender_contact = link(Contact, "shipments_from")
    coordinates = json_object("Last known position: {latitude, longitude}.")
    parcels = json_list("[{length, width, height, weight}] in centimetres and kilograms.")
    customs = json_object("{contents, incoterm, items}.")
    options = json_object("{signature, insurance, saturday_delivery}.")
    barcode_values = texts()
    tags = texts()

    location = link(Location, "shipments")
    layout_id = text("Shelf or zone.")
    container_id = text()
    invoice_id = text()
    user_id = text("Id of the user who created the shipment.")
    account_id = text("Carrier account that is billed.")
    fulfillment = link(Fulfillment, "shipments")
    manifest = link(Manifest, "shipments")
    inference = link(
        "ShippingLabelInference", "shipments", "Scanned label from which the shipment was created."
    )
    tracker = link("Tracker", "shipments")

    order_number = text()
    rma_number = text("Return merchandise authorization number.")
    invoice_number = text()
    purchase_order = text()
    reference_number = text()
    notes = text()
    estimated_delivery_at = models.DateTimeField(null=True, blank=True)
    pickup_at = models.DateTimeField(null=True, blank=True)
    search_text = search_field(
        "tracking_number",
        "order_number",
        "rma_number",
        "invoice_number",
        "purchase_order",
        "reference_number",
        KT("recipient__name"),
        KT("sender__name"),
    )

    class Meta(Record.Meta):
        indexes = (
            *Record.Meta.indexes,
            models.Index(fields=["organization", "created_at"], name="shipment_by_creation"),
            models.Index(
                fields=["organization", "status", "created_at"], name="shipment_by_status"
            ),
            models.Index(fields=["tracking_number"], name="shipment_by_tracking_number"),
            link_index("destination_contact", "shipment_by_destination"),
            link_index("sender_contact", "shipment_by_sender"),
            link_index("location", "shipment_by_location"),
            link_index("fulfillment", "shipment_by_fulfillment"),
            link_index("manifest", "shipment_by_manifest"),
            link_index("inference", "shipment_by_inference"),
            link_index("tracker", "shipment_by_tracker"),
            search_index("shipment_by_words"),
        )

    def __str__(self) -> str:
        return self.tracking_number or self.id
