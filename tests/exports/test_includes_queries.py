"""Includes: the number of queries, their plans, and their tenant conditions."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.utils import timezone

from exports.models import Export, ExportFile
from exports.request.parser import parse_export
from exports.sql.compiler import compile_export
from longshore.accounts.models import Organization
from longshore.domains.logistics.models import Contact, Group
from longshore.resources.registry import Registry, Resource
from tests.exports.related import (
    fill,
    objects,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_number_of_queries_is_independent_of_the_records(
    acme: Organization, globex: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []
    for _ in range(2):
        fill(acme, globex)
        statements: list[str] = []
        execute = psycopg.Connection.execute

        def counted(self: Any, query: Any, *args: Any, **kwargs: Any) -> Any:
            statements.append(str(query))  # noqa: B023
            return execute(self, query, *args, **kwargs)  # noqa: B023

        with monkeypatch.context() as patched:
            patched.setattr(psycopg.Connection, "execute", counted)
            assert objects(acme, "shipment", includes=["destination_contact.groups.location"])
        counts.append(len(statements))
    assert counts[0] == counts[1] > 0


@pytest.mark.parametrize(("file_format", "alias"), [("json", "row1_groups"), ("csv", "row_groups")])
def test_a_shared_related_record_is_computed_once(
    file_format: str, alias: str, acme: Organization
) -> None:
    crew = Group.objects.create(organization=acme, name="Crew")
    contacts = Contact.objects.bulk_create(
        Contact(organization=acme, name=f"Contact {number}") for number in range(2000)
    )
    links = Contact.groups.through.objects
    links.bulk_create(Contact.groups.through(contact=each, group=crew) for each in contacts)
    spec = parse_export({"resource": "contact", "format": file_format, "includes": ["groups"]})
    query = compile_export(spec, acme.pk).query.as_string(None)
    with connection.cursor() as cursor:
        cursor.execute(
            "ANALYZE longshore_logistics_contact, longshore_logistics_group, "
            "longshore_logistics_contactgroup"
        )
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {query}")
        [(plans,)] = cursor.fetchall()
    loops = [each["Actual Loops"] for each in scans(plans[0]["Plan"], alias)]
    assert loops == [1]


def scans(plan: dict[str, Any], alias: str) -> Iterator[dict[str, Any]]:
    """Yield the steps of a plan that read the table with this alias."""
    if plan.get("Alias") == alias and "Relation Name" in plan:
        yield plan
    for inner in plan.get("Plans", ()):
        yield from scans(inner, alias)


def test_the_tenant_condition_is_not_repeated_for_records_owned_through_their_parent(
    own_registry: Registry, acme: Organization, globex: Organization
) -> None:
    hidden = frozenset({"request", "spec", "failure"})
    own_registry.register(Resource("job", "jobs", Export, includes=("files",), hidden=hidden))
    own_registry.register(
        Resource(
            *("file", "files", ExportFile),
            organization="export__organization",
            includes=("export.files",),
        )
    )
    for number, owner in enumerate((acme, globex)):
        export = Export.objects.create(
            organization=owner, request={}, spec={}, expires_at=timezone.now()
        )
        ExportFile.objects.create(
            export=export, name=owner.slug, storage_key=str(number), rows=0, bytes=0
        )
    spec = parse_export({"resource": "job", "format": "json", "includes": ["files"]})
    assert compile_export(spec, acme.pk).query.as_string(None).count('organization_id" = ') == 1
    body: dict[str, Any] = {"options": {}}
    for owner in (acme, globex):
        [job] = objects(owner, "job", fields=["files.name"], **body)
        assert job == {"files": [{"name": owner.slug}]}
        [file] = objects(owner, "file", fields=["name", "export.files.name"], **body)
        assert file == {"name": owner.slug, "export": job}
