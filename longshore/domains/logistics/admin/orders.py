"""Fulfillments and manifests in the admin."""

from django.contrib import admin
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from longshore.accounts.admin.filters import RelatedFilter
from longshore.accounts.admin.presentation import EMPTY
from longshore.domains.admin.records import RelatedInline
from longshore.domains.logistics.admin.records import LogisticsAdmin, texts_of
from longshore.domains.logistics.models import (
    Article,
    Fulfillment,
    FulfillmentStatus,
    Manifest,
    ManifestStatus,
)

FULFILLMENT_COLORS = {
    FulfillmentStatus.CREATED: "info",
    FulfillmentStatus.PROCESSING: "warning",
    FulfillmentStatus.PICKED: "warning",
    FulfillmentStatus.PACKED: "warning",
    FulfillmentStatus.SHIPPING: "primary",
    FulfillmentStatus.COMPLETED: "success",
    FulfillmentStatus.CANCELED: "danger",
}
MANIFEST_COLORS = {
    ManifestStatus.CREATED: "info",
    ManifestStatus.IN_TRANSIT: "primary",
    ManifestStatus.ARRIVED: "warning",
    ManifestStatus.PROCESSING: "warning",
    ManifestStatus.PROCESSED: "success",
    ManifestStatus.COMPLETED: "success",
    ManifestStatus.CANCELED: "danger",
}


class ArticleInline(RelatedInline):
    model = Article
    autocomplete_fields = ("item",)


class FulfillmentArticles(ArticleInline):
    fields = (
        "name",
        "sku",
        "item",
        "requested_qty",
        "picked_qty",
        "packed_qty",
        "value",
        "comment",
    )


class ManifestArticles(ArticleInline):
    fields = ("name", "sku", "item", "requested_qty", "received_qty", "value", "comment")


class OrderAdmin(LogisticsAdmin):
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("location", RelatedFilter),
    )
    list_select_related = ("organization", "location")


@admin.register(Fulfillment)
class FulfillmentAdmin(OrderAdmin):
    list_display = ("order", "state", "location", "created")
    inlines = (FulfillmentArticles,)
    main_fieldsets = ((None, {"fields": (("order_number", "status", "location"), "recipient")}),)

    @display(description="Order", header=True)
    def order(self, fulfillment: Fulfillment) -> tuple[str, str]:
        return str(fulfillment), next(iter(texts_of(fulfillment.recipient, "name")), EMPTY)

    @display(description="Status", label=FULFILLMENT_COLORS)
    def state(self, fulfillment: Fulfillment) -> tuple[str, str]:
        return fulfillment.status, fulfillment.get_status_display()


@admin.register(Manifest)
class ManifestAdmin(OrderAdmin):
    list_display = (
        "load",
        "state",
        "reference_number",
        "location",
        "arrived_at",
        "processed_at",
        "created",
    )
    inlines = (ManifestArticles,)
    main_fieldsets = (
        (
            None,
            {
                "fields": (
                    ("load_number", "status", "location"),
                    ("order_number", "reference_number"),
                    ("invoice_number", "purchase_order_number"),
                    ("arrived_at", "processed_at"),
                )
            },
        ),
        (
            "Containers",
            {
                "classes": ("tab",),
                "fields": ("container_number", "containers", "special_handling_tags"),
            },
        ),
    )

    @display(description="Manifest", header=True)
    def load(self, manifest: Manifest) -> tuple[str, str]:
        return str(manifest), manifest.container_number or EMPTY

    @display(description="Status", label=MANIFEST_COLORS)
    def state(self, manifest: Manifest) -> tuple[str, str]:
        return manifest.status, manifest.get_status_display()
