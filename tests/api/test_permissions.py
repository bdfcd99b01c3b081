"""Scopes of API keys."""

import pytest

from longshore.accounts.models import Organization, Scope
from tests.conftest import KeyClient

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.accounts.urls")]


@pytest.fixture
def write_only(acme: Organization) -> KeyClient:
    return KeyClient(acme, "write only", Scope.WRITE)


@pytest.mark.parametrize("method", ["get", "head"])
def test_safe_methods_need_read(read_only: KeyClient, write_only: KeyClient, method: str) -> None:
    assert getattr(read_only, method)("/v1/echo").status_code == 200
    assert getattr(write_only, method)("/v1/echo").status_code == 403


def test_other_methods_need_write(read_only: KeyClient, write_only: KeyClient) -> None:
    assert write_only.post("/v1/echo", {"a": 1}).status_code == 200
    response = read_only.post("/v1/echo", {"a": 1})
    assert response.status_code == 403
    assert response.json() == {
        "error": "forbidden",
        "message": "This API key lacks the scope write.",
        "details": {"required_scope": "write", "scopes": ["read"]},
    }


def test_a_view_can_require_another_scope(read_only: KeyClient, write_only: KeyClient) -> None:
    assert read_only.post("/v1/preview", {}).status_code == 200
    assert write_only.post("/v1/preview", {}).status_code == 403


@pytest.mark.slow
def test_the_scope_is_checked_before_the_body(read_only: KeyClient) -> None:
    response = read_only.post("/v1/echo", "{", content_type="application/json")
    assert response.status_code == 403
