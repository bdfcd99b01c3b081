"""Contacts, groups and locations in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from longshore.accounts.admin.filters import RelatedFilter
from longshore.accounts.admin.presentation import EMPTY
from longshore.domains.admin.records import RelatedInline
from longshore.domains.logistics.admin.records import LogisticsAdmin, texts_of
from longshore.domains.logistics.models import (
    Contact,
    Direction,
    Group,
    Location,
    Tracker,
)


class RecipientAdmin(LogisticsAdmin):
    """The admin of records that receive parcels; the page of a record counts its trackers."""

    readonly_fields: tuple[str, ...] = ("inbound_trackers", "outbound_trackers")
    trackers_by = "destination_contact"

    def get_object(self, *args: Any, **kwargs: Any) -> Any:
        recipient = super().get_object(*args, **kwargs)
        if recipient is not None:
            trackers = Tracker.objects.filter(**{self.trackers_by: recipient.pk})
            counts = trackers.values_list("type").annotate(count=Count("pk"))
            recipient.trackers = dict(counts.order_by())
        return recipient

    @display(description="Inbound trackers")
    def inbound_trackers(self, recipient: Any) -> str:
        return _count(recipient, Direction.INBOUND)

    @display(description="Outbound trackers")
    def outbound_trackers(self, recipient: Any) -> str:
        return _count(recipient, Direction.OUTBOUND)


def _count(recipient: Any, direction: Direction) -> str:
    return EMPTY if recipient._state.adding else f"{recipient.trackers.get(direction, 0):,}"


class GroupInline(RelatedInline):
    model = Contact.groups.through
    autocomplete_fields = ("group",)
    verbose_name_plural = "Groups"


class LocationInline(RelatedInline):
    model = Contact.locations.through
    autocomplete_fields = ("location",)
    verbose_name_plural = "Locations"


@admin.register(Contact)
class ContactAdmin(RecipientAdmin):
    list_display = ("contact", "phone", "in_groups", "at_locations", "created")
    list_filter = ("is_primary",)
    inlines = (GroupInline, LocationInline)
    main_fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "nickname"),
                    ("email", "phone"),
                    ("id_number", "is_primary"),
                    "location",
                    ("inbound_trackers", "outbound_trackers"),
                    "notes",
                )
            },
        ),
        (
            "Addresses",
            {
                "classes": ("tab",),
                "fields": (("address", "secondary_address"), "alternate_addresses"),
            },
        ),
        (
            "Alternate names",
            {
                "classes": ("tab",),
                "fields": (
                    "alternate_names",
                    "alternate_emails",
                    "alternate_phones",
                    "experimental",
                ),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        contacts: QuerySet[Contact] = super().get_queryset(request)
        return contacts.prefetch_related("groups", "locations")

    @display(description="Contact", header=True)
    def contact(self, contact: Contact) -> tuple[str, str]:
        return str(contact), contact.email or EMPTY

    @display(description="Groups")
    def in_groups(self, contact: Contact) -> str:
        return ", ".join(map(str, contact.groups.all())) or EMPTY

    @display(description="Locations")
    def at_locations(self, contact: Contact) -> str:
        return ", ".join(map(str, contact.locations.all())) or EMPTY


@admin.register(Group)
class GroupAdmin(RecipientAdmin):
    list_display = ("name", "resource_type", "parent", "location", "created")
    list_filter = (
        ("resource", ChoicesDropdownFilter),
        ("location", RelatedFilter),
    )
    list_select_related = ("organization", "parent", "location")
    readonly_fields = ("children_count", *RecipientAdmin.readonly_fields)
    trackers_by = "destination_contact__groups"
    main_fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "resource"),
                    ("parent", "location"),
                    ("children_count", "inbound_trackers", "outbound_trackers"),
                )
            },
        ),
    )

    @display(description="Resource", label=True)
    def resource_type(self, group: Group) -> str:
        return group.get_resource_display()

    @display(description="Subgroups")
    def children_count(self, group: Group) -> str:
        return f"{group.children.count():,}"


@admin.register(Location)
class LocationAdmin(LogisticsAdmin):
    list_display = ("name_and_address", "code", "email", "services", "last_audited_at", "created")
    main_fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "code"),
                    ("email", "terminal_location"),
                    "last_audited_at",
                    "address",
                )
            },
        ),
        (
            "Opening hours",
            {
                "classes": ("tab",),
                "fields": (("operating_hours", "holidays"), "pickup_types", "kiosk_message"),
            },
        ),
        (
            "Services",
            {
                "classes": ("tab",),
                "fields": (("service_levels", "provider_instructions"), "marketplace", "users"),
            },
        ),
    )

    @display(description="Location", header=True)
    def name_and_address(self, location: Location) -> tuple[str, str]:
        lines = texts_of(location.address, "line1", "postal_code", "city")
        return location.name, ", ".join(lines) or EMPTY

    @display(description="Carriers")
    def services(self, location: Location) -> str:
        levels = location.service_levels
        listed = levels if isinstance(levels, list) else []
        carriers = {text for level in listed for text in texts_of(level, "provider")}
        return ", ".join(sorted(carriers)) or EMPTY
