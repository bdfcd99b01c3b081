"""The API's views do not depend on the defaults of REST framework."""

import json
import os
import subprocess
import sys
from datetime import datetime
from typing import Any

import pytest
import yaml
from django.conf import settings as the_settings
from pytest_django import Settings

from exports.models import Export, ExportFile
from longshore.accounts.models import Organization
from tests.conftest import KeyClient
from tests.factories import SubscriptionFactory

# Requests every address of the project with every method and without a key, except the admin, whose
# static files are not collected, and the documentation, which is public.
Response = tuple[str, str, int, dict[str, Any], bool]
REQUESTS = """
import json
import re
import django
django.setup()
from django.test import Client
from django.urls import URLResolver, get_resolver

def value(parameter):
    return "1" if "[0-9]" in parameter[0] else (parameter[1] or "") + "a"

def addresses(resolver, before):
    for pattern in resolver.url_patterns:
        part = str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if part != "admin/":
                yield from addresses(pattern, before + part.strip("^$"))
            continue
        part = re.sub(r"\\(\\?P<\\w+>(\\w*)[^)]*\\)|<[^>]*>", value, part.replace("\\\\Z", ""))
        part = re.sub(r"/[?]|[(][?]:[^)]*[)]", "", part.strip("^$"))
        path = before + part
        if path not in ("/", "/v1/schema") and not path.startswith(("/admin/", "/docs")):
            yield path

client = Client(headers={"Host": "localhost"})
responses = []
for address in dict.fromkeys(addresses(get_resolver(), "/")):
    for method in ("get", "post", "put", "patch", "delete", "options"):
        response = getattr(client, method)(address, {}, content_type="application/json")
        body = b"" if response.streaming else response.content
        matched = response.wsgi_request.resolver_match is not None
        responses.append((address, method, response.status_code, body.decode(), matched))
plain = client.get("/v1/schema", headers={"Accept": "image/png"})
responses.append(("/v1/schema", "accept", plain.status_code, plain.content.decode(), True))
print(json.dumps(responses))
"""


@pytest.fixture(scope="module")
def responses() -> list[Response]:
    """Address, method, status, body, and whether the address exists, under `open_settings`."""
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", REQUESTS],
        cwd=the_settings.BASE_DIR,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "tests.api.open_settings"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr
    found = json.loads(process.stdout.splitlines()[-1])
    # The schema view responds in YAML. The YAML parser also reads JSON.
    return [
        (address, method, status, yaml.safe_load(body), is_matched)
        for address, method, status, body, is_matched in found
    ]


@pytest.mark.slow
def test_every_endpoint_requires_a_key_although_the_default_permissions_allow_all(
    responses: list[Response],
) -> None:
    # Links to files, archives and uploads are authenticated by their signatures, and a request for
    # a token by its own credentials. The index and the description are public.
    other = ("/files/", "/zips/", "/uploads/", "/exports/errors/", "/oauth/token", "/v1/schema")
    protected = [
        each
        for each in responses
        if each[0].rstrip("/") != "/v1" and not any(path in each[0] for path in other)
    ]
    assert len({address for address, *_ in protected}) > 200
    assert [address for address, *_, is_matched in protected if not is_matched] == []
    assert {address for address, *_ in protected} > {
        "/v1/exports",
        "/v1/exports/exp_a/cancel",
        "/v1/webhooks/whsub_a/deliveries",
        "/v1/events",
        "/v1/resources/a",
        "/v1/shipments",
        "/v1/shipments/a",
        "/packagex/v1/exports",
        "/api/admin/exports/1",
        "/api/exports",
    }
    opened = [each for each in protected if each[2] not in (401, 429)]
    assert opened == []


def test_errors_keep_their_shape_when_the_defaults_have_another_handler(
    responses: list[Response],
) -> None:
    native = [each for each in responses if each[0].startswith("/v1/")]
    for address, method, status, body, _ in native:
        assert set(body) == {"error", "message", "details"}, (address, method, status)
    assert responses[-1][2:4] == (
        406,
        {
            "error": "not_acceptable",
            "message": responses[-1][3]["message"],
            "details": responses[-1][3]["details"],
        },
    )


@pytest.mark.django_db
def test_datetimes_keep_their_format_when_the_defaults_have_another(
    alice: KeyClient, acme: Organization, settings: Settings
) -> None:
    SubscriptionFactory.create(organization=acme)
    [expected] = alice.get("/v1/webhooks").json()["results"]
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"DATETIME_FORMAT": "%d.%m.%Y"}
    assert alice.get("/v1/webhooks").json()["results"] == [expected]
    assert datetime.fromisoformat(expected["created_at"])


@pytest.mark.django_db
def test_large_numbers_stay_numbers_when_the_defaults_write_texts(
    alice: KeyClient, settings: Settings
) -> None:
    created = alice.post("/v1/exports", {"resource": "contact"}).json()
    Export.objects.update(records_count=7)
    ExportFile.objects.create(export=Export.objects.get(), name="a.csv", rows=7, bytes=2**40)
    expected = alice.get(created["url"]).json()
    assert (expected["records_count"], expected["files"][0]["bytes"]) == (7, 2**40)
    settings.REST_FRAMEWORK = settings.REST_FRAMEWORK | {"COERCE_BIGINT_TO_STRING": True}
    assert alice.get(created["url"]).json() == expected
