"""Shipments in the admin."""

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from longshore.accounts.admin.filters import RelatedFilter
from longshore.accounts.admin.presentation import EMPTY
from longshore.domains.logistics.admin.records import LogisticsAdmin
from longshore.domains.logistics.models import ParcelStatus, Shipment
from longshore.files.currencies import amount_text

STATUS_COLORS = {
    ParcelStatus.CREATED: "info",
    ParcelStatus.PENDING: "info",
    ParcelStatus.PURCHASED: "info",
    ParcelStatus.PICKED_UP: "primary",
    ParcelStatus.IN_TRANSIT: "primary",
    ParcelStatus.OUT_FOR_DELIVERY: "primary",
    ParcelStatus.PICKUP_AVAILABLE: "warning",
    ParcelStatus.DELIVERED: "success",
    ParcelStatus.COMPLETED: "success",
    ParcelStatus.DELAYED: "warning",
    ParcelStatus.EXCEPTION: "danger",
    ParcelStatus.RETURNED: "danger",
    ParcelStatus.LOST: "danger",
    ParcelStatus.CANCELED: "default",
}


@admin.register(Shipment)
class ShipmentAdmin(LogisticsAdmin):
    list_display = (
        "parcel",
        "state",
        "destination_contact",
        "location",
        "price",
        "created",
    )
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("location", RelatedFilter),
        ("destination_contact", RelatedFilter),
    )
    list_select_related = ("organization", "destination_contact", "location")
    amounts = ("amount", "billed_amount", "fee")
    currency = "currency"
    main_fieldsets = (
        (
            None,
            {
                "fields": (
                    ("tracking_number", "status", "type"),
                    ("provider", "tracking_url", "label_url"),
                    ("location", "layout_id", "container_id"),
                    ("estimated_delivery_at", "pickup_at"),
                    "notes",
                )
            },
        ),
        (
            "Parties",
            {
                "classes": ("tab",),
                "fields": (("destination_contact", "sender_contact"), ("recipient", "sender")),
            },
        ),
        (
            "Parcel",
            {
                "classes": ("tab",),
                "fields": (
                    ("parcels", "customs"),
                    ("options", "coordinates"),
                    ("tags", "barcode_values"),
                    "tracking_updates",
                ),
            },
        ),
        (
            "Price",
            {
                "classes": ("tab",),
                "fields": (
                    ("amount", "billed_amount", "fee", "currency"),
                    ("paid", "payment_reference", "refund_status"),
                    ("rates_generated_at", "lead_time_mins"),
                    ("purchased_rate", "recommended_rate"),
                    "rates",
                ),
            },
        ),
        (
            "Related records",
            {
                "classes": ("tab",),
                "fields": (
                    ("tracker", "inference"),
                    ("fulfillment", "manifest"),
                    ("order_number", "purchase_order"),
                    ("invoice_number", "invoice_id"),
                    ("rma_number", "reference_number"),
                    ("user_id", "account_id"),
                ),
            },
        ),
    )

    @display(description="Shipment", header=True)
    def parcel(self, shipment: Shipment) -> tuple[str, str]:
        details = filter(None, (shipment.provider, shipment.get_type_display()))
        return str(shipment), ", ".join(details)

    @display(description="Status", label=STATUS_COLORS)
    def state(self, shipment: Shipment) -> tuple[str, str]:
        return shipment.status, shipment.get_status_display()

    @display(description="Amount", header=True)
    def price(self, shipment: Shipment) -> tuple[str, str]:
        if shipment.amount is None:
            return EMPTY, ""
        paid = "Paid" if shipment.paid else "Unpaid"
        return amount_text(shipment.amount, shipment.currency), paid
