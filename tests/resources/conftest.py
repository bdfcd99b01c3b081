"""The ids that a filter selects."""

from collections.abc import Mapping
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from psycopg import sql

from accounts.models import Organization
from resources.conditions import where
from resources.filters import parse_options
from resources.registry import Resource, registry


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
