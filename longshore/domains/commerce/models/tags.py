"""Tags."""

from django.db import models

from longshore.domains.commerce.models.base import Record, only_one
from longshore.resources.fields import id_field


class Tag(Record):
    """A label for any number of records."""

    id = id_field("tag")
    name = models.TextField()

    class Meta(Record.Meta):
        constraints = (only_one("name"),)

    def __str__(self) -> str:
        return self.name


class Taggable(Record):
    """A record with tags."""

    tags: "models.ManyToManyField[Tag, models.Model]" = models.ManyToManyField(
        Tag, related_name="+", blank=True
    )

    class Meta(Record.Meta):
        abstract = True
