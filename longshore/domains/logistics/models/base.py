"""The base class of logistics records."""

from typing import ClassVar

from django.db import models
from django.utils import timezone

from longshore.accounts.models import Organization
from longshore.resources.fields import text


class Record(models.Model):
    """A record of an organization. Subclasses add `id`, `search_text` and their own fields."""

    # Every subclass has composite indexes that begin with the organization.
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    external_id = text("Id of the record in the organization's own systems.")
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    updated_by = text("Id of the user or API key that last changed the record.")

    class Meta:
        abstract = True
        ordering = ("-created_at",)
        # For lists of the records of all organizations by days.
        indexes: ClassVar[tuple[models.Index, ...]] = (
            models.Index(fields=["created_at", "id"], name="%(class)s_by_day"),
        )


# Django sorts fields by this counter: place these fields after the fields of subclasses.
for _field in Record._meta.local_fields:
    _field.creation_counter += 1_000_000
