"""`/v1/schema`: built once, revalidated and compressed."""

import gzip
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from exports_project import schema

JSON = "application/vnd.oai.openapi+json"


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """A list that gets an entry for each build of the description."""
    found: list[object] = []
    original: Any = SchemaGenerator.get_schema

    def counted(*arguments: Any, **named: Any) -> Any:
        found.append(arguments)
        return original(*arguments, **named)

    monkeypatch.setattr(SchemaGenerator, "get_schema", counted)
    monkeypatch.setattr(schema, "rendered", {})
    return found


@pytest.mark.slow
def test_concurrent_requests_get_the_same_bytes_built_once(built: list[object]) -> None:
    with ThreadPoolExecutor(32) as pool:
        responses = [
            *pool.map(lambda _: Client().get("/v1/schema", headers={"Accept": JSON}), range(32))
        ]
    assert {response.status_code for response in responses} == {200}
    assert len({response.content for response in responses}) == 1
    assert len(built) == 1
    assert json.loads(responses[0].content)["openapi"] == "3.1.0"


@pytest.mark.slow
def test_a_client_with_the_current_version_gets_304(client: Client) -> None:
    first = client.get("/v1/schema")
    assert first["Cache-Control"] == "public, max-age=60"
    assert first["Vary"] == "Accept, Accept-Encoding"
    again = client.get("/v1/schema", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = client.get("/v1/schema", headers={"If-None-Match": 'W/"other"'})
    assert other.content == first.content
    assert client.get("/v1/schema", headers={"Accept": JSON})["ETag"] != first["ETag"]


def test_the_response_is_compressed_if_the_client_accepts_it(client: Client) -> None:
    plain = client.get("/v1/schema")
    small = client.get("/v1/schema", headers={"Accept-Encoding": "br, gzip"})
    assert small["Content-Encoding"] == "gzip"
    assert gzip.decompress(small.content) == plain.content
    assert len(small.content) < len(plain.content) / 5
    refused = client.get("/v1/schema", headers={"Accept-Encoding": "gzip;q=0"})
    assert refused.content == plain.content


@pytest.mark.usefixtures("static_files")
def test_the_page_does_not_store_the_api_key(client: Client) -> None:
    script = client.get("/docs?script=").content.decode()
    assert '"persistAuthorization": false' in script


OTHER_SCHEMA_CLASS = """
import django
django.setup()
from django.test import Client
for name in ("/v1", "/docs/packagex", "/docs/nextcommerce", "/docs/commercelayer"):
    response = Client(headers={"Host": "localhost"}).get(f"{name}/schema")
    print(response.status_code, b"openapi: 3" in response.content)
"""


@pytest.mark.slow
def test_every_api_is_described_if_the_project_has_another_schema_class() -> None:
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", OTHER_SCHEMA_CLASS],
        cwd=settings.BASE_DIR,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.api.open_settings"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.stdout.splitlines() == ["200 True"] * 4, process.stderr
