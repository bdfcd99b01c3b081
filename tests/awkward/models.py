"""Models as other projects have them: own tenants, no tenants, schemas, inheritance, odd types."""

from typing import Any, ClassVar

from django.apps.registry import Apps
from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.fields import ArrayField, HStoreField
from django.db import models
from django.db.migrations.state import AppConfigStub
from django.db.models import Q

from longshore.accounts.models import Organization
from longshore.resources.columns import field_column
from longshore.resources.registry import Resource
from longshore.resources.relations import Relation

# Only these models: the global registry keeps the relations of organizations.
APPS = Apps([AppConfigStub("awkward")])
APPS.register_model("longshore_accounts", Organization)
APPS.register_model("contenttypes", ContentType)


class Awkward(models.Model):
    """Base of the models: their own app registry, and a typed manager."""

    objects: ClassVar[models.Manager[Any]] = models.Manager()

    class Meta:
        abstract = True
        apps = APPS
        app_label = "awkward"

    def __str__(self) -> str:
        return str(self.pk)


class Team(Awkward):
    """A tenant of its own, which a link model connects to an organization."""

    name = models.CharField(max_length=40)


class TeamLink(Awkward):
    team = models.OneToOneField(
        Team, on_delete=models.CASCADE, related_name="longshore", primary_key=True
    )
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")


class Country(Awkward):
    """A lookup table that all organizations share. Its key has another name, and it has no date."""

    code = models.CharField(max_length=2, primary_key=True)
    name = models.CharField(max_length=40)


class Ticket(Awkward):
    number = models.AutoField(primary_key=True, db_column="Ticket No")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="tickets")
    country = models.ForeignKey(Country, null=True, on_delete=models.SET_NULL, related_name="+")
    title = models.CharField(max_length=40)


class TeamProfile(Awkward):
    """A record that belongs to an organization by the reverse of a one-to-one relation."""

    team = models.OneToOneField(Team, on_delete=models.CASCADE, related_name="profile")
    motto = models.CharField(max_length=40)


class Invoice(Awkward):
    """A table in another schema, with a key by another column."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    number = models.CharField(max_length=20)
    issued = models.DateField()

    class Meta(Awkward.Meta):
        abstract = False
        db_table = '"legacy"."invoice"'
        constraints: ClassVar = [
            models.UniqueConstraint("organization", "number", name="invoice_number"),
            models.UniqueConstraint(fields=["organization", "number"], name="invoice_fields"),
        ]


class InvoiceLine(Awkward):
    invoice = models.ForeignKey(Invoice, on_delete=models.CASCADE, related_name="lines")
    text = models.CharField(max_length=40)

    class Meta(Awkward.Meta):
        abstract = False
        db_table = '"legacy"."invoice_line"'


class Shown(models.Manager[Any]):
    def get_queryset(self) -> models.QuerySet[Any]:
        return super().get_queryset().filter(deleted_at=None)


class Place(Awkward):
    """The parent of multi-table inheritance, with soft deletes."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=40)
    deleted_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()

    objects: ClassVar[models.Manager[Any]] = Shown()


class Restaurant(Place):
    """A child with a table of its own."""

    stars = models.IntegerField()

    class Meta(Awkward.Meta):
        abstract = False


class Bistro(Restaurant):
    """A grandchild."""

    chef = models.CharField(max_length=40)

    class Meta(Awkward.Meta):
        abstract = False


class Dish(Awkward):
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    bistro = models.ForeignKey(Bistro, on_delete=models.CASCADE, related_name="dishes")
    name = models.CharField(max_length=40)
    created_at = models.DateTimeField(auto_now_add=True)


class Seat(Awkward):
    pk = models.CompositePrimaryKey("place_id", "number")
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    place = models.ForeignKey(Place, on_delete=models.CASCADE, related_name="seats")
    number = models.IntegerField()


class Note(Awkward):
    """A record whose only owner is a generic foreign key."""

    content_type = models.ForeignKey(ContentType, on_delete=models.CASCADE, related_name="+")
    object_id = models.TextField()
    content_object = GenericForeignKey()
    text = models.TextField()


