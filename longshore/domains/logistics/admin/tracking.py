"""Trackers and shipping label inferences in the admin."""

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from longshore.accounts.admin.filters import RelatedFilter
from longshore.accounts.admin.presentation import EMPTY
from longshore.domains.logistics.admin.parcels import STATUS_COLORS
from longshore.domains.logistics.admin.records import LogisticsAdmin
from longshore.domains.logistics.models import (
    InferenceStatus,
    ShippingLabelInference,
    Tracker,
)

INFERENCE_COLORS = {
    InferenceStatus.PENDING: "info",
    InferenceStatus.PROCESSING: "primary",
    InferenceStatus.COMPLETED: "success",
    InferenceStatus.NEEDS_REVIEW: "warning",
    InferenceStatus.FAILED: "danger",
}


@admin.register(Tracker)
class TrackerAdmin(LogisticsAdmin):
    list_display = (
        "parcel",
        "state",
        "destination_contact",
        "destination_location",
        "estimated_delivery_at",
        "created",
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("destination_location", RelatedFilter),
        ("destination_contact", RelatedFilter),
    )
    list_select_related = ("organization", "destination_contact", "destination_location")
    main_fieldsets = (
        (
            None,
            {
                "fields": (
                    ("tracking_number", "status", "type"),
                    ("provider", "tracking_url"),
                    ("chained_status", "estimated_delivery_at"),
                    "tags",
                )
            },
        ),
        (
            "Destination",
            {
                "classes": ("tab",),
                "fields": (
                    ("destination_contact", "sender_contact"),
                    ("destination_location", "destination_layout"),
                    "destination_address",
                ),
            },
        ),
        (
            "Shipments",
            {
                "classes": ("tab",),
                "fields": (
                    ("current_shipment", "final_chained_shipment"),
                    ("auto_close_shipments_option", "auto_close_shipments_status"),
                    "manifest",
                    "tracking_updates",
                ),
            },
        ),
    )

    @display(description="Tracker", header=True)
    def parcel(self, tracker: Tracker) -> tuple[str, str]:
        details = filter(None, (tracker.provider, tracker.get_type_display()))
        return str(tracker), ", ".join(details)

    @display(description="Status", label=STATUS_COLORS)
    def state(self, tracker: Tracker) -> tuple[str, str]:
        return tracker.status, tracker.get_status_display()


@admin.register(ShippingLabelInference)
class ShippingLabelInferenceAdmin(LogisticsAdmin):
    list_display = (
        "label",
        "state",
        "recipient_name",
        "location",
        "carrier",
        "created",
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("location", RelatedFilter),
    )
    list_select_related = ("organization", "location")
    main_fieldsets = (
        (
            None,
            {
                "fields": (
                    ("tracking_number", "status"),
                    ("location", "tracker"),
                    ("image_url", "media_urls"),
                    "notes",
                )
            },
        ),
        (
            "Recognition",
            {
                "classes": ("tab",),
                "fields": (
                    "raw_text",
                    ("barcode_values", "tags"),
                    ("weight", "dimensions"),
                    "layout",
                    ("errors", "exceptions"),
                    "error_details",
                ),
            },
        ),
        (
            "Parties",
            {
                "classes": ("tab",),
                "fields": (
                    ("extracted_recipient_name", "extracted_sender_name"),
                    ("recipient", "sender"),
                    "matches",
                ),
            },
        ),
        (
            "Carrier",
            {
                "classes": ("tab",),
                "fields": (
                    ("provider_name", "provider_id"),
                    ("service_level_name", "service_level_id"),
                    "account_id",
                    ("provider", "providers"),
                ),
            },
        ),
        (
            "Numbers",
            {
                "classes": ("tab",),
                "fields": (
                    ("order_number", "purchase_order"),
                    ("invoice_number", "reference_number"),
                    "rma_number",
                ),
            },
        ),
    )

    @display(description="Label", header=True)
    def label(self, inference: ShippingLabelInference) -> tuple[str, str]:
        return str(inference), inference.order_number or EMPTY

    @display(description="Status", label=INFERENCE_COLORS)
    def state(self, inference: ShippingLabelInference) -> tuple[str, str]:
        return inference.status, inference.get_status_display()

    @display(description="Carrier", header=True)
    def carrier(self, inference: ShippingLabelInference) -> tuple[str, str]:
        return inference.provider_name or EMPTY, inference.service_level_name or ""

    @display(description="Recipient")
    def recipient_name(self, inference: ShippingLabelInference) -> str:
        return inference.extracted_recipient_name or EMPTY
