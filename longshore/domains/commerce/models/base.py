"""What all commerce records have in common."""

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone

from longshore.accounts.models import Organization
from longshore.resources.fields import link, text


def cents(help_text: str = "") -> "models.BigIntegerField[Any, Any]":
    """An amount in the hundredths of `currency_code`, or in whatever its smallest unit is."""
    return models.BigIntegerField(default=0, help_text=help_text)


def optional_cents(help_text: str = "") -> "models.BigIntegerField[Any, Any]":
    """An amount as of `cents`, or null where there is none."""
    return models.BigIntegerField(null=True, blank=True, help_text=help_text)


def currency() -> "models.CharField[str, str]":
    return models.CharField(max_length=3, default="USD", help_text="ISO 4217.")


def count(help_text: str = "", default: int = 0) -> "models.PositiveIntegerField[Any, Any]":
    return models.PositiveIntegerField(default=default, help_text=help_text)


def moment(help_text: str = "") -> "models.DateTimeField[Any, Any]":
    """A time that may not have come."""
    return models.DateTimeField(null=True, blank=True, help_text=help_text)


def flag(help_text: str = "", *, default: bool = False) -> "models.BooleanField[Any, Any]":
    return models.BooleanField(default=default, help_text=help_text)


def one_of(
    choices: type[models.TextChoices], default: str, db_collation: str | None = None
) -> "models.CharField[Any, Any]":
    """One of a few words. Lists are in the order of its bytes: an index serves it with "C"."""
    return models.CharField(
        max_length=30, choices=choices.choices, default=default, db_collation=db_collation
    )


def part_of(to: str | type[models.Model], related_name: str) -> "models.ForeignKey[Any, Any]":
    """The record without which this one would not be."""
    return models.ForeignKey(to, on_delete=models.CASCADE, related_name=related_name)


def related(
    to: str | type[models.Model], related_name: str, help_text: str = ""
) -> "models.ForeignKey[Any, Any]":
    """An optional relation that outlives the other record."""
    return link(to, related_name, help_text, db_index=True)


def by(*fields: str) -> models.Index:
    """An index of an organization's records by some of their fields."""
    return models.Index(
        fields=["organization", *fields], name=f"%(class)s_{fields[0].removesuffix('_id')[:8]}"
    )


def only_one(field: str) -> models.UniqueConstraint:
    """No two records of an organization have the same value."""
    return models.UniqueConstraint(
        fields=["organization", field], name=f"%(class)s_has_its_own_{field}"
    )


class Record(models.Model):
    """A record of an organization; the models add `id` and their own fields."""

    # Every model has an index that begins with the organization.
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    reference = text("What the record is called in the organization's own systems.")
    reference_origin = text("Which of these systems that is.")
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True
        ordering = ("-created_at",)
        indexes: ClassVar[tuple[models.Index, ...]] = (
            models.Index(fields=["organization", "created_at"], name="%(class)s_newest"),
        )


# A model's fields come in the order of this counter: these follow the model's own.
for _field in Record._meta.local_fields:
    _field.creation_counter += 1_000_000
