"""A plain model with a field of every type; the fixture `samples` creates its table."""

from typing import ClassVar

from django.apps.registry import Apps
from django.contrib.postgres.fields import ArrayField
from django.db import models

from longshore.accounts.models import Organization
from longshore.resources.registry import Resource

# A separate app registry: organizations of other tests have no relation to this table.
APPS = Apps()
APPS.register_model("longshore_accounts", Organization)


class Sample(models.Model):
    """A record with a field of every type."""

    id = models.CharField(max_length=40, primary_key=True)
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    text = models.TextField(null=True)  # noqa: DJ001
    integer = models.BigIntegerField(null=True)
    decimal = models.DecimalField(max_digits=30, decimal_places=10, null=True)
    float = models.FloatField(null=True)
    boolean = models.BooleanField(null=True)
    date = models.DateField(null=True)
    datetime = models.DateTimeField(null=True)
    list = ArrayField(models.TextField(), null=True)
    json = models.JSONField(null=True)
    uuid = models.UUIDField(null=True)
    address = models.GenericIPAddressField(null=True)
    duration = models.DurationField(null=True)

    # The type checker declares the manager of models of installed apps only.
    objects: ClassVar[models.Manager["Sample"]] = models.Manager()

    class Meta:
        apps = APPS
        app_label = "tests"

    def __str__(self) -> str:
        return self.id


SAMPLE = Resource("sample", "samples", Sample, date_field="datetime", search="text")
