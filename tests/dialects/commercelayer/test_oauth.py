"""Access tokens: issued for an API key, verified on every request, expiring, revoked."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import OctKey
from pytest_django import Settings
from rest_framework.test import APIClient

from longshore.accounts.models import ApiKey, Organization, Scope
from tests.conftest import KeyClient
from tests.dialects.commercelayer.conformance import TOKENS, rows
from tests.dialects.commercelayer.conftest import error

pytestmark = pytest.mark.django_db


def ask(key: str, **changes: Any) -> Any:
    body = {
        "grant_type": "client_credentials",
        "client_id": key.partition(".")[0],
        "client_secret": key,
        **changes,
    }
    return APIClient().post("/oauth/token", body, format="json")


def token_of(client: KeyClient) -> str:
    token: str = ask(client.key).json()["access_token"]
    return token


def claims_of(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * 4))
    return claims


def request_with(token: str) -> Any:
    return APIClient(headers={"Authorization": f"Bearer {token}"}).get("/api/exports")


@rows.same(
    TOKENS,
    "`grant_type: client_credentials`, `client_id`, `client_secret`",
    "`access_token`, `token_type`, `expires_in`, `scope`, `created_at`",
    "claims `organization`, `application`, `scope`, `exp`, `iat`, `iss`, `test`",
)
def test_a_token_has_the_claims_that_clients_decode(acme: Organization, alice: KeyClient) -> None:
    answer = ask(alice.key, scope="market:all").json()
    claims = claims_of(answer["access_token"])
    assert answer["token_type"] == "Bearer"  # noqa: S105
    assert answer["expires_in"] == claims["exp"] - claims["iat"] == 7200
    assert answer["scope"] == claims["scope"] == "market:all"
    assert answer["created_at"] == claims["iat"]
    assert claims["organization"] == {"id": acme.pk, "slug": "acme"}
    assert claims["application"]["kind"] == "integration"
    assert claims["application"]["client_id"] == alice.api_key.prefix
    assert claims["iss"].startswith("https://auth.")
    assert claims["test"] is False
    assert alice.key.partition(".")[2] not in json.dumps(claims)


def test_a_token_gives_access_to_its_organization_only(
    alice: KeyClient, charlie: KeyClient
) -> None:
    assert request_with(token_of(alice)).status_code == 200
    assert claims_of(token_of(charlie))["organization"]["slug"] == "globex"


@rows.same(TOKENS, "a JSON body or a form")
def test_a_form_is_accepted_as_well(alice: KeyClient) -> None:
    body = f"grant_type=client_credentials&client_id={alice.api_key.prefix}"
    response = APIClient().post(
        "/oauth/token",
        f"{body}&client_secret={alice.key}",
        content_type="application/x-www-form-urlencoded",
    )
    assert response.status_code == 200


@rows.differs(
    TOKENS,
    "`/oauth/revoke`",
    "There is no such address. Revoke the API key: all its tokens end at once.",
)
def test_a_revoked_key_ends_its_tokens(alice: KeyClient) -> None:
    token = token_of(alice)
    ApiKey.objects.filter(pk=alice.api_key.pk).update(revoked=True)
    refused = error(request_with(token), 401)
    assert refused["code"] == "INVALID_TOKEN"
    assert "revoked" in refused["detail"]


def test_a_deleted_key_ends_its_tokens(alice: KeyClient) -> None:
    token = token_of(alice)
    ApiKey.objects.filter(pk=alice.api_key.pk).delete()
    assert error(request_with(token), 401)["code"] == "INVALID_TOKEN"


@rows.same(TOKENS, "expiry, with the error `INVALID_TOKEN` that makes clients refresh")
def test_a_token_expires(alice: KeyClient, monkeypatch: pytest.MonkeyPatch) -> None:
    token = token_of(alice)
    later = claims_of(token)["exp"]
    monkeypatch.setattr("time.time", lambda: later - 1)
    assert request_with(token).status_code == 200
    monkeypatch.setattr("time.time", lambda: later)
    refused = error(request_with(token), 401)
    assert (refused["code"], refused["detail"]) == (
        "INVALID_TOKEN",
        "The access token has expired.",
    )


def test_a_token_does_not_outlive_its_key(alice: KeyClient) -> None:
    ApiKey.objects.filter(pk=alice.api_key.pk).update(
        expiry_date=timezone.now() + timedelta(seconds=60)
    )
    assert ask(alice.key).json()["expires_in"] <= 60


def test_a_token_that_is_not_signed_here_is_refused(alice: KeyClient) -> None:
    token = token_of(alice)
    claims = claims_of(token)
    forged = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(b"x" * 32))
    with pytest.warns(SecurityWarning):
        unsigned = jwt.encode({"alg": "none"}, claims, OctKey.import_key(b"x" * 32), ["none"])
    header, payload, signature = token.split(".")
    claims["application"]["id"] = "key_0"
    changed = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    for each in (
        forged,
        unsigned,
        f"{header}.{changed}.{signature}",
        f"{header}.{payload}.",
        "a.b.c",
    ):
        assert error(request_with(each), 401)["code"] == "INVALID_TOKEN"


def test_a_token_of_an_earlier_secret_key_is_accepted_as_long_as_that_key_is_known(
    alice: KeyClient, settings: Settings
) -> None:
    token = token_of(alice)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 50, [settings.SECRET_KEY]
    assert request_with(token).status_code == 200
    settings.SECRET_KEY_FALLBACKS = []
    assert error(request_with(token), 401)["code"] == "INVALID_TOKEN"


@rows.differs(
    TOKENS,
    "permissions of an application",
    "Those of the API key: the scope `read` or `write` of Longshore.",
)
def test_the_scopes_of_the_key_hold(acme: Organization) -> None:
    reader = KeyClient(acme, "reader", Scope.READ)
    client = APIClient(headers={"Authorization": f"Bearer {token_of(reader)}"})
    assert client.get("/api/exports").status_code == 200
    refused = error(client.post("/api/exports", "{}", content_type="application/vnd.api+json"), 401)
    assert refused["code"] == "UNAUTHORIZED"
    assert "scope write" in refused["detail"]


@rows.same(TOKENS, "errors of OAuth 2 and of JSON:API")
@rows.differs(
    TOKENS,
    "grants `password`, `authorization_code`, `refresh_token`, JWT bearer; scopes of markets "
    "and stock locations",
    "Refused: Longshore has no customers who sign in and no sales channels. The scope is "
    "`market:all`.",
)
@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 400, "unsupported_grant_type"),
        ({"scope": "market:id:xYZ"}, 400, "invalid_scope"),
        ({"client_id": None}, 400, "invalid_request"),
        ({"client_secret": 5}, 400, "invalid_request"),
        ({"client_id": "abcdefgh"}, 401, "invalid_client"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
    ],
)
def test_a_wrong_request_gets_the_error_of_oauth_2(
    alice: KeyClient, changes: dict[str, Any], status: int, code: str
) -> None:
    response = ask(alice.key, **changes)
    body = response.json()
    assert (response.status_code, body["error"]) == (status, code)
    assert body["error_description"] == body["errors"][0]["detail"]
    assert alice.key not in response.content.decode()


def test_wrong_secrets_count_as_denied_requests(settings: Settings, alice: KeyClient) -> None:
    settings.API_DENIED_RATE_LIMIT = "2/min"
    statuses = [ask("abcdefgh." + "x" * 32).status_code for _ in range(4)]
    assert statuses[-1] == 429
    assert ask(alice.key).status_code == 200


@rows.differs(
    TOKENS,
    "`Authorization: Bearer`",
    "An API key is accepted as well, so that one key serves all APIs.",
)
def test_an_api_key_works_in_place_of_a_token(alice: KeyClient) -> None:
    assert request_with(alice.key).status_code == 200
    assert error(APIClient().get("/api/exports"), 401)["code"] == "UNAUTHORIZED"


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "HS256", "crit": [1]},
        {"alg": "HS256", "typ": "JWT", "crit": None},
        {"alg": "HS256", "b64": "x"},
        {"alg": ["HS256"]},
        {"alg": None},
        ["alg"],
        "alg",
    ],
)
def test_a_token_with_another_header_is_refused(alice: KeyClient, header: Any) -> None:
    _, payload, signature = token_of(alice).split(".")
    changed = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    refused = error(request_with(f"{changed}.{payload}.{signature}"), 401)
    assert refused["code"] == "INVALID_TOKEN"


def test_a_form_is_utf_8_whatever_its_charset(alice: KeyClient) -> None:
    response = APIClient().post(
        "/oauth/token",
        f"grant_type=client_credentials&client_id={alice.api_key.prefix}&client_secret={alice.key}",
        content_type="application/x-www-form-urlencoded; charset=hex",
    )
    assert response.status_code == 200


def test_a_token_request_counts_as_a_request_of_its_key(
    settings: Settings, alice: KeyClient, charlie: KeyClient
) -> None:
    settings.API_RATE_LIMIT = "2/day"
    assert [ask(alice.key).status_code for _ in range(3)] == [200, 200, 429]
    assert ask(charlie.key).status_code == 200
    alice.api_key.refresh_from_db()
    assert alice.api_key.last_used_at is not None
