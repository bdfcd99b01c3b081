"""Fixtures that return the ids that filters select."""

from collections.abc import Mapping
from typing import Any, Protocol

import pytest
from django.db import connection
from psycopg import sql

from longshore.accounts.models import Organization
from longshore.resources.conditions import where
from longshore.resources.filters import Selection, parse_options
from longshore.resources.predicates import parse_selection
from longshore.resources.registry import Resource, registry
from longshore.resources.timezones import Zone


class Select(Protocol):
    """Returns the ids of an organization's records that filters select; acme's by default."""

    def __call__(
        self,
        resource: Resource | str,
        filters: Mapping[str, Any],
        zone: str = "UTC",
        organization: Organization | None = None,
    ) -> set[str]: ...


@pytest.fixture
def select(acme: Organization) -> Select:
    """Select by the `options` of a request."""

    def run(
        resource: Resource | str,
        filters: Mapping[str, Any],
        zone: str = "UTC",
        organization: Organization | None = None,
    ) -> set[str]:
        found = _resource(resource)
        selection, problems = parse_options(found, filters, Zone(zone))
        assert problems == []
        return _ids(found, selection, organization or acme)

    return run


@pytest.fixture
def match(acme: Organization) -> Select:
    """Select by the `filters` of a request."""

    def run(
        resource: Resource | str,
        filters: Mapping[str, Any],
        zone: str = "UTC",
        organization: Organization | None = None,
    ) -> set[str]:
        found = _resource(resource)
        selection, problems = parse_selection(found, {}, filters, Zone(zone))
        assert problems == []
        return _ids(found, selection, organization or acme)

    return run


def _resource(resource: Resource | str) -> Resource:
    found = registry.get(resource) if isinstance(resource, str) else resource
    assert found is not None
    return found


def _ids(resource: Resource, selection: Selection, organization: Organization) -> set[str]:
    query = sql.SQL("SELECT id FROM {} AS {} WHERE {}").format(
        sql.Identifier(resource.model._meta.db_table),
        sql.Identifier("row"),
        where(resource, organization.pk, selection.conditions, "row"),
    )
    with connection.cursor() as cursor:
        cursor.execute(query.as_string(None))
        return {row[0] for row in cursor.fetchall()}