class Noted(Awkward):
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    limit = models.IntegerField()
    order_by = models.IntegerField()
    direction = models.IntegerField()
    notes = GenericRelation(Note)
    created_at = models.DateTimeField(auto_now_add=True)


class Mood(models.CharField):  # type: ignore[type-arg]
    """A native enum that Django takes for a text, and whose name begins like one."""

    def db_type(self, connection: object) -> str:
        return "text_mood"


class LocalTime(models.DateTimeField):  # type: ignore[type-arg]
    """A column of the type `timestamp without time zone`."""

    def db_type(self, connection: object) -> str:
        return "timestamp"


class Typed(Awkward):
    """A record with the types that most projects do not have."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    mood = Mood(max_length=10, choices=(("happy", "Happy"), ("sad", "Sad")), null=True)
    free_mood = Mood(max_length=10, null=True, blank=True)
    matrix = ArrayField(ArrayField(models.IntegerField()), null=True)
    moments = ArrayField(models.DateTimeField(), null=True)
    days = ArrayField(models.DateField(), null=True)
    flags = ArrayField(models.BooleanField(), null=True)
    moods = ArrayField(Mood(max_length=10), null=True)
    blobs = ArrayField(models.BinaryField(), null=True)
    local = LocalTime(null=True)
    blob = models.BinaryField(null=True, editable=True)
    attributes = HStoreField(null=True)
    password = models.CharField(max_length=80, default="hash")


class Bare(Awkward):
    """A model whose database has another type than Django believes, as after `inspectdb`."""

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    mood = models.TextField()
    at = models.DateTimeField()

    class Meta(Awkward.Meta):
        abstract = False
        managed = False
        db_table = "awkward_bare"


TEAM = Resource("team", "teams", Team, organization="longshore__organization", date_field=None)
TICKET = Resource(
    "ticket",
    "tickets",
    Ticket,
    organization="team__longshore__organization",
    date_field=None,
    relations=(
        Relation("team", fields=("id", "name")),
        Relation("country", fields=("code", "name")),
    ),
    includes=("team", "country"),
)
PROFILE = Resource(
    "team_profile",
    "team_profiles",
    TeamProfile,
    organization="team__longshore__organization",
    date_field=None,
)
COUNTRY = Resource("country", "countries", Country, organization=None, date_field=None)
INVOICE = Resource(
    "invoice",
    "invoices",
    Invoice,
    date_field="issued",
    relations=(Relation("lines", label="text", fields=("id", "text"), singular="line"),),
    writable_relations=("lines",),
    key=("number",),
)
PLACE = Resource("place", "places", Place, date_field="opened_at", where=Q(deleted_at=None))
BISTRO = Resource(
    "bistro",
    "bistros",
    Bistro,
    date_field="opened_at",
    where=Q(deleted_at=None),
    relations=(Relation("dishes"),),
    includes=("dishes",),
)
DISH = Resource(
    "dish",
    "dishes",
    Dish,
    relations=(Relation("bistro", label="name", fields=("place_ptr_id", "name", "stars")),),
    includes=("bistro",),
)
TYPED = Resource("typed", "typeds", Typed, date_field="local")
NOTED = Resource(
    "noted",
    "noteds",
    Noted,
    hidden=frozenset({"limit", "order_by", "direction"}),
    columns=(
        field_column(Noted, "limit", called="most"),
        field_column(Noted, "order_by", called="sorted_by"),
        field_column(Noted, "direction", called="towards"),
    ),
)
RESOURCES = (TEAM, TICKET, PROFILE, COUNTRY, INVOICE, PLACE, BISTRO, DISH, TYPED, NOTED)
MODELS = (
    *(Team, TeamLink, Country, Ticket, TeamProfile, Invoice, InvoiceLine, Place, Restaurant),
    *(Bistro, Dish, Seat, Note, Noted, Typed),
)
