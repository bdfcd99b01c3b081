"""Compressed responses of the API: large ones without secrets, if the client accepts gzip."""

import gzip

import pytest

from longshore.accounts.models import Organization
from tests.conftest import KeyClient
from tests.factories import ShipmentFactory, SubscriptionFactory

pytestmark = pytest.mark.django_db

GZIP = {"Accept-Encoding": "br, gzip"}
BODY = {"resource": "contact", "metadata": {"text": "x" * 5_000}}


@pytest.fixture
def shipments(acme: Organization) -> None:
    ShipmentFactory.create_batch(20, organization=acme)


@pytest.mark.usefixtures("shipments")
@pytest.mark.parametrize(
    "address", ["/v1/shipments", "/v1/resources/shipment", "/v1/exports/types"]
)
def test_a_large_response_without_secrets_is_compressed(alice: KeyClient, address: str) -> None:
    plain = alice.get(address)
    assert "Content-Encoding" not in plain
    assert "Accept-Encoding" in plain["Vary"]
    small = alice.get(address, headers=GZIP)
    assert small["Content-Encoding"] == "gzip"
    assert len(small.content) == int(small["Content-Length"]) < len(plain.content) / 3
    assert gzip.decompress(small.content) == plain.content
    refused = alice.get(address, headers={"Accept-Encoding": "gzip;q=0"})
    assert refused.content == plain.content


@pytest.mark.usefixtures("shipments")
def test_the_length_of_a_compressed_response_is_random(alice: KeyClient) -> None:
    lengths = {len(alice.get("/v1/shipments", headers=GZIP).content) for _ in range(10)}
    assert len(lengths) > 1


def test_responses_with_links_or_secrets_are_not_compressed(
    alice: KeyClient, acme: Organization
) -> None:
    created = alice.post("/v1/exports", BODY, headers=GZIP)
    SubscriptionFactory.create(organization=acme, name="x" * 200)
    for response in (
        created,
        *(
            alice.get(address, headers=GZIP)
            for address in (created.json()["url"], "/v1/exports", "/v1/webhooks", "/v1/events")
        ),
    ):
        assert "Content-Encoding" not in response


def test_errors_and_small_responses_are_not_compressed(alice: KeyClient) -> None:
    assert "Content-Encoding" not in alice.get("/v1/shipments", headers=GZIP)
    many = {f"unknown_{number}": "x" for number in range(50)}
    assert "Content-Encoding" not in alice.get("/v1/shipments", many, headers=GZIP)
