"""`GET /v1/limits`: the limits of an organization, and what is used of them."""

from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from exports.models import Export, ExportLimits
from longshore.accounts.models import Organization
from longshore.api.concurrency import admitted
from tests.conftest import KeyClient
from tests.factories import SubscriptionFactory

pytestmark = pytest.mark.django_db


def limits(client: KeyClient) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in client.get("/v1/limits").json()["results"]}


def test_limits_show_what_is_used_and_left(
    alice: KeyClient, bob: KeyClient, charlie: KeyClient, acme: Organization, settings: Settings
) -> None:
    settings.API_RATE_LIMIT = "600/min"
    ExportLimits.objects.create(organization=acme, unfinished=3, records=7)
    alice.post("/v1/exports", {"resource": "contact"})
    alice.post("/v1/exports", {"resource": "contact"})
    SubscriptionFactory.create(organization=acme)
    Export.objects.filter(number=Export.objects.latest("number").number).update(stored_bytes=5)
    found = limits(bob)

    def used(name: str) -> tuple[int | None, ...]:
        return tuple(found[name][each] for each in ("limit", "used", "left"))

    assert used("exports.unfinished") == (3, 2, 1)
    assert used("exports.daily") == (10_000, 2, 9_998)
    assert used("exports.stored_bytes") == (2**40, 5, 2**40 - 5)
    assert used("exports.records") == (7, None, None)
    assert used("batches.unfinished") == (10, 0, 10)
    assert used("webhooks") == (50, 1, 49)
    assert used("requests") == (600, 1, 599)
    assert used("expensive_requests") == (3, 0, 3)
    assert found["exports.seconds"]["unit"] == "seconds"
    assert datetime.fromisoformat(found["exports.daily"]["resets_at"]) > datetime.now(UTC)
    assert all(each["description"].endswith(".") for each in found.values())
    others = limits(charlie)
    assert [others["exports.unfinished"][each] for each in ("limit", "used")] == [10, 0]


def test_running_expensive_requests_are_counted(alice: KeyClient, acme: Organization) -> None:
    with admitted(acme.pk):
        assert limits(alice)["expensive_requests"]["used"] == 1


def test_a_slot_that_creations_leave_to_others_is_not_left_to_creations(
    alice: KeyClient, acme: Organization, settings: Settings
) -> None:
    settings.API_MAX_EXPENSIVE_REQUESTS = 2
    with admitted(acme.pk):
        found = limits(alice)
        assert alice.post("/v1/exports", {"resource": "contact"}).status_code == 429
    assert found["expensive_requests"]["left"] == 1
    assert [found["previews_and_creations"][each] for each in ("limit", "left")] == [1, 0]
    assert limits(alice)["previews_and_creations"]["left"] == 1


def test_limits_need_an_api_key() -> None:
    assert APIClient().get("/v1/limits").status_code == 401
