"""The API description: complete, up to date, and shown by local pages."""

import io
import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client

from batches.errors import BatchErrorCode
from exports.api.examples import REQUESTS
from exports.errors import ExportErrorCode
from exports.request.parser import parse_export
from longshore.api.errors import BaseErrorCode, ErrorCode, error_codes
from longshore.api.idempotency import HEADER
from longshore.jobs.errors import JobErrorCode
from longshore.resources.registry import registry
from tests.conftest import KeyClient
from tests.descriptions import COMMITTED, parse, violations
from webhooks.events import EventType


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return parse(COMMITTED.read_text())


# The operations that need no API key: the index, and those that a signature authenticates.
_WITHOUT_KEY = {
    *("get_index", "get_file", "get_batch_file", "upload_batch_file"),
    *("get_export_zip", "get_batch_zip"),
}


def operations(described: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for path in described["paths"].values() for each in path.values()]


@pytest.mark.slow
def test_the_committed_description_is_up_to_date() -> None:
    written = io.StringIO()
    call_command("spectacular", fail_on_warn=True, stdout=written)
    assert written.getvalue().strip() == COMMITTED.read_text().strip(), "run: make openapi"


def examples(described: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield name, schema and value of the examples of bodies."""
    paths = described["paths"] | described["webhooks"]
    for path, method, operation in (
        (path, method, operation)
        for path, operations in paths.items()
        for method, operation in operations.items()
    ):
        for body in [operation.get("requestBody", {}), *operation["responses"].values()]:
            for content in body.get("content", {}).values():
                for name, example in content.get("examples", {}).items():
                    yield f"{method} {path}: {name}", content["schema"], example["value"]


def test_every_example_of_a_body_fits_its_schema(described: dict[str, Any]) -> None:
    found = list(examples(described))
    assert len(found) > 400
    components = {"components": described["components"]}
    wrong = [
        (name, error.message)
        for name, schema, value in found
        for error in jsonschema_rs.validator_for(schema | components).iter_errors(value)
    ]
    assert wrong == []


def test_every_webhook_message_is_described(described: dict[str, Any]) -> None:
    assert set(described["webhooks"]) == set(EventType.values)
    for name, message in described["webhooks"].items():
        [content] = message["post"]["requestBody"]["content"].values()
        schema = described["components"]["schemas"][content["schema"]["$ref"].split("/")[-1]]
        assert set(schema["properties"]) == {"id", "type", "timestamp", "data"}
        assert name in schema["properties"]["type"]["enum"]
        headers = [each["name"] for each in message["post"]["parameters"]]
        assert headers == ["webhook-id", "webhook-timestamp", "webhook-signature"]


def test_the_server_is_that_of_the_description(described: dict[str, Any]) -> None:
    assert [each["url"] for each in described["servers"]] == ["/"]


@pytest.mark.slow
def test_the_description_follows_openapi(described: dict[str, Any]) -> None:
    assert violations(described) == []
    assert violations(described | {"paths": {"/v1/exports": {"get": {"responses": []}}}})


@pytest.mark.slow
@pytest.mark.parametrize("slash", ["", "/"])
def test_the_description_is_public(client: Client, described: dict[str, Any], slash: str) -> None:
    response = client.get(f"/v1/schema{slash}")
    assert response.status_code == 200
    assert response.content.decode().strip() == COMMITTED.read_text().strip()
    assert described["openapi"] == "3.1.0"


def test_every_address_of_the_api_is_described(described: dict[str, Any]) -> None:
    assert set(described["paths"]) == {
        "/v1",
        "/v1/limits",
        "/v1/exports",
        "/v1/exports/preview",
        "/v1/exports/types",
        "/v1/exports/{public_id}",
        "/v1/exports/{public_id}/cancel",
        "/v1/exports/{public_id}/download",
        "/v1/exports/{public_id}/events",
        "/v1/exports/{public_id}/manifest",
        "/v1/exports/{public_id}/retry",
        "/v1/exports/{public_id}/zip",
        "/v1/exports/files/{name}",
        "/v1/exports/zips/{name}",
        "/v1/batches",
        "/v1/batches/preview",
        "/v1/batches/{public_id}",
        "/v1/batches/{public_id}/cancel",
        "/v1/batches/{public_id}/errors",
        "/v1/batches/{public_id}/events",
        "/v1/batches/{public_id}/files",
        "/v1/batches/{public_id}/retry",
        "/v1/batches/{public_id}/undo",
        "/v1/batches/{public_id}/zip",
        "/v1/batches/files/{name}",
        "/v1/batches/zips/{name}",
        "/v1/batches/uploads/{name}",
        "/v1/batches/mappings",
        "/v1/batches/mappings/{public_id}",
        "/v1/webhooks",
        "/v1/webhooks/{public_id}",
        "/v1/webhooks/{public_id}/deliveries",
        "/v1/webhooks/{public_id}/recover",
        "/v1/webhooks/{public_id}/rotate-secret",
        "/v1/webhooks/{public_id}/test",
        "/v1/deliveries/{public_id}/redeliver",
        "/v1/events",
        "/v1/events/types",
        "/v1/resources",
        "/v1/resources/{name}",
        *(f"/v1/{resource.plural}" for resource in registry),
        *(f"/v1/{resource.plural}/{{id}}" for resource in registry),
    }


def test_every_operation_has_texts_tags_and_authentication(described: dict[str, Any]) -> None:
    tags = {tag["name"] for tag in described["tags"]}
    ids = [operation["operationId"] for operation in operations(described)]
    assert len(ids) == len(set(ids))
    for operation in operations(described):
        assert operation["summary"]
        assert operation["description"]
        assert set(operation["tags"]) <= tags
        if operation["operationId"] not in _WITHOUT_KEY:
            assert operation["security"] == [{"ApiKey": []}, {"XApiKey": []}, {"Bearer": []}]
            assert {"401", "403", "429", "500"} <= set(operation["responses"])


def test_every_error_code_has_an_example_under_its_status(described: dict[str, Any]) -> None:
    shown = set()
    for operation in operations(described):
        for status, response in operation["responses"].items():
            if "$ref" in response:
                response = described["components"]["responses"][response["$ref"].split("/")[-1]]
            if status < "400":
                continue
            [content] = response["content"].values()
            assert content["schema"] == {"$ref": "#/components/schemas/Error"}
            for example in content["examples"].values():
                code = error_codes()[example["value"]["error"]]
                assert str(code.status) == status
                shown.add(code)
    # An unsupported method is not an operation.
    elsewhere: set[BaseErrorCode] = {ErrorCode.METHOD_NOT_ALLOWED}
    # These occur while files are written: only in the `error` of a job.
    elsewhere |= {ExportErrorCode.REPLICA_UNAVAILABLE, JobErrorCode.INVALID_DECLARATION}
    # These occur while the input is read and written: only in the `error` of a batch.
    elsewhere |= {
        BatchErrorCode.UNKNOWN_COLUMN,
        BatchErrorCode.MISSING_COLUMN,
        BatchErrorCode.MISSING_KEY,
        BatchErrorCode.INVALID_INPUT_FILE,
        BatchErrorCode.AMBIGUOUS_INPUT,
        BatchErrorCode.EMPTY_INPUT,
        BatchErrorCode.TOO_MANY_ERRORS,
        BatchErrorCode.DELETION_NOT_CONFIRMED,
    }
    assert shown == set(error_codes().values()) - elsewhere


def test_every_operation_with_an_idempotency_key_describes_a_malformed_key(
    described: dict[str, Any],
) -> None:
    keyed = [
        each
        for each in operations(described)
        if any(parameter["name"] == HEADER for parameter in each.get("parameters", []))
    ]
    assert {"create_export", "redeliver", "test_webhook"} <= {each["operationId"] for each in keyed}
    for operation in keyed:
        [content] = operation["responses"]["400"]["content"].values()
        messages = [example["value"]["message"] for example in content["examples"].values()]
        assert any(HEADER in message for message in messages), operation["operationId"]


@pytest.mark.django_db
@pytest.mark.parametrize("example", REQUESTS, ids=lambda example: example.name)
def test_every_example_of_a_request_is_accepted(example: Any) -> None:
    parse_export(example.value)


@pytest.mark.django_db
@pytest.mark.parametrize("resource", list(registry), ids=lambda resource: resource.name)
@pytest.mark.slow
def test_every_described_parameter_of_a_list_is_accepted(
    alice: KeyClient, described: dict[str, Any], resource: Any
) -> None:
    parameters = described["paths"][f"/v1/{resource.plural}"]["get"]["parameters"]
    assert len(parameters) > len(resource.columns_by_name)
    for parameter in parameters:
        for example in parameter.get("examples", {}).values():
            name, value = parameter["name"], example["value"]
            query = {name: value}
            if parameter.get("style") == "deepObject":
                query = {f"{name}[{key}]": each for key, each in value.items()}
            assert alice.get(f"/v1/{resource.plural}", query).status_code == 200, query


@pytest.mark.usefixtures("static_files")
@pytest.mark.parametrize("address", ["/docs", "/docs/", "/docs/redoc", "/docs/redoc/"])
def test_the_pages_load_nothing_from_other_hosts(client: Client, address: str) -> None:
    response = client.get(address)
    page = response.content.decode()
    assert response.status_code == 200
    assert "Longshore" in page
    links = re.findall(r'(?:src|href|spec-url)="([^"]+)"', page)
    assert links
    for link in links:
        assert link.startswith("/"), link
        if link.startswith("/static/"):
            assert finders.find(link.removeprefix("/static/")), link
        else:
            # The admin asks for a sign-in first.
            assert client.get(link, follow=True).status_code == 200, link
    assert "unsafe-inline" not in response["Content-Security-Policy"].split("style-src")[0]
