"""Contacts, groups and locations in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.decorators import display

from resources.logistics.admin.records import BY_ORGANIZATION, NOTHING, RecordAdmin
from resources.logistics.models import Contact, Direction, Group, Location, Tracker


def _count(of: Contact | Group, rows: QuerySet[Any]) -> str:
    return NOTHING if of._state.adding else f"{rows.count():,}"


def _trackers(of: Contact | Group, type: Direction) -> str:
    to = {"destination_contact__groups" if isinstance(of, Group) else "destination_contact": of}
    return _count(of, Tracker.objects.filter(type=type, **to))


class GroupInline(TabularInline):
    model = Contact.groups.through
    autocomplete_fields = ("group",)
    verbose_name_plural = "Groups"
    extra = 0
    tab = True


class LocationInline(TabularInline):
    model = Contact.locations.through
    autocomplete_fields = ("location",)
    verbose_name_plural = "Locations"
    extra = 0
    tab = True


@admin.register(Contact)
class ContactAdmin(RecordAdmin):
    list_display = ("who", "phone", "in_groups", "at_locations", "is_primary", "owner", "created")
    list_filter = (BY_ORGANIZATION, "is_primary")
    inlines = (GroupInline, LocationInline)
    readonly_fields = ("inbound_trackers", "outbound_trackers")
    main_fieldsets = (
        (
            None,
            {
                "fields": (
                    ("name", "nickname"),
                    ("email", "phone"),
                    ("id_number", "is_primary"),
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
            "Also known as",
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
    def who(self, contact: Contact) -> tuple[str, str]:
        return str(contact), contact.email or NOTHING

    @display(description="Groups")
    def in_groups(self, contact: Contact) -> str:
        return ", ".join(map(str, contact.groups.all())) or NOTHING

    @display(description="Locations")
    def at_locations(self, contact: Contact) -> str:
        return ", ".join(map(str, contact.locations.all())) or NOTHING

    @display(description="Inbound trackers")
    def inbound_trackers(self, contact: Contact) -> str:
        return _trackers(contact, Direction.INBOUND)

    @display(description="Outbound trackers")
    def outbound_trackers(self, contact: Contact) -> str:
        return _trackers(contact, Direction.OUTBOUND)


@admin.register(Group)
class GroupAdmin(RecordAdmin):
    list_display = ("name", "gathers", "parent", "location", "owner", "created")
    list_filter = (
        BY_ORGANIZATION,
        ("resource", ChoicesDropdownFilter),
        ("location", AutocompleteSelectFilter),
    )
    list_select_related = ("organization", "parent", "location")
    readonly_fields = ("children_count", "inbound_trackers", "outbound_trackers")
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

    @display(description="Gathers", label=True)
    def gathers(self, group: Group) -> str:
        return group.get_resource_display()

    @display(description="Groups within")
    def children_count(self, group: Group) -> str:
        return _count(group, group.children.all())

    @display(description="Inbound trackers")
    def inbound_trackers(self, group: Group) -> str:
        return _trackers(group, Direction.INBOUND)

    @display(description="Outbound trackers")
    def outbound_trackers(self, group: Group) -> str:
        return _trackers(group, Direction.OUTBOUND)


@admin.register(Location)
class LocationAdmin(RecordAdmin):
    list_display = ("where", "code", "email", "services", "last_audited_at", "owner", "created")
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
            "Opening",
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
    def where(self, location: Location) -> tuple[str, str]:
        place = location.address or {}
        lines = (place.get("line1"), place.get("postal_code"), place.get("city"))
        return location.name, ", ".join(filter(None, lines)) or NOTHING

    @display(description="Carriers")
    def services(self, location: Location) -> str:
        carriers = {level.get("provider") for level in location.service_levels}
        return ", ".join(sorted(filter(None, carriers))) or NOTHING
