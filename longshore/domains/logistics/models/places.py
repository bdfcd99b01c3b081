"""Locations: warehouses, offices and other facilities."""

from django.db import models
from django.db.models.fields.json import KT

from longshore.domains.logistics.models.base import Record
from longshore.resources.fields import (
    id_field,
    json_list,
    json_object,
    link,
    link_index,
    search_field,
    search_index,
    sorted_index,
    text,
    texts,
)


class Location(Record):
    """A warehouse, an office or any other facility."""

    id = id_field("loc")
    name = models.TextField()
    code = text("Short code on signs and labels.")
    email = text()
    address = json_object()
    service_levels = json_list("Offered services: [{id, name, provider}].")
    provider_instructions = json_object("Instructions for carriers: {carrier: text}.")
    operating_hours = json_object("{day: {active, open, close}}, in local time.")
    holidays = json_list("Days off: [{name, date}].")
    users = json_list("Users who work at the location: [{id, name, email}].")
    kiosk_message = text("Message to visitors at the kiosk.")
    pickup_types = texts("Ways to collect parcels: counter, locker, curbside.")
    marketplace = json_object("Public listing: {listed, title}.")
    terminal_location = link(
        "self", "feeders", "Location where parcels of this location are consolidated."
    )
    last_audited_at = models.DateTimeField(null=True, blank=True)
    search_text = search_field("name", "code", "email", KT("address__city"))

    class Meta(Record.Meta):
        indexes = (
            *Record.Meta.indexes,
            models.Index(fields=["organization", "name"], name="location_by_name"),
            sorted_index("name", "location_in_order_of_name"),
            models.Index(fields=["organization", "created_at"], name="location_by_creation"),
            link_index("terminal_location", "location_by_terminal"),
            search_index("location_by_words"),
        )

    def __str__(self) -> str:
        return self.name
