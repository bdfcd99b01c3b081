"""The vendor's own clients from the package index, unmodified, in a Node process."""

import base64
import hashlib
import hmac
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django.live_server_helper import LiveServer

from tests.conftest import KeyClient
from tests.dialects.commercelayer.conformance import LISTS, TOKENS, rows
from tests.exports.conftest import working
from tests.node import install_packages
from tests.webhooks.receiver import Receiver, receiving

pytestmark = pytest.mark.django_db(transaction=True)

_HERE = Path(__file__).parent
_FILES = ("package.json", "package-lock.json", "clients.mjs")


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the clients that the lock file names. Returns their folder."""
    folder = tmp_path_factory.mktemp("clients")
    for name in _FILES:
        shutil.copy(_HERE / name, folder)
    install_packages(folder)
    return folder


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as each:
        yield each


@pytest.fixture
def answers(
    clients: Path, alice: KeyClient, receiver: Receiver, live_server: LiveServer
) -> dict[str, Any]:
    """What the clients return, from a server with workers."""
    secret, target = alice.key, receiver.url()
    command = ["node", "clients.mjs", live_server.url, alice.api_key.prefix, secret, target]
    with working("large,quick,maintenance,webhooks"):
        done = subprocess.run(command, cwd=clients, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@rows.same(TOKENS, "`@commercelayer/js-auth` 8.0.1, unmodified")
@rows.same(LISTS, "`@commercelayer/sdk` 7.12.1, unmodified: exports, imports, webhooks")
def test_the_clients_create_poll_download_list_interrupt_and_subscribe(
    answers: dict[str, Any], receiver: Receiver
) -> None:
    assert answers["token"]["payload"]["organization"]["slug"] == "acme"
    assert answers["refused"]["errors"][0]["code"] == "UNAUTHORIZED"

    assert answers["import"]["status"] == "completed"
    assert answers["import"]["processed_count"] == 2
    assert answers["created"]["records_count"] == 2
    assert answers["exported"]["status"] == "completed"
    assert answers["contentEncoding"] is None
    assert {each["code"] for each in json.loads(answers["file"])} == {"SDK-1", "SDK-2"}
    updated = answers["updated"]
    assert (updated["reference"], updated["metadata"]) == ("changed", {"group": 8})
    assert answers["interrupted"]["status"] in ("interrupted", "completed")

    listed = answers["list"]
    assert answers["created"]["id"] in listed["ids"]
    assert listed["meta"]["recordCount"] == len(listed["ids"])
    assert listed["first"]["status"] == "completed"
    assert answers["count"] == 1
    names = ["exports.create", "exports.start", "exports.complete"]
    assert answers["events"] == names
    assert [each["name"] for each in answers["included"]["events"]] == names

    assert all(answers[name]["isApiError"] for name in ("empty", "unknown", "missing", "deleted"))
    assert answers["empty"]["errors"][0]["meta"]["error"] == "greater_than"
    assert answers["unknown"]["errors"][0]["meta"]["error"] == "inclusion"
    assert (answers["missing"]["status"], answers["deleted"]["status"]) == (404, 404)

    webhook = answers["webhook"]
    assert [each["id"] for each in answers["webhooks"]] == [webhook["id"]]
    assert answers["disabled"]["disabled_at"]
    assert answers["enabled"]["disabled_at"] is None
    assert answers["reset"]["circuit_failure_count"] == 0
    assert answers["callbacks"][0]["response_code"] == "204"
    message = receiver.messages[0]
    digest = hmac.new(webhook["shared_secret"].encode(), message.body, hashlib.sha256).digest()
    assert message.headers["x-commercelayer-signature"] == base64.b64encode(digest).decode()
    assert json.loads(message.body)["data"]["id"] == answers["created"]["id"]
