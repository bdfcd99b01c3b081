"""Trackers of parcels, and labels recognized in photographs."""

from django.db import models

from longshore.domains.logistics.models.base import Record
from longshore.domains.logistics.models.orders import Manifest
from longshore.domains.logistics.models.parcels import (
    Direction,
    ParcelStatus,
    Shipment,
)
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


class Tracker(Record):
    """A parcel tracked over one or more shipments, from the sender to the recipient."""

    id = id_field("track")
    type = models.CharField(max_length=20, choices=Direction.choices, default=Direction.INBOUND)
    status = models.CharField(
        max_length=20,
        choices=ParcelStatus.choices,
        default=ParcelStatus.CREATED,
        db_collation="C",
    )
    chained_status = choice(ParcelStatus, "Status of the whole chain of shipments.")
    provider = text("Carrier code: fedex, ups, usps…")
    tracking_number = text()
    tracking_url = text()
    tracking_updates = json_list("Messages of the carrier, oldest first: [{status, at, message}].")
    tags = texts()
    destination_address = json_object()
    destination_layout = json_object("Shelf or zone: {id, name}.")
    destination_location = link(Location, "trackers")
    destination_contact = link(Contact, "trackers_to")
    sender_contact = link(Contact, "trackers_from")
    manifest = link(Manifest, "trackers")
    current_shipment = link(Shipment, "+", "Current shipment of the chain.")
    final_chained_shipment = link(Shipment, "+", "Last shipment of the chain.")
    auto_close_shipments_option = models.BooleanField(
        default=False,
        help_text="Complete the shipments when the tracker reaches `auto_close_shipments_status`.",
    )
    auto_close_shipments_status = choice(ParcelStatus)
    estimated_delivery_at = models.DateTimeField(null=True, blank=True)
    search_text = search_field("tracking_number", "external_id", "provider")

    class Meta(Record.Meta):
        indexes = (
            *Record.Meta.indexes,
            models.Index(fields=["organization", "created_at"], name="tracker_by_creation"),
            models.Index(fields=["organization", "status", "created_at"], name="tracker_by_status"),
            models.Index(fields=["tracking_number"], name="tracker_by_tracking_number"),
            # Includes the type for the counts of contacts and groups.
            models.Index(
                fields=["destination_contact", "type"],
                name="tracker_by_destination",
                condition=models.Q(destination_contact__isnull=False),
            ),
            link_index("sender_contact", "tracker_by_sender"),
            link_index("destination_location", "tracker_by_location"),
            link_index("manifest", "tracker_by_manifest"),
            link_index("current_shipment", "tracker_by_shipment"),
            link_index("final_chained_shipment", "tracker_by_final_shipment"),
            search_index("tracker_by_words"),
        )

    def __str__(self) -> str:
        return self.tracking_number or self.id


class InferenceStatus(models.TextChoices):
    """The status of label recognition."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    NEEDS_REVIEW = "needs_review"
    FAILED = "failed"


class ShippingLabelInference(Record):
    """The text recognized on a photographed shipping label, and the contacts that match it."""

    id = id_field("inf_sl")
    status = models.CharField(
        max_length=20,
        choices=InferenceStatus.choices,
        default=InferenceStatus.PENDING,
        db_collation="C",
    )
    image_url = text()
    media_urls = texts("Further photographs.")
    raw_text = text("All text on the label, line by line.")
    barcode_values = texts()
    layout = json_object("Shelf or zone of the scan: {id, name}.")
    recipient = json_object("{name, email, phone, address, contact_id}.")
    sender = json_object("{name, email, phone, address, contact_id}.")
    extracted_recipient_name = text("Name as printed on the label.")
    extracted_sender_name = text("Name as printed on the label.")
    provider = json_object("Recognized carrier: {id, name, confidence}.")
    providers = json_list("All candidate carriers: [{id, name, confidence}].")
    provider_name = text("Carrier code: fedex, ups, usps…")
    provider_id = text()
    service_level_id = text()
    service_level_name = text()
    account_id = text()
    tracking_number = text()
    order_number = text()
    rma_number = text("Return merchandise authorization number.")
    purchase_order = text()
    reference_number = text()
    invoice_number = text()
    weight = models.DecimalField(
        max_digits=12, decimal_places=3, null=True, blank=True, help_text="In kilograms."
    )
    dimensions = json_object("{length, width, height} in centimetres.")
    matches = json_list("Candidate recipients: [{contact_id, name, score}].")
    errors = texts("Reasons why recognition failed.")
    exceptions = texts("Findings that need a review.")
    error_details = json_object()
    tags = texts()
    notes = text()
    tracker = link(Tracker, "inferences")
    location = link(Location, "inferences")
    search_text = search_field(
        "tracking_number",
        "order_number",
        "reference_number",
        "extracted_recipient_name",
        "extracted_sender_name",
        "provider_name",
    )

    class Meta(Record.Meta):
        indexes = (
            *Record.Meta.indexes,
            models.Index(fields=["organization", "created_at"], name="inference_by_creation"),
            models.Index(
                fields=["organization", "status", "created_at"], name="inference_by_status"
            ),
            models.Index(fields=["tracking_number"], name="inference_by_tracking_number"),
            link_index("tracker", "inference_by_tracker"),
            link_index("location", "inference_by_location"),
            search_index("inference_by_words"),
        )

    def __str__(self) -> str:
        return self.tracking_number or self.id
