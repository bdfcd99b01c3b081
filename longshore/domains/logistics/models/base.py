"""What all logistics records have in common."""

from django.db import models
from django.utils import timezone

from longshore.accounts.models import Organization
from longshore.resources.fields import text


class Record(models.Model):
    """A record of an organization; the models add `id`, `search_text` and their own fields."""

    # Every model has composite indexes that begin with the organization.
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    external_id = text("What the record is called in the organization's own systems.")
    metadata = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    updated_by = text("Id of the user or key that changed the record last.")

    class Meta:
        abstract = True
        ordering = ("-created_at",)


# A model's fields come in the order of this counter: these follow the model's own.
for _field in Record._meta.local_fields:
    _field.creation_counter += 1_000_000
