"""The documented error examples of operations on exports equal the responses of the API."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from exports.api.error_examples import invalid_bodies
from exports.models import Export, Status
from exports.request.parser import parse_export
from longshore.accounts.models import Organization
from longshore.api.openapi import raised_errors
from longshore.domains.logistics.models import Contact
from longshore.resources.registry import Registry
from tests.api.examples import examples
from tests.conftest import KeyClient
from tests.exports.conftest import export_of

pytestmark = pytest.mark.django_db
CONTACTS: dict[str, Any] = {"resource": "contact"}


@pytest.fixture
def export(acme: Organization) -> Export:
    """A completed export of acme."""
    return export_of(
        acme, CONTACTS, status=Status.COMPLETED, completed_at=timezone.now(), records_count=4211
    )


@pytest.mark.slow
@pytest.mark.parametrize("body", list(invalid_bodies()), ids=str)
def test_example_of_an_invalid_request_equals_the_response(
    alice: KeyClient, body: dict[str, Any]
) -> None:
    for address, operation in (
        ("/v1/exports", "create_export"),
        ("/v1/exports/preview", "preview_export"),
    ):
        response = alice.post(address, body)
        assert response.status_code == 400
        assert response.json() in examples(operation, 400)


@pytest.mark.parametrize("include", ["friends", "name", "", "groups.friends"])
def test_examples_need_no_valid_includes(include: str, own_registry: Registry) -> None:
    contact = own_registry.get("contact")
    assert contact is not None
    for name in own_registry.names():
        own_registry.unregister(name)
    own_registry.register(replace(contact, includes=(include,)))
    bodies = list(invalid_bodies())
    assert len(bodies) > 10
    assert len(raised_errors(partial(parse_export, body) for body in bodies)) == len(bodies)


def test_example_of_an_invalid_list_filter_equals_the_response(alice: KeyClient) -> None:
    assert alice.get("/v1/exports?status=done").json() in examples("list_exports", 400)


def test_example_of_an_invalid_status_equals_the_response(alice: KeyClient, export: Export) -> None:
    address = f"/v1/exports/{export.public_id}"
    for action in ("cancel", "retry"):
        response = alice.post(f"{address}/{action}")
        assert response.json() in examples(f"{action}_export", 409)


def test_examples_of_unavailable_files_equal_the_responses(
    alice: KeyClient, export: Export
) -> None:
    Export.objects.update(status=Status.PROCESSING, processed_count=1685)
    for path, operation in (("download", "download_export"), ("manifest", "get_export_manifest")):
        response = alice.get(f"/v1/exports/{export.public_id}/{path}")
        assert response.json() in examples(operation, 409)
    Export.objects.update(
        status=Status.EXPIRED, expires_at=datetime(2024, 12, 26, 14, 30, tzinfo=UTC)
    )
    for path, operation in (("download", "download_export"), ("manifest", "get_export_manifest")):
        response = alice.get(f"/v1/exports/{export.public_id}/{path}")
        assert response.json() in examples(operation, 410)


def test_example_of_an_obsolete_request_equals_the_responses(
    alice: KeyClient, export: Export
) -> None:
    Export.objects.update(spec=export.spec | {"version": 0})
    response = alice.get(f"/v1/exports/{export.public_id}/manifest")
    assert response.json() in examples("get_export_manifest", 409)
    Export.objects.update(status=Status.FAILED)
    response = alice.post(f"/v1/exports/{export.public_id}/retry")
    assert response.json() in examples("retry_export", 409)


def test_example_of_a_forged_link_equals_the_response() -> None:
    response = APIClient().get("/v1/exports/files/contacts.csv?signature=guess")
    assert response.json() in examples("get_file", 404)


def test_example_of_an_empty_export_equals_the_response(alice: KeyClient) -> None:
    response = alice.post("/v1/exports", CONTACTS | {"empty": "error"})
    assert response.json() in examples("create_export", 422)


def test_example_of_too_many_unfinished_exports_equals_the_response(
    alice: KeyClient, acme: Organization, contacts: list[Contact], settings: Settings
) -> None:
    settings.EXPORT_MAX_UNFINISHED = 10
    for _ in range(10):
        export_of(acme, CONTACTS)
    error = alice.post("/v1/exports", CONTACTS).json()
    [example] = [
        each for each in examples("create_export", 429) if each["error"] == "too_many_exports"
    ]
    assert error["details"].pop("retry_after") > 0
    assert error["details"] == {"maximum": example["details"]["maximum"]}
    assert error["message"] == example["message"]


def test_example_of_the_daily_quota_equals_the_response(
    alice: KeyClient, settings: Settings
) -> None:
    settings.EXPORT_MAX_DAILY = 1
    for _ in range(2):
        error = alice.post("/v1/exports", CONTACTS).json()
    [example] = [
        each for each in examples("create_export", 429) if each["error"] == "daily_quota_exceeded"
    ]
    assert set(error["details"]) == set(example["details"])
    assert error["message"] == example["message"].replace("10,000", "1")
