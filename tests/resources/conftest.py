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
        return ids(query(found, selection, organization or acme))

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
        return ids(matching(_resource(resource), filters, organization or acme, zone))

    return run


def matching(
    resource: Resource, filters: Mapping[str, Any], organization: Organization, zone: str = "UTC"
) -> str:
    """Return the query of an organization's records that the `filters` of a request select."""
    selection, problems = parse_selection(resource, {}, filters, Zone(zone))
    assert problems == []
    return query(resource, selection, organization)


def _resource(resource: Resource | str) -> Resource:
    found = registry.get(resource) if isinstance(resource, str) else resource
    assert found is not None
    return found


def query(resource: Resource, selection: Selection, organization: Organization) -> str:
    statement = sql.SQL("SELECT id FROM {} AS {} WHERE {}").format(
        sql.Identifier(resource.model._meta.db_table),
        sql.Identifier("row"),
        where(resource, organization.pk, selection.conditions, "row"),
    )
    return statement.as_string(None)


def ids(statement: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return {row[0] for row in cursor.fetchall()}
