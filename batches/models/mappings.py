"""The table of saved mappings."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from longshore.accounts.models import Organization
from longshore.database.fields import OrderedJSONField
from longshore.jobs.models import public_id_field


class SavedMapping(models.Model):
    """A mapping of headers to targets that an organization named.

    mapping: header to target, or null to ignore the header.
    """

    public_id = public_id_field("map")
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    name = models.CharField(max_length=100)
    resource = models.CharField(max_length=100)
    mapping = OrderedJSONField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("name",)
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=("organization", "resource", "name"), name="saved_mapping_is_unique"
            )
        ]

    def __str__(self) -> str:
        return self.name
