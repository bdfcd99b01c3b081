"""Cache-Control of every URL of the API, for every status code."""

from collections.abc import Iterator

import pytest
from django.http.response import HttpResponseBase
from django.test.client import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.conftest import KeyClient
from tests.factories import ContactFactory, DeliveryFactory, SubscriptionFactory

pytestmark = pytest.mark.django_db
METHODS = ("get", "head", "post", "patch", "put", "delete", "options")


def assert_private(response: HttpResponseBase, of: str) -> None:
    assert response["Cache-Control"] == "private, no-store", of
    varies = {name.strip().lower() for name in response["Vary"].split(",")}
    assert {"px-api-key", "x-api-key", "authorization"} <= varies, of


def named_patterns() -> Iterator[URLPattern]:
    for resolver in get_resolver().url_patterns:
        if isinstance(resolver, URLResolver) and str(resolver.pattern) == "v1/":
            yield from (each for each in resolver.url_patterns if isinstance(each, URLPattern))


@pytest.mark.usefixtures("static_files")
@pytest.mark.slow
def test_no_response_of_the_api_may_be_cached(
    alice: KeyClient, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization = alice.api_key.organization
    ContactFactory.create(organization=organization)
    subscription = SubscriptionFactory.create(organization=organization)
    delivery = DeliveryFactory.create(subscription=subscription)
    export = alice.post("/v1/exports", {"resource": "contact"}).json()["id"]
    batch = alice.post("/v1/batches", {"resource": "contact", "data": [{"name": "A"}]}).json()["id"]
    own = {
        "batch-mapping": "map_nothing",
        "batch": batch,
        "export-file": "name",
        "export": export,
        "webhook": subscription.public_id,
        "deliver": delivery.public_id,
        "redelivery": delivery.public_id,
        "event": delivery.event.public_id,
        "resource": "shipment",
    }
    statuses = set()
    for pattern in named_patterns():
        assert pattern.name
        arguments = dict.fromkeys(pattern.pattern.regex.groupindex, "nothing")
        for start, value in own.items():
            if pattern.name.startswith(start) and "nothing" in arguments.values():
                arguments = dict.fromkeys(arguments, value)
        address = reverse(pattern.name, kwargs=arguments)
        for method in METHODS:
            for api_client in (alice, client):
                response = getattr(api_client, method)(address, {}, content_type="application/json")
                assert_private(response, f"{method} {address}")
                statuses.add(response.status_code)
    assert {200, 400, 401, 404, 405} <= statuses


@pytest.mark.parametrize("address", ["/v1", "/v1/nothing", "/v1/%00", "/v1/exports?cursor=x"])
def test_errors_outside_of_views_may_not_be_cached(alice: KeyClient, address: str) -> None:
    assert_private(alice.get(address), address)
    assert_private(alice.get(address, headers={"Host": "elsewhere.example"}), address)


@pytest.mark.parametrize("address", ["/docs", "/v1/schema", "/v1/schema/"])
@pytest.mark.usefixtures("static_files")
def test_public_responses_may_be_cached(client: Client, address: str) -> None:
    assert "private" not in client.get(address).headers.get("Cache-Control", "")
