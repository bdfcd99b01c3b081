"""A plain model with a column of every kind, and the ids that a filter selects."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Protocol
from zoneinfo import ZoneInfo

import pytest
from django.apps.registry import Apps
from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from psycopg import sql

from accounts.models import Organization
from resources.conditions import where
from resources.filters import parse_options
from resources.registry import Resource, registry

# A registry of its own: the other tests' organizations know nothing of this table.
APPS = Apps()
APPS.register_model("accounts", Organization)


class Sample(models.Model):
    """A record with a field of every kind."""

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

    # The type checker adds it to the models of installed apps only.
    objects: ClassVar[models.Manager["Sample"]] = models.Manager()

    class Meta:
        apps = APPS
        app_label = "tests"

    def __str__(self) -> str:
        return self.id


SAMPLE = Resource("sample", "samples", Sample, date_field="datetime", search="text")


@pytest.fixture
def samples(db: None) -> Iterator[None]:
    """The table of `Sample`."""
    with connection.schema_editor() as editor:
        editor.create_model(Sample)
        # What it defers would lock the table against its deletion.
        editor.deferred_sql.clear()
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {Sample._meta.db_table}")


class Select(Protocol):
    """The ids of an organization's records that `options` select; acme's unless told."""

    def __call__(
        self,
        resource: Resource | str,
        options: Mapping[str, Any],
        zone: str = "UTC",
        organization: Organization | None = None,
    ) -> set[str]: ...


@pytest.fixture
def select(acme: Organization) -> Select:
    def run(
        resource: Resource | str,
        options: Mapping[str, Any],
        zone: str = "UTC",
        organization: Organization | None = None,
    ) -> set[str]:
        found = registry.get(resource) if isinstance(resource, str) else resource
        assert found is not None
        selection, problems = parse_options(found, options, ZoneInfo(zone))
        assert problems == []
        tenant = (organization or acme).pk
        query = sql.SQL("SELECT id FROM {} AS {} WHERE {}").format(
            sql.Identifier(found.model._meta.db_table),
            sql.Identifier("row"),
            where(found, tenant, selection.conditions, "row"),
        )
        with connection.cursor() as cursor:
            cursor.execute(query.as_string(None))
            return {row[0] for row in cursor.fetchall()}

    return run
