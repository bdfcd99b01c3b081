"""Malformed headers and query strings of write operations: no 500, and a 4xx changes nothing."""

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from pytest_django import Settings
from rest_framework.test import APIClient

from batches.models import Batch
from exports.models import Export
from longshore.domains.commerce.models import Tag
from tests.conftest import KeyClient
from tests.exports.conftest import storage
from webhooks.models import Subscription

__all__ = ["storage"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]

JSON, DOCUMENT, FORM = (
    "application/json",
    "application/vnd.api+json",
    "application/x-www-form-urlencoded",
)
_TARGET = "https://receiver.example.com/"
_SUBSCRIPTION = {"target": _TARGET, "events": ["export.created"]}
_DAYS = {"date_from": "2025-01-01T00:00:00Z", "date_to": "2025-01-31T00:00:00Z"}
_INPUTS = [{"name": "sale"}]


def _document(type: str, id: str | None = None, **attributes: Any) -> dict[str, Any]:
    data = {"type": type, "attributes": attributes, **({"id": id} if id else {})}
    return {"data": data}


# The path, the media type and the valid body of each operation that creates.
CREATIONS = [
    ("/packagex/v1/exports", JSON, {"resource": "contact"}),
    ("/packagex/v1/batches", JSON, {"resource": "contact", "data": [{"name": "Ada"}]}),
    ("/packagex/v1/webhooks", JSON, _SUBSCRIPTION),
    ("/api/admin/exports/", JSON, {"type": "order_list", **_DAYS}),
    ("/api/admin/webhooks/", JSON, _SUBSCRIPTION),
    ("/api/exports", DOCUMENT, _document("exports", resource_type="tags")),
    ("/api/imports", DOCUMENT, _document("imports", resource_type="tags", inputs=_INPUTS)),
    (
        "/api/webhooks",
        DOCUMENT,
        _document("webhooks", topic="exports.complete", callback_url=_TARGET),
    ),
]


def _token(header: object) -> str:
    return f"{urlsafe_b64encode(json.dumps(header).encode()).decode()}.e30.e30"


AUTHORIZATIONS = [
    "",
    "Bearer",
    "Bearer  ",
    "Bearer a.b",
    "Bearer a.b.c",
    "Bearer ..",
    "Bearer \xff.\xff.\xff",
    "Basic e30=",
    f"Bearer {_token({'alg': 'HS256', 'crit': [1]})}",
    f"Bearer {_token({'alg': ['HS256']})}",
    f"Bearer {_token([])}",
    f"Bearer {'a' * 5000}.b.c",
]
CONTENT_TYPES = [
    "",
    ";",
    "x",
    "text/plain",
    f"{JSON}; charset=hex",
    f"{DOCUMENT}; charset=hex",
    f"{FORM}; charset=hex",
    f"{FORM}; charset=\xff",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=a; charset=hex",
]
QUERIES = [
    "include=bogus",
    "fields[exports]=bogus&fields[imports]=bogus&fields[webhooks]=bogus",
    "include_upload_csv=maybe",
    "include_csv=maybe",
    "filter[q][x]=1&page[number]=x&sort=x",
    "include=a&include=b",
    "%ff=%ff",
    "a=%00",
    "&&=&",
]


@pytest.fixture(autouse=True)
def no_rate_limits(settings: Settings) -> None:
    for name in dir(django_settings):
        if name.endswith("_RATE_LIMIT"):
            setattr(settings, name, "")


def rows() -> list[Any]:
    """Return all that requests of these operations store."""
    return [list(model.objects.order_by("pk").values()) for model in (Export, Batch, Subscription)]


def check(response_of: Any, *statuses: int) -> int:
    """Send a request, and undo it. Returns its status, one of `statuses` if there are any."""
    with transaction.atomic():
        before = rows()
        response = response_of()
        status: int = response.status_code
        where = (status, response.content[:300])
        assert status in statuses if statuses else status < 500, where
        assert (rows() == before) is (status >= 400), where
        transaction.set_rollback(True)
    return status


@pytest.mark.slow
@pytest.mark.parametrize(("path", "media_type", "body"), CREATIONS, ids=lambda each: str(each)[:30])
def test_a_creation(alice: KeyClient, path: str, media_type: str, body: Any) -> None:
    Tag.objects.create(organization=alice.api_key.organization, name="old")
    text = json.dumps(body)

    def post(client: APIClient, query: str = "", **extra: Any) -> Any:
        extra.setdefault("content_type", media_type)
        return client.generic("POST", path, text, QUERY_STRING=query, **extra)

    assert check(lambda: post(alice)) == 201
    for each in AUTHORIZATIONS:
        check(lambda each=each: post(APIClient(), HTTP_AUTHORIZATION=each), 401)
    for each in CONTENT_TYPES:
        check(lambda each=each: post(alice, content_type=each))
    for each in QUERIES:
        check(lambda each=each: post(alice, each))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["exports", "imports", "webhooks"])
def test_a_change_of_a_document(alice: KeyClient, kind: str) -> None:
    Tag.objects.create(organization=alice.api_key.organization, name="old")
    path, media_type, body = next(each for each in CREATIONS if each[0] == f"/api/{kind}")
    id = alice.generic("POST", path, json.dumps(body), content_type=media_type).json()["data"]["id"]
    text = json.dumps(_document(kind, id, reference="changed"))

    def patch(client: APIClient, query: str = "", **extra: Any) -> Any:
        extra.setdefault("content_type", media_type)
        return client.generic("PATCH", f"{path}/{id}", text, QUERY_STRING=query, **extra)

    assert check(lambda: patch(alice)) == 200
    for each in AUTHORIZATIONS:
        check(lambda each=each: patch(APIClient(), HTTP_AUTHORIZATION=each), 401)
    for each in CONTENT_TYPES:
        check(lambda each=each: patch(alice, content_type=each))
    for each in QUERIES:
        check(lambda each=each: patch(alice, each))


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_a_token_request(alice: KeyClient, content_type: str) -> None:
    body = f"grant_type=client_credentials&client_id={alice.api_key.prefix}"
    body += f"&client_secret={alice.key}"
    response = APIClient().generic("POST", "/oauth/token", body, content_type=content_type)
    accepted = {200} if content_type.startswith(FORM) else {400, 415}
    assert response.status_code in accepted, response.content
