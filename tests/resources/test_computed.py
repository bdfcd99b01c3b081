"""Computed columns count records of the organization only."""

from django.db import connection
from psycopg import sql

from longshore.accounts.models import Organization
from longshore.resources.conditions import scope
from longshore.resources.registry import registry
from tests.factories import ContactFactory, GroupFactory, TrackerFactory


def test_computed_counts_ignore_records_of_another_organization(
    acme: Organization, globex: Organization
) -> None:
    group = GroupFactory.create(organization=acme)
    contact = ContactFactory.create(organization=acme)
    contact.groups.add(group)
    GroupFactory.create(organization=globex, parent=group)
    TrackerFactory.create(organization=globex, destination_contact=contact, type="inbound")
    for name in ("contact", "group"):
        resource = registry.get(name)
        assert resource is not None
        counts = [c for c in resource.columns if c.name.endswith(("_trackers", "_count"))]
        values = sql.SQL(", ").join(column.value("row") for column in counts)
        table = sql.Identifier(resource.model._meta.db_table)
        query = sql.SQL('SELECT {} FROM {} AS "row" WHERE {}').format(
            values, table, scope(resource, acme.pk, "row")
        )
        with connection.cursor() as cursor:
            cursor.execute(query.as_string(None))
            assert cursor.fetchall() == [(0,) * len(counts)]
