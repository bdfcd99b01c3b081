"""Addresses with and without a slash at the end."""

import pytest
from django.urls import reverse

from longshore.api.routers import OptionalSlashRouter
from tests.conftest import KeyClient
from webhooks.api.views import EventViewSet


def test_links_have_no_slash() -> None:
    assert reverse("export-list") == "/v1/exports"
    assert reverse("export-cancel", args=["exp_1"]) == "/v1/exports/exp_1/cancel"


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/v1/webhooks", "/v1/webhooks/"])
def test_a_post_is_handled_at_both_addresses_without_a_redirect(
    alice: KeyClient, address: str
) -> None:
    body = {"target": "https://receiver.example.com/", "events": "*"}
    assert alice.post(address, body).status_code == 201


def test_a_router_has_one_pattern_per_address() -> None:
    router = OptionalSlashRouter()
    router.register("events", EventViewSet, "event")
    assert [str(url.pattern) for url in router.urls] == ["^events/?$", "^events/types/?$"]
