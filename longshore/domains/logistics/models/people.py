"""Contacts, the parties of parcels, and their groups."""

from django.db import models

from longshore.domains.logistics.models.base import Record
from longshore.domains.logistics.models.places import Location
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


class GroupResource(models.TextChoices):
    """The type of records in a group."""

    CONTACT = "contact"
    LOCATION = "location"
    ITEM = "item"


class Group(Record):
    """A named set of records, such as a department, a customer or a team; groups may be nested."""

    id = id_field("grp")
    name = models.TextField()
    resource = models.CharField(
        max_length=20, choices=GroupResource.choices, default=GroupResource.CONTACT
    )
    location = link(Location, "groups")
    parent = link("self", "children")
    search_text = search_field("name", "external_id")

    class Meta(Record.Meta):
        indexes = (
            *Record.Meta.indexes,
            models.Index(fields=["organization", "name"], name="group_by_name"),
            sorted_index("name", "group_in_order_of_name"),
            models.Index(fields=["organization", "created_at"], name="group_by_creation"),
            link_index("location", "group_by_location"),
            link_index("parent", "group_by_parent"),
            search_index("group_by_words"),
        )
        constraints = (
            models.CheckConstraint(
                condition=models.Q(parent__isnull=True) | ~models.Q(parent=models.F("id")),
                name="group_is_not_its_own_parent",
                violation_error_message="A group cannot be its own parent.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class Contact(Record):
    """A person or an organization that parcels come from or go to."""

    id = id_field("ctct")
    name = models.TextField(blank=True)
    nickname = text()
    alternate_names = texts("Other names that appear on labels.")
    email = text()
    alternate_emails = texts()
    phone = text("International format: +14155550123.")
    alternate_phones = texts()
    id_number = text("Employee, student or customer number.")
    address = json_object("Delivery address: {line1, line2, city, state, postal_code, country}.")
    secondary_address = json_object("Delivery address when the first one is closed.")
    alternate_addresses = json_list("Further addresses.")
    groups: "models.ManyToManyField[Group, ContactGroup]" = models.ManyToManyField(
        Group, through="ContactGroup", related_name="contacts", blank=True
    )
    locations: "models.ManyToManyField[Location, ContactLocation]" = models.ManyToManyField(
        Location, through="ContactLocation", related_name="contacts", blank=True
    )
    location = link(Location, "primary_contacts", "Primary location of the contact.")
    is_primary = models.BooleanField(
        default=False, help_text="Receives parcels to the location that name no recipient."
    )
    notes = text()
    experimental = json_object("Experimental settings: {setting: value}.")
    search_text = search_field("name", "nickname", "email", "phone", "id_number")

    class Meta(Record.Meta):
        indexes = (
            *Record.Meta.indexes,
            models.Index(fields=["organization", "name"], name="contact_by_name"),
            models.Index(fields=["organization", "created_at"], name="contact_by_creation"),
            models.Index(fields=["organization", "email"], name="contact_by_email"),
            link_index("location", "contact_by_location"),
            sorted_index("name", "contact_in_order_of_name"),
            sorted_index("email", "contact_in_order_of_email"),
            search_index("contact_by_words"),
        )

    def __str__(self) -> str:
        return self.name or self.email or self.id


class ContactGroup(models.Model):
    """A contact's membership in a group."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, db_index=False)
    group = models.ForeignKey(Group, on_delete=models.CASCADE, db_index=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["contact", "group"], name="contact_is_in_a_group_only_once"
            ),
        )
        indexes = (models.Index(fields=["group", "contact"], name="contact_group_by_group"),)

    def __str__(self) -> str:
        return f"{self.contact} in {self.group}"


class ContactLocation(models.Model):
    """A contact's place of work or residence."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, db_index=False)
    location = models.ForeignKey(Location, on_delete=models.CASCADE, db_index=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["contact", "location"], name="contact_is_at_a_location_only_once"
            ),
        )
        indexes = (models.Index(fields=["location", "contact"], name="contact_location_by_place"),)

    def __str__(self) -> str:
        return f"{self.contact} at {self.location}"
