"""`manage.py webhook_listen`, run as a separate process."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from standardwebhooks.webhooks import Webhook

SECRET = "whsec_" + "c2VjcmV0IG9mIGEgdGVzdCwgMjQgYnl0ZXM="
COMMAND = [sys.executable, "manage.py", "webhook_listen"]
SECONDS = 30
BODY = json.dumps({"type": "export.created", "data": {"id": "exp_1", "name": "Zoë\u009b2J"}})


class Listener:
    """A running listener: its process, URL and output."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self.process, self.output = process, output
        self.url = self.wait_for(r"Listening on (http://127\.0\.0\.1:\d+/)")

    def wait_for(self, pattern: str) -> str:
        """Wait until the output matches a pattern; return its last group."""
        deadline = time.monotonic() + SECONDS
        while not (found := re.search(pattern, self.output.read_text())):
            assert self.process.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline, self.output.read_text()
            time.sleep(0.02)
        return found[len(found.groups())]

    def send(
        self,
        body: str = BODY,
        webhook_id: str = "evt_1",
        when: datetime | None = None,
        headers: dict[str, str] | None = None,
    ) -> int:
        """Send a signed message; return the status of the response."""
        return self.post(body, webhook_id, when, headers).status_code

    def post(
        self,
        body: str,
        webhook_id: str = "evt_1",
        when: datetime | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        when = when or datetime.now(UTC)
        signed = {
            "webhook-id": webhook_id,
            "webhook-timestamp": str(int(when.timestamp())),
            "webhook-signature": Webhook(SECRET).sign(webhook_id, when, body),
        }
        return httpx.post(self.url, content=body, headers=signed | (headers or {}))


@contextmanager
def listening(folder: Path, *arguments: str, **environment: str) -> Iterator[Listener]:
    output = folder / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            [*COMMAND, "--port", "0", *arguments],
            cwd=settings.BASE_DIR,
            env=os.environ | environment,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Listener(process, output)
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[Listener]:
    with listening(tmp_path, "--secret", SECRET) as process:
        yield process


@pytest.mark.slow
def test_a_delivery_is_verified_and_printed(listener: Listener) -> None:
    assert listener.send() == 204
    printed = listener.wait_for(r"(?s)\n\n(\d\d:\d\d:\d\d  export\.created  verified\n.*\n\}\n)")
    _, webhook_id, *lines = printed.splitlines()
    assert webhook_id == "evt_1"
    # Control characters are replaced, not sent to the terminal.
    assert json.loads("\n".join(lines)) == json.loads(BODY.replace("\\u009b", "\\ufffd"))
    assert SECRET not in listener.output.read_text()


@pytest.mark.slow
def test_a_duplicate_is_marked(listener: Listener) -> None:
    assert [listener.send(webhook_id=each) for each in ("evt_1", "evt_2", "evt_1")] == [204] * 3
    notes = re.findall(r"export\.created  (.*)\n(\w+)", listener.output.read_text())
    assert notes == [("verified", "evt_1"), ("verified", "evt_2"), ("verified, duplicate", "evt_1")]


@pytest.mark.slow
def test_messages_without_a_valid_signature_are_refused(listener: Listener) -> None:
    old = datetime.now(UTC) - timedelta(minutes=6)
    other = Webhook("whsec_b3RoZXI=").sign("evt_1", datetime.now(UTC), BODY)
    statuses = [
        listener.send(headers={"webhook-signature": other}),
        listener.send(when=old),
        listener.send(headers={"webhook-id": ""}),
        listener.send(headers={"webhook-signature": "nonsense"}),
        listener.send(body="not JSON"),
        httpx.post(listener.url, content=iter([b"{}"])).status_code,
    ]
    assert statuses == [400] * 6
    reasons = re.findall(r"refused  (.*)", listener.output.read_text())
    assert reasons == [
        "No matching signature found.",
        "Message timestamp too old.",
        "Missing required headers.",
        "The signature or the body is malformed.",
        "The signature or the body is malformed.",
        "The body has no Content-Length or exceeds 1,048,576 bytes.",
    ]


@pytest.mark.slow
def test_the_token_of_a_challenge_is_repeated(listener: Listener) -> None:
    data = {"object": "webhook", "id": "whsub_1", "challenge": "kYb0q1"}
    response = listener.post(json.dumps({"type": "webhook.challenge", "data": data}))
    assert (response.status_code, response.text) == (200, "kYb0q1")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.slow
def test_a_signal_stops_it_with_a_summary(listener: Listener, number: int) -> None:
    assert listener.send() == 204
    listener.process.send_signal(number)
    assert listener.process.wait(SECONDS) == 0
    assert listener.output.read_text().endswith("\nStopped. Verified messages: 1.\n")


@pytest.mark.slow
def test_the_secret_is_read_from_the_environment(tmp_path: Path) -> None:
    with listening(tmp_path, WEBHOOK_SECRET=SECRET) as listener:
        assert listener.send() == 204


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_a"])
@pytest.mark.slow
def test_an_invalid_secret_is_an_error(secret: str) -> None:
    assert "Give the signing secret of the subscription" in failure(f"--secret={secret}")


@pytest.mark.slow
def test_a_port_in_use_is_an_error_that_names_it(listener: Listener) -> None:
    port = listener.url.rpartition(":")[2].strip("/")
    assert f"Cannot listen on port {port}" in failure("--secret", SECRET, "--port", port)


def failure(*arguments: str) -> str:
    process = subprocess.run(
        [*COMMAND, *arguments],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert process.returncode == 1
    return process.stderr
