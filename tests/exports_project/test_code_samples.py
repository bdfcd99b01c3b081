"""The code samples of the API description: each runs, and sends the request of its operation."""

import os
import re
import shutil
import subprocess
import sys
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from exports.models import Export
from longshore.accounts.models import ApiKey, Organization, Scope
from tests.descriptions import COMMITTED, parse

RUN = (
    ("/v1/exports", "post"),
    ("/v1/exports", "get"),
    ("/v1/exports/{public_id}", "get"),
    ("/v1/shipments", "get"),
    ("/v1/exports/{public_id}", "delete"),
)
RUNNERS = {
    "Shell": ["bash", "-c"],
    "Python": [sys.executable, "-c"],
    "JavaScript": ["node", "--input-type=module", "--eval"],
}


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return parse(COMMITTED.read_text())


def test_every_operation_with_an_api_key_has_samples(described: dict[str, Any]) -> None:
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            samples = {each["lang"]: each["source"] for each in operation.get("x-codeSamples", [])}
            assert bool(samples) == bool(operation.get("security")), path
            if len(samples) > 1:
                assert set(samples) == set(RUNNERS), (method, path)
                compile(samples["Python"], path, "exec")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("language", RUNNERS)
def test_the_samples_run(
    live_server: LiveServer, acme: Organization, described: dict[str, Any], language: str
) -> None:
    command = RUNNERS[language]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    _, key = ApiKey.objects.create_key(
        organization=acme, name="samples", scopes=[Scope.READ, Scope.WRITE]
    )
    environment = os.environ | {"BASE": live_server.url, "KEY": key}
    for path, method in RUN:
        samples = described["paths"][path][method]["x-codeSamples"]
        [source] = [each["source"] for each in samples if each["lang"] == language]
        done = subprocess.run(
            [*command, source], env=environment, capture_output=True, text=True, timeout=60
        )
        # curl succeeds if the response is an error.
        assert (done.returncode, "details" in done.stdout) == (0, False), (source, done)
        if method == "post":
            environment["ID"] = re.findall(r"exp_\w{26}", done.stdout)[0]
    assert not Export.objects.visible().exists()
