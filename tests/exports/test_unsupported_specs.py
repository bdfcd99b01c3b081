"""Exports that another version of Longshore stored, in a form that this one does not read."""

import pytest
from django.test import Client
from django.urls import reverse

from exports.execution import runner
from exports.models import Export, Status
from exports.spec import SPEC_VERSION
from tests.conftest import KeyClient

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("static_files")]

TEXT = f"version 99 of the stored spec is not supported; the supported version is {SPEC_VERSION}"


def age(export: Export) -> None:
    """Change the version of the stored spec of an export."""
    Export.objects.filter(pk=export.pk).update(spec=export.spec | {"version": 99})


def test_the_manifest_of_an_unsupported_spec_is_refused(alice: KeyClient, queued: Export) -> None:
    runner.run(queued.pk)
    age(queued)
    answer = alice.get(f"/v1/exports/{queued.public_id}/manifest")
    assert answer.status_code == 409
    body = answer.json()
    assert body["error"] == "invalid_status"
    assert TEXT in body["message"]
    assert body["details"] == {"version": 99, "supported": SPEC_VERSION}


def test_an_export_of_an_unsupported_spec_is_not_retried(alice: KeyClient, queued: Export) -> None:
    age(queued)
    Export.objects.update(status=Status.FAILED)
    answer = alice.post(f"/v1/exports/{queued.public_id}/retry")
    assert (answer.status_code, answer.json()["error"]) == (409, "invalid_status")
    assert TEXT in answer.json()["message"]
    queued.refresh_from_db()
    assert queued.status == Status.FAILED


def test_the_admin_shows_an_export_of_an_unsupported_spec(
    admin_client: Client, queued: Export
) -> None:
    age(queued)
    page = admin_client.get(reverse("admin:exports_export_change", args=[queued.pk]))
    assert page.status_code == 200
    assert f"Unknown: {TEXT}" in page.content.decode()
