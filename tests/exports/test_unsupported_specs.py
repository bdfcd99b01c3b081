"""Exports whose stored request is not supported any more: another version, or removed names."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from exports.execution import runner
from exports.models import Export, Status
from exports.request.parser import parse_export
from exports.spec import ExportSpec, OutputColumn
from exports.sql.declared_names import check_names
from longshore.accounts.models import Organization
from longshore.jobs.specs import ObsoleteSpec
from longshore.resources.filters import Ordering, Selection
from tests.conftest import KeyClient
from tests.exports.conftest import export_of

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("static_files")]

TEXT = "version 99 of the stored spec is not supported; the supported version is 1"


def age(export: Export) -> None:
    """Change the version of the stored spec of an export."""
    Export.objects.filter(pk=export.pk).update(spec=export.spec | {"version": 99})


def test_the_manifest_of_an_unsupported_spec_is_refused(alice: KeyClient, queued: Export) -> None:
    runner.run(queued.pk)
    age(queued)
    response = alice.get(f"/v1/exports/{queued.public_id}/manifest")
    assert response.status_code == 409
    body = response.json()
    assert body["error"] == "obsolete_spec"
    assert TEXT in body["message"]
    assert body["details"] == {"version": 99, "supported": ExportSpec.version}


def test_an_export_of_an_unsupported_spec_is_not_retried(alice: KeyClient, queued: Export) -> None:
    age(queued)
    Export.objects.update(status=Status.FAILED)
    response = alice.post(f"/v1/exports/{queued.public_id}/retry")
    assert (response.status_code, response.json()["error"]) == (409, "obsolete_spec")
    assert TEXT in response.json()["message"]
    queued.refresh_from_db()
    assert queued.status == Status.FAILED


REQUEST: dict[str, Any] = {
    "resource": "contact",
    "includes": ["groups.location"],
    "fields": ["name", "groups.name", "groups.location.name"],
    "format": "json",
    "options": {"email": "a", "location.name": "b", "metadata.key": "c", "order_by": "name"},
    "filters": {"phone_or_notes_cont": "d"},
}


def changed(spec: Any, old: str, new: str) -> Any:
    """Return a stored spec whose texts that equal `old` are replaced."""
    if isinstance(spec, dict):
        return {name: changed(value, old, new) for name, value in spec.items()}
    if isinstance(spec, list | tuple):
        return [changed(value, old, new) for value in spec]
    return new if spec == old else spec


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ("contact", "dinosaur", "the resource 'dinosaur' does not exist any more"),
        ("json", "yaml", "the format 'yaml' does not exist any more"),
        ("name", "gone", "the column 'gone' of group does not exist any more"),
        ("groups", "gone", "the column 'gone' of contact does not exist any more"),
        ("location", "gone", "the column 'gone' of group does not exist any more"),
        ("email", "gone", "the column 'gone' of contact does not exist any more"),
        ("location.name", "location.gone", "the column 'location.gone' of contact does not exist"),
        ("location.name", "gone.name", "the column 'gone.name' of contact does not exist any more"),
        ("metadata.key", "gone.key", "the column 'gone.key' of contact does not exist any more"),
        ("notes", "gone", "the column 'gone' of contact does not exist any more"),
    ],
)
def test_an_export_that_names_what_was_removed_fails_at_once_and_is_not_retried(
    alice: KeyClient, acme: Organization, old: str, new: str, text: str
) -> None:
    export = export_of(acme, REQUEST)
    check_names(export.parsed_spec())
    Export.objects.filter(pk=export.pk).update(spec=changed(export.spec, old, new))
    runner.run(export.pk)
    export.refresh_from_db()
    assert export.status == Status.FAILED
    assert export.error is not None
    assert export.error["error"] == "obsolete_spec"
    assert text in export.error["message"]
    response = alice.post(f"/v1/exports/{export.public_id}/retry")
    assert (response.status_code, response.json()["error"]) == (409, "obsolete_spec")
    assert response.json()["message"] == export.error["message"]


@pytest.mark.parametrize("place", ["columns", "selection.ordering"])
def test_a_removed_column_is_named(place: str) -> None:
    spec = parse_export({"resource": "contact", "options": {"order_by": "name"}})
    if place == "columns":
        spec = replace(spec, columns=(OutputColumn("gone", "Gone"),))
    else:
        spec = replace(spec, selection=Selection(ordering=(Ordering("gone"),)))
    with pytest.raises(ObsoleteSpec, match="the column 'gone' of contact does not exist any more"):
        check_names(spec)


def test_the_admin_shows_an_export_of_an_unsupported_spec(
    admin_client: Client, queued: Export
) -> None:
    age(queued)
    page = admin_client.get(reverse("admin:exports_export_change", args=[queued.pk]))
    assert page.status_code == 200
    assert f"Unknown: {TEXT}" in page.content.decode()
