"""Fixtures: clients that speak JSON:API with an access token, and records of two organizations."""

import gzip
import json
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from django.http import StreamingHttpResponse
from pytest_django import Settings
from rest_framework.test import APIClient

from batches.execution import runner as batch_runner
from batches.models import Batch
from dialects.commercelayer import tokens
from exports.execution import runner as export_runner
from exports.models import Export
from longshore.accounts.models import Organization
from longshore.domains.commerce.models import Sku
from tests.conftest import KeyClient

MEDIA_TYPE = "application/vnd.api+json"
Attributes = dict[str, Any]


class VendorClient(APIClient):
    """A client that sends documents with an access token of its own API key."""

    def __init__(self, client: KeyClient) -> None:
        self.api_key, self.key = client.api_key, client.key
        super().__init__(headers={"Authorization": f"Bearer {tokens.issue(self.api_key).text}"})

    def create(self, type: str, attributes: Attributes, **headers: str) -> Any:
        return self._send("post", f"/api/{type}", {"type": type, "attributes": attributes}, headers)

    def change(self, type: str, id: str, attributes: Attributes) -> Any:
        data = {"type": type, "id": id, "attributes": attributes}
        return self._send("patch", f"/api/{type}/{id}", data, {})

    def read(self, path: str, **parameters: Any) -> Any:
        """Return the document at a path. Its status must be 200."""
        response = self.get(path, parameters)
        assert response.status_code == 200, response.content
        assert response.headers["Content-Type"] == MEDIA_TYPE
        return response.json()

    def _send(self, method: str, path: str, data: Any, headers: dict[str, str]) -> Any:
        send: Callable[..., Any] = getattr(self, method)
        return send(path, json.dumps({"data": data}), content_type=MEDIA_TYPE, headers=headers)


@pytest.fixture(autouse=True)
def storage(settings: Settings, tmp_path: Any) -> None:
    """Use an empty folder as the storage of each test."""
    options = settings.STORAGES["longshore"]["OPTIONS"] | {"location": str(tmp_path)}
    default = settings.STORAGES["longshore"] | {"OPTIONS": options}
    settings.STORAGES = settings.STORAGES | {"longshore": default}


@pytest.fixture
def vendor(alice: KeyClient) -> VendorClient:
    return VendorClient(alice)


@pytest.fixture
def outsider(charlie: KeyClient) -> VendorClient:
    return VendorClient(charlie)


@pytest.fixture
def skus(acme: Organization, globex: Organization) -> list[Sku]:
    """Three SKUs of acme, and one of globex."""
    Sku.objects.create(organization=globex, code="SECRET", name="Charlie's")
    return [
        Sku.objects.create(organization=acme, code=code, name=name)
        for code, name in (("A-1", "Shirt"), ("A-2", "Hat, black"), ("B-1", "Mug"))
    ]


def attributes(response: Any) -> Attributes:
    """Return the attributes of the object in a successful response."""
    assert response.status_code in (200, 201), response.content
    return cast("Attributes", response.json()["data"]["attributes"])


def id_of(response: Any) -> str:
    assert response.status_code in (200, 201), response.content
    return cast("str", response.json()["data"]["id"])


def errors(response: Any, status: int) -> list[dict[str, Any]]:
    """Return the errors of a response, which must have this status."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"].startswith(MEDIA_TYPE)
    found = response.json()["errors"]
    assert all(error["title"] and error["detail"] and error["code"] for error in found)
    assert all(error["meta"]["error"] for error in found if error["status"] == "422")
    return cast("list[dict[str, Any]]", found)


def error(response: Any, status: int) -> dict[str, Any]:
    """Return the only error of a response."""
    [found] = errors(response, status)
    return found


def run_export(public_id: str) -> Export:
    """Run a queued export in this process."""
    export = Export.objects.get(public_id=public_id)
    export_runner.run(export.pk)
    export.refresh_from_db()
    return export


def run_import(public_id: str) -> Batch:
    """Run a queued batch in this process."""
    batch = Batch.objects.get(public_id=public_id)
    batch_runner.run(batch.pk)
    batch.refresh_from_db()
    return batch


def unzipped(url: str) -> str:
    """Return the content of the gzip file behind a link, requested without a token."""
    response = APIClient().get(url)
    assert isinstance(response, StreamingHttpResponse), response
    assert "Content-Encoding" not in response.headers
    content = b"".join(cast("Iterator[bytes]", response.streaming_content))
    return gzip.decompress(content).decode()
