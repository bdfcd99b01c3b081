"""docs/webhooks.md: its statements are true, and its code verifies signatures of Longshore."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from longshore.accounts.sealing import seal
from tests.test_docs import DOCS, blocks, table
from webhooks import models, network, parsing, signing, signing_secrets, subscriptions
from webhooks.events import EventType
from webhooks.lifecycle import pauses, results
from webhooks.models import Subscription

PAGE = DOCS / "webhooks.md"
BODY = json.dumps({"type": "export.created", "data": {"name": "Zoë, 山田"}}, ensure_ascii=False)
OLD, NEW = signing_secrets.generate(), signing_secrets.generate()

# Returns whether a message is verified. Arguments: secret, headers, body, working directory.
Verify = Callable[[str, dict[str, str], str, Path], bool]


def in_python(secret: str, headers: dict[str, str], body: str, folder: Path) -> bool:
    namespace: dict[str, Any] = {}
    [code] = blocks(PAGE, "python")
    exec(code, namespace)  # noqa: S102
    try:
        message = namespace["verify"](secret, headers, body.encode())
    except WebhookVerificationError:
        return False
    assert message == json.loads(body)
    return True


def in_javascript(secret: str, headers: dict[str, str], body: str, folder: Path) -> bool:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    [code] = blocks(PAGE, "javascript")
    (folder / "verify.mjs").write_text(code)
    (folder / "main.mjs").write_text(
        'import { verify } from "./verify.mjs";\n'
        'import { readFileSync } from "node:fs";\n'
        "const [secret, headers] = process.argv.slice(2);\n"
        "console.log(JSON.stringify(verify(secret, JSON.parse(headers), readFileSync(0))));\n"
    )
    process = subprocess.run(
        [node, folder / "main.mjs", secret, json.dumps(headers)],
        input=body.encode(),
        capture_output=True,
    )
    if process.returncode:
        # Its own refusal, no mistake in the code.
        assert re.search(rb"Error: (timestamp|signature) is (missing|not valid)", process.stderr), (
            process.stderr
        )
        return False
    assert json.loads(process.stdout) == json.loads(body)
    return True


def in_a_shell(secret: str, headers: dict[str, str], body: str, folder: Path) -> bool:
    [code] = blocks(PAGE, "sh")
    (folder / "body").write_text(body)
    variables = {
        "ID": headers["webhook-id"],
        "TIMESTAMP": headers["webhook-timestamp"],
        "SIGNATURE": headers["webhook-signature"],
    }
    process = subprocess.run(
        ["/bin/sh", "-eu", "-c", f'{code}\nverify "$1" body && echo good', "sh", secret],
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )
    assert process.stderr == ""
    return process.stdout == "good\n"


@pytest.fixture(params=[in_python, in_javascript, in_a_shell])
def verify(request: pytest.FixtureRequest) -> Verify:
    chosen: Verify = request.param
    return chosen


def signed(**changes: object) -> dict[str, str]:
    subscription = Subscription(secret=seal(NEW), **changes)
    return signing.headers(signing.valid_secrets(subscription), "evt_1", BODY)


def test_the_documented_code_verifies_a_signed_message(verify: Verify, tmp_path: Path) -> None:
    assert verify(NEW, signed(), BODY, tmp_path)


def test_the_documented_code_accepts_both_secrets_during_a_rotation(
    verify: Verify, tmp_path: Path
) -> None:
    headers = signed(
        previous_secret=seal(OLD),
        previous_secret_ends_at=timezone.now() + timedelta(hours=1),
    )
    assert verify(NEW, headers, BODY, tmp_path)
    assert verify(OLD, headers, BODY, tmp_path)


@pytest.mark.parametrize(
    ("secret", "body", "changes"),
    [
        (OLD, BODY, {}),
        (NEW, BODY + " ", {}),
        (NEW, BODY, {"webhook-id": "evt_2"}),
        (NEW, BODY, {"webhook-signature": ""}),
        (NEW, BODY, {"webhook-signature": "v1,"}),
        (NEW, BODY, {"webhook-timestamp": "later"}),
        (NEW, BODY, {"webhook-timestamp": "earlier"}),
    ],
    ids=["secret", "body", "id", "no signature", "empty signature", "future", "past"],
)
@pytest.mark.slow
def test_the_documented_code_rejects_every_other_message(
    verify: Verify, tmp_path: Path, secret: str, body: str, changes: dict[str, str]
) -> None:
    headers = signed() | changes
    if "webhook-timestamp" in changes:
        headers = at(timedelta(minutes=6 if changes["webhook-timestamp"] == "later" else -6))
    assert not verify(secret, headers, body, tmp_path)


def at(difference: timedelta) -> dict[str, str]:
    """Return the headers of a message signed at another time."""
    when = timezone.now() + difference
    return {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(when.timestamp())),
        "webhook-signature": Webhook(NEW).sign("evt_1", when, BODY),
    }


def test_the_table_of_events_is_complete() -> None:
    assert [row[0].strip("`") for row in table("webhooks.md", "Event")] == EventType.values


def test_the_table_of_members_is_complete() -> None:
    named = [row[0].strip("`") for row in table("webhooks.md", "Field")]
    assert set(named) == set(parsing.SUBSCRIPTION_REQUEST.names)


def test_documented_numbers_equal_those_of_the_code() -> None:
    text = " ".join(PAGE.read_text().split())
    delays = [delay.total_seconds() for delay in results.DELAYS]
    words = {"5 seconds": 5, "30 seconds": 30, "3 minutes": 180, "18 minutes": 1080}
    assert all(word in text for word in words)
    assert delays[: len(words)] == list(words.values())
    assert "2 hours, 11 hours and then every 20 hours" in text
    assert [round(delay / 3600) for delay in delays[4:]] == [2, 11, 20, 20, 20]
    assert "attempts over three days" in text
    assert 3 <= sum(delays) / 86_400 < 3.5
    for words_of, number in {
        "up to {} attempts": len(results.DELAYS) + 1,
        "After {} consecutive failures, or five days": pauses.MAX_FAILURES,
        "within {} seconds": int(network.TIMEOUT_SECONDS),
        "newest {} attempts": models.MAX_SHOWN_ATTEMPTS,
        "a name of your own, up to {} characters": models.MAX_NAME_CHARACTERS,
        "up to {} subscriptions": subscriptions.MAX_SUBSCRIPTIONS,
        "up to {} headers to send with every delivery": parsing.MAX_HEADERS,
        "of {} to": signing_secrets.MIN_BYTES,
        "to {} bytes": signing_secrets.MAX_BYTES,
    }.items():
        assert words_of.format(number) in text, words_of
    assert pauses.MAX_FAILURE_AGE.days == 5
    assert subscriptions.OVERLAP.total_seconds() == 24 * 3600


def test_the_documented_subscription_is_accepted() -> None:
    [command] = [block for block in blocks(PAGE, "bash") if "--data" in block]
    body = json.loads(command.partition("--data '")[2].rpartition("'")[0])
    # The documented token contains an ellipsis; a real one is ASCII.
    body["headers"] = {name: text.strip("…") for name, text in body["headers"].items()}
    assert parsing.parse_new(body)["events"] == ["export.created", "export.failed"]
