"""The base class of commerce records, and their common fields and indexes."""

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from longshore.accounts.models import Organization
from longshore.resources.fields import link, text


def cents(help_text: str = "") -> "models.BigIntegerField[Any, Any]":
    """Return a field for an amount in minor units of `currency_code`."""
    return models.BigIntegerField(default=0, help_text=help_text)


def optional_cents(help_text: str = "") -> "models.BigIntegerField[Any, Any]":
    """Return a field for an optional amount in minor units of `currency_code`."""
    return models.BigIntegerField(null=True, blank=True, help_text=help_text)


def currency() -> "models.CharField[str, str]":
    """Return a field for a currency code."""
    return models.CharField(max_length=3, default="USD", help_text="ISO 4217 code.")


def count(help_text: str = "", default: int = 0) -> "models.PositiveIntegerField[Any, Any]":
    """Return a field for a non-negative number."""
    return models.PositiveIntegerField(default=default, help_text=help_text)


def moment(help_text: str = "") -> "models.DateTimeField[Any, Any]":
    """Return a field for an optional datetime."""
    return models.DateTimeField(null=True, blank=True, help_text=help_text)


def flag(help_text: str = "", *, default: bool = False) -> "models.BooleanField[Any, Any]":
    """Return a boolean field."""
    return models.BooleanField(default=default, help_text=help_text)


def one_of(
    choices: type[models.TextChoices], default: str, db_collation: str | None = None
) -> "models.CharField[Any, Any]":
    """Return a field for one of the choices.

    db_collation: "C" if an index serves lists in the order of the field: choices sort by bytes.
    """
    return models.CharField(
        max_length=30, choices=choices.choices, default=default, db_collation=db_collation
    )


def part_of(to: str | type[models.Model], related_name: str) -> "models.ForeignKey[Any, Any]":
    """Return a required foreign key to the record that this one is part of."""
    return models.ForeignKey(to, on_delete=models.CASCADE, related_name=related_name)


def related(
    to: str | type[models.Model], related_name: str, help_text: str = ""
) -> "models.ForeignKey[Any, Any]":
    """Return an optional foreign key that becomes null when the other record is deleted."""
    return link(to, related_name, help_text, db_index=True)


def by(*fields: str) -> models.Index:
    """Return an index of an organization's records by the given fields."""
    return models.Index(
        fields=["organization", *fields], name=f"%(class)s_{fields[0].removesuffix('_id')[:8]}"
    )


def only_one(field: str) -> models.UniqueConstraint:
    """Return a constraint: the field is unique within an organization."""
    return models.UniqueConstraint(
        fields=["organization", field], name=f"%(class)s_has_its_own_{field}"
    )


class Record(models.Model):
    """A record of an organization. Subclasses add `id` and their own fields."""

    # Every subclass has an index that begins with the organization.
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    reference = text("Id of the record in the organization's own systems.")
    reference_origin = text("Name of the system that uses the reference.")
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True
        ordering = ("-created_at",)
        indexes: ClassVar[tuple[models.Index, ...]] = (
            models.Index(fields=["organization", "created_at"], name="%(class)s_newest"),
            # For lists of the records of all organizations by days.
            models.Index(fields=["created_at", "id"], name="%(class)s_days"),
        )


# Django sorts fields by this counter: place these fields after the fields of subclasses.
for _field in Record._meta.local_fields:
    _field.creation_counter += 1_000_000
