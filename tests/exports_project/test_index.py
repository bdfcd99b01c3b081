"""`/v1`, the index of the API, and addresses that do not exist."""

import pytest
from rest_framework.test import APIClient

from tests.conftest import KeyClient

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_index_links_to_the_lists_without_a_key(alice: KeyClient, slash: str) -> None:
    response = APIClient().get(f"/v1{slash}")
    addresses = response.json()
    assert addresses["exports"] == "http://testserver/v1/exports"
    assert addresses["named_exports"] == "http://testserver/v1/exports/types"
    assert {"batches", "webhooks", "events", "resources", "limits", "docs"} <= set(addresses)
    for name, address in addresses.items():
        if name not in ("docs", "openapi"):
            assert alice.get(address).status_code == 200, name


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("/v1/shipmnts", "/v1/shipments"),
        ("/v1/shipment/", "/v1/shipments"),
        ("/v1/export", "/v1/exports"),
        ("/v1/limit", "/v1/limits"),
    ],
)
def test_an_unknown_address_suggests_the_closest(alice: KeyClient, path: str, meant: str) -> None:
    response = alice.get(path)
    assert response.status_code == 404
    message = f"'{path}' is not an address of the API. Did you mean '{meant}'?"
    assert response.json() == {
        "error": "not_found",
        "message": message,
        "details": {"path": path},
    }
