"""Authentication by API key: the accepted headers, and the messages of a 401."""

from datetime import timedelta

import pytest
from django.test.client import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from longshore.accounts.models import ApiKey
from tests.conftest import KeyClient

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.accounts.urls")]

NO_KEY = "Send an API key in the header PX-API-KEY or X-API-KEY, or as Authorization: Bearer <key>."
UNKNOWN = "The API key is not valid."


def refusal(client: Client, **headers: str) -> str:
    """Send a request; return the message of its 401."""
    response = client.get("/v1/echo", headers={k.replace("_", "-"): v for k, v in headers.items()})
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == 'Bearer realm="Longshore"'
    body = response.json()
    assert body.keys() == {"error", "message", "details"}
    assert body["error"] == "unauthorized"
    return str(body["message"])


@pytest.mark.slow
def test_a_key_in_px_api_key_acts_for_its_organization(alice: KeyClient) -> None:
    assert alice.get("/v1/echo").json() == {"key": alice.api_key.pk, "organization": "acme"}


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER "])
def test_a_bearer_key_is_accepted(client: Client, alice: KeyClient, scheme: str) -> None:
    response = client.get("/v1/echo", headers={"Authorization": f"{scheme} {alice.key}"})
    assert response.json()["organization"] == "acme"


def test_a_key_in_x_api_key_acts_for_its_organization(client: Client, alice: KeyClient) -> None:
    response = client.get("/v1/echo", headers={"X-API-KEY": alice.key})
    assert response.json() == {"key": alice.api_key.pk, "organization": "acme"}


def test_the_same_key_in_all_headers_is_accepted(client: Client, alice: KeyClient) -> None:
    headers = dict.fromkeys(("PX-API-KEY", "X-API-KEY"), alice.key)
    headers["Authorization"] = f"Bearer {alice.key}"
    assert client.get("/v1/echo", headers=headers).status_code == 200


def test_basic_credentials_of_a_gateway_are_ignored(client: Client, alice: KeyClient) -> None:
    headers = {"Authorization": "Basic Zm9vOmJhcg==", "PX-API-KEY": alice.key}
    assert client.get("/v1/echo", headers=headers).status_code == 200


def test_two_different_keys_are_refused(client: Client, alice: KeyClient, bob: KeyClient) -> None:
    bearer = f"Bearer {alice.key}"
    for headers in (
        {"Authorization": bearer, "PX_API_KEY": bob.key},
        {"Authorization": bearer, "X_API_KEY": bob.key},
        {"PX_API_KEY": alice.key, "X_API_KEY": bob.key},
    ):
        assert refusal(client, **headers) == (
            "The headers PX-API-KEY, X-API-KEY and Authorization differ. Send one key."
        )


@pytest.mark.slow
@pytest.mark.parametrize(
    "headers",
    [{}, {"PX_API_KEY": " "}, {"Authorization": "Bearer"}, {"Authorization": "Basic Zm9vOmJhcg=="}],
)
def test_without_a_key_the_message_names_the_headers(
    client: Client, headers: dict[str, str]
) -> None:
    assert refusal(client, **headers) == NO_KEY


@pytest.mark.slow
@pytest.mark.parametrize(
    "key",
    [
        "wrong",
        "Abcdefgh." + "x" * 32,
        "clé",
        "ключ",
        "🔑",
        "a\0b",
        "x" * 10_000,
        "%s'--",
        "a.b,c.d",
    ],
)
@pytest.mark.parametrize("header", ["PX_API_KEY", "Authorization"])
def test_an_unknown_key_is_refused(client: Client, header: str, key: str) -> None:
    sent = key if header == "PX_API_KEY" else f"Bearer {key}"
    assert refusal(client, **{header: sent}) == UNKNOWN


def test_a_wrong_secret_of_a_revoked_key_reveals_nothing(client: Client, alice: KeyClient) -> None:
    ApiKey.objects.filter(pk=alice.api_key.pk).update(revoked=True)
    wrong = alice.key[:-1] + ("a" if alice.key[-1] != "a" else "b")
    assert refusal(client, PX_API_KEY=wrong) == UNKNOWN


@pytest.mark.slow
def test_a_revoked_key_is_refused_with_the_reason(alice: KeyClient) -> None:
    ApiKey.objects.filter(pk=alice.api_key.pk).update(revoked=True)
    assert refusal(alice) == "This API key was revoked."


def test_an_expired_key_is_refused_with_its_time(alice: KeyClient) -> None:
    ApiKey.objects.filter(pk=alice.api_key.pk).update(expiry_date="2024-02-29T12:00:00Z")
    assert refusal(alice) == "This API key expired at 2024-02-29T12:00:00Z."


def test_a_key_with_a_future_expiry_is_accepted(alice: KeyClient) -> None:
    later = timezone.now() + timedelta(hours=1)
    ApiKey.objects.filter(pk=alice.api_key.pk).update(expiry_date=later)
    assert alice.get("/v1/echo").status_code == 200


def test_a_public_view_needs_no_key_but_refuses_a_wrong_one(client: Client) -> None:
    assert client.get("/v1/public").status_code == 200
    assert client.get("/v1/public", headers={"PX-API-KEY": "wrong"}).status_code == 401


def test_last_used_at_is_written_once_a_minute(
    alice: KeyClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    before = timezone.now()
    with django_assert_num_queries(2):  # SELECT the key with its organization, UPDATE last_used_at.
        alice.get("/v1/echo")
    alice.api_key.refresh_from_db()
    first = alice.api_key.last_used_at
    assert first is not None
    assert before <= first <= timezone.now()

    with django_assert_num_queries(1):
        alice.get("/v1/echo")
    alice.api_key.refresh_from_db()
    assert alice.api_key.last_used_at == first

    ApiKey.objects.filter(pk=alice.api_key.pk).update(last_used_at=first - timedelta(seconds=61))
    with django_assert_num_queries(2):
        alice.get("/v1/echo")
    alice.api_key.refresh_from_db()
    assert alice.api_key.last_used_at is not None
    assert alice.api_key.last_used_at >= first


def test_a_malformed_key_costs_no_query(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        refusal(client, PX_API_KEY="x" * 10_000)
