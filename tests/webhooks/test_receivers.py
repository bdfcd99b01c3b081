"""docs/recipes/webhooks.md: its receivers accept messages that Longshore signs, and no others."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.utils import timezone
from standardwebhooks import Webhook

from exports_project.embedded import child_processes
from longshore.accounts.sealing import seal
from tests.recovery.services import free_port
from tests.test_docs import DOCS, blocks
from webhooks import signing, signing_secrets
from webhooks.models import Subscription

PAGE = DOCS / "recipes" / "webhooks.md"
MESSAGE = {
    "id": "evt_1",
    "type": "webhook.test",
    "data": {"name": "Zoë, 山田", "challenge": "kYb0"},
}
BODY = json.dumps(MESSAGE, ensure_ascii=False)
OLD, NEW = signing_secrets.generate(), signing_secrets.generate()
# A Go program is compiled first.
START_SECONDS = 300
COMMANDS = {
    "python": [sys.executable, "receiver.py"],
    "javascript": ["node", "receiver.mjs"],
    "php": ["php", "-S", "127.0.0.1:9000", "receiver.php"],
    "go": ["go", "run", "receiver.go"],
}

# Sends a message to a receiver; returns the challenge that it repeats, or None if it refuses it.
Send = Callable[[str, dict[str, str], str], str | None]


@contextmanager
def receiver(language: str, secret: str, folder: Path) -> Iterator[str]:
    """Run the receiver of the page on a free port; return its URL."""
    command = COMMANDS[language]
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    port = str(free_port())
    [code] = blocks(PAGE, language)
    (folder / command[-1]).write_text(code.replace("9000", port))
    with (folder / "output").open("wb") as output:
        process = child_processes.spawn(
            [part.replace("9000", port) for part in command],
            output=output,
            cwd=folder,
            env=os.environ | {"SECRET": secret, "HOME": str(folder)},
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while not listens(int(port)):
            assert process.poll() is None, (folder / "output").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/"
    finally:
        # Of `go run` too, which does not pass the signal on.
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


@pytest.fixture(scope="module", params=[*COMMANDS, "sh"])
def send(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Send]:
    if request.param == "sh":
        yield in_a_shell
        return
    folders = {secret: tmp_path_factory.mktemp("receiver") for secret in (OLD, NEW)}
    with (
        receiver(request.param, OLD, folders[OLD]) as old,
        receiver(request.param, NEW, folders[NEW]) as new,
    ):
        urls = {OLD: old, NEW: new}

        def by_http(secret: str, headers: dict[str, str], body: str) -> str | None:
            response = httpx.post(urls[secret], content=body.encode(), headers=headers, timeout=60)
            assert response.status_code in (200, 400), response.text
            return response.text if response.is_success else None

        yield by_http


def in_a_shell(secret: str, headers: dict[str, str], body: str) -> str | None:
    [code] = blocks(PAGE, "sh")
    variables = {
        "ID": headers["webhook-id"],
        "TIMESTAMP": headers["webhook-timestamp"],
        "SIGNATURE": headers["webhook-signature"],
    }
    process = subprocess.run(
        ["/bin/sh", "-eu", "-c", f'{code}\nverify "$1" /dev/stdin && echo kYb0', "sh", secret],
        env=os.environ | variables,
        input=body.encode(),
        capture_output=True,
    )
    assert process.stderr == b""
    return process.stdout.decode().strip() or None


def signed(**changes: Any) -> dict[str, str]:
    subscription = Subscription(secret=seal(NEW), **changes)
    return signing.headers(signing.valid_secrets(subscription), "evt_1", BODY)


def test_a_signed_message_is_accepted_and_its_challenge_repeated(send: Send) -> None:
    # A repeated message is accepted too.
    assert [send(NEW, signed(), BODY) for _ in range(2)] == ["kYb0", "kYb0"]


def test_both_secrets_are_accepted_during_a_rotation(send: Send) -> None:
    headers = signed(
        previous_secret=seal(OLD),
        previous_secret_ends_at=timezone.now() + timedelta(hours=1),
    )
    assert send(NEW, headers, BODY) == send(OLD, headers, BODY) == "kYb0"


@pytest.mark.parametrize(
    ("secret", "body", "changes"),
    [
        (OLD, BODY, {}),
        (NEW, BODY + " ", {}),
        (NEW, BODY, {"webhook-id": "evt_2"}),
        (NEW, BODY, {"webhook-signature": ""}),
        (NEW, BODY, {"webhook-signature": "v1,"}),
        (NEW, BODY, {"webhook-signature": "v1"}),
        (NEW, BODY, {"webhook-timestamp": "later"}),
        (NEW, BODY, {"webhook-timestamp": "earlier"}),
    ],
    ids=["secret", "body", "id", "no signature", "empty", "no comma", "future", "past"],
)
@pytest.mark.slow
def test_every_other_message_is_refused(
    send: Send, secret: str, body: str, changes: dict[str, str]
) -> None:
    headers = signed() | changes
    if "webhook-timestamp" in changes:
        headers = at(timedelta(minutes=6 if changes["webhook-timestamp"] == "later" else -6))
    assert send(secret, headers, body) is None


def at(difference: timedelta) -> dict[str, str]:
    """Return the headers of a message signed at another time."""
    when = timezone.now() + difference
    return {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(when.timestamp())),
        "webhook-signature": Webhook(NEW).sign("evt_1", when, BODY),
    }


def test_every_program_of_the_page_is_tested() -> None:
    languages = set(re.findall(r"^```(\w+)$", PAGE.read_text(), re.MULTILINE))
    assert languages == {*COMMANDS, "sh", "bash"}
