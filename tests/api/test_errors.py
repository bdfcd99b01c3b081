"""Every error has the same shape, from a view or from the code before it."""

import json
import logging
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.signals import got_request_exception
from django.test.client import Client
from pytest_django import Settings

from longshore.api.errors import ApiError, BaseErrorCode, ErrorCode, error_codes
from longshore.resources.errors import ResourceErrorCode
from tests.conftest import KeyClient

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.accounts.urls")]


def test_bad_input_returns_every_problem_and_the_code_of_the_first(alice: KeyClient) -> None:
    response = alice.get("/v1/raise/problem")
    assert response.status_code == 400
    assert response.json() == {
        "error": "invalid_resource",
        "message": "Unsupported resource type: invalid_resource",
        "details": {
            "resource": "invalid_resource",
            "options.limit": 0,
            "problems": [
                {
                    "error": "invalid_resource",
                    "field": "resource",
                    "value": "invalid_resource",
                    "message": "Unsupported resource type: invalid_resource",
                    "accepted": ["contact", "shipment"],
                },
                {
                    "error": "invalid_limit",
                    "field": "options.limit",
                    "value": 0,
                    "message": "A limit is at least 1.",
                    "accepted": "1 or more",
                },
            ],
        },
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "status", "code", "message"),
    [
        ("gone", 410, "export_expired", "The export's files have been deleted."),
        ("not-found", 404, "not_found", "Not found."),
        ("rest-not-found", 404, "not_found", "Not found."),
        ("denied", 403, "forbidden", "The API key does not allow this."),
        ("rest-denied", 403, "forbidden", "The API key does not allow this."),
        ("bad", 400, "invalid_request", "The request is malformed."),
        ("suspicious", 400, "invalid_request", "The request is malformed."),
        ("parse", 400, "invalid_request", "Bad bits."),
        ("unavailable", 500, "internal_error", "An unexpected error occurred on the server."),
    ],
)
def test_exceptions_become_errors_without_their_secrets(
    alice: KeyClient, name: str, status: int, code: str, message: str
) -> None:
    response = alice.get(f"/v1/raise/{name}")
    assert response.status_code == status
    body = response.json()
    assert (body["error"], body["message"]) == (code, message)
    assert "secret" not in response.content.decode()


def test_errors_of_a_serializer_become_problems_with_paths(alice: KeyClient) -> None:
    response = alice.get("/v1/raise/invalid")
    assert response.status_code == 400
    problems = response.json()["details"]["problems"]
    assert [(problem["field"], problem["message"]) for problem in problems] == [
        ("options.limit", "Too low."),
        ("columns.1.id", "No."),
        ("", "Together wrong."),
    ]


def test_an_unsupported_method_is_refused_with_the_supported_ones(alice: KeyClient) -> None:
    response = alice.put("/v1/echo", {})
    assert response.status_code == 405
    assert response["Allow"] == "GET, POST, HEAD, OPTIONS"
    assert response.json() == {
        "error": "method_not_allowed",
        "message": "This endpoint does not support PUT.",
        "details": {"method": "PUT", "accepted": ["GET", "POST", "HEAD", "OPTIONS"]},
    }


def test_another_response_type_is_refused(alice: KeyClient) -> None:
    response = alice.get("/v1/echo", headers={"Accept": "text/csv"})
    assert response.status_code == 406
    assert response.json()["error"] == "not_acceptable"
    assert response.json()["details"] == {"accepted": ["application/json"]}


def test_a_format_parameter_does_not_select_a_renderer(alice: KeyClient) -> None:
    assert alice.get("/v1/echo?format=csv").status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("name", ["unforeseen", "model-invalid"])
def test_an_unexpected_exception_is_logged_and_not_disclosed(
    alice: KeyClient, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    received: list[object] = []

    def receive(**signal: Any) -> None:
        received.append(signal["request"])

    got_request_exception.connect(receive)
    alice.raise_request_exception = False
    response = alice.get(f"/v1/raise/{name}")
    assert response.status_code == 500
    assert response["Content-Type"] == "application/json"
    assert response.json() == {
        "error": "internal_error",
        "message": "An unexpected error occurred on the server.",
        "details": {},
    }
    assert len(received) == 1
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.exc_info is not None


def test_the_test_client_raises_unexpected_exceptions(alice: KeyClient) -> None:
    with pytest.raises(RuntimeError, match="secret"):
        alice.get("/v1/raise/unforeseen")


def test_the_method_options_is_not_supported(alice: KeyClient) -> None:
    response = alice.options("/v1/echo")
    assert response.status_code == 405
    assert response.json()["details"] == {"method": "OPTIONS", "accepted": ["GET", "POST", "HEAD"]}


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/nothing", "/v1/echo/more", "/v1/é"])
def test_an_unknown_api_path_is_refused_in_json(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert response["Content-Type"] == "application/json"
    assert response.json()["error"] == "not_found"


def test_an_unknown_path_outside_the_api_is_a_page(client: Client) -> None:
    for path in ("/nothing", "/v10/exports"):
        response = client.get(path)
        assert response.status_code == 404
        assert response["Content-Type"].startswith("text/html")


@pytest.mark.slow
def test_a_forbidden_host_is_refused_in_json(client: Client, settings: Settings) -> None:
    response = client.get("/v1/echo", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert response.json()["error"] == "invalid_request"
    assert client.get("/", headers={"Host": "evil.example"})["Content-Type"].startswith("text/html")


def test_every_code_has_a_status_and_a_message() -> None:
    for code in error_codes().values():
        error = ApiError(code)
        assert 400 <= error.status <= 504
        assert error.message.endswith((".", ">."))
        assert json.loads(json.dumps(error.as_json()))["error"] == code.value
    assert ResourceErrorCode.INVALID_FILTER.status == 400


def test_a_code_cannot_be_registered_twice() -> None:
    with pytest.raises(ValueError, match="'not_found' is registered twice"):

        class Duplicate(BaseErrorCode):
            NOT_FOUND = "not_found", 404, "Not found."

    assert error_codes()["not_found"] is ErrorCode.NOT_FOUND


@pytest.mark.slow
def test_the_api_description_lists_every_registered_code() -> None:
    text = (settings.BASE_DIR / "docs" / "openapi.yaml").read_text()
    schemas = yaml.load(text, yaml.CSafeLoader)["components"]["schemas"]
    assert sorted(schemas["ErrorEnum"]["enum"]) == list(error_codes())
