"""Addresses that contain a NUL are rejected by the admin and by the API."""

import pytest
from django.test.client import Client

from tests.conftest import KeyClient

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "address",
    [
        "/admin/autocomplete/?term=%00&app_label=logistics&model_name=shipment&field_name=sender",
        "/admin/longshore_logistics/shipment/?organization__id__exact=%00",
        "/admin/longshore_logistics/shipment/%00/change/",
    ],
)
def test_the_admin_rejects_a_nul(admin_client: Client, address: str) -> None:
    assert admin_client.get(address).status_code == 400


@pytest.mark.parametrize("address", ["/v1/%00", "/v1/exports/%00", "/v1/exports?cursor=a%00b"])
def test_the_api_rejects_a_nul_with_an_api_error(alice: KeyClient, address: str) -> None:
    response = alice.get(address)
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"
