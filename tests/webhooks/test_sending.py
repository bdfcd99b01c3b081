"""One attempt at a real receiver: signatures, results, timeouts and headers."""

import json
import socket
import time
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks.webhooks import WebhookVerificationError

from longshore.accounts.sealing import seal
from tests.factories import DeliveryFactory
from tests.webhooks import receiver as behavior
from tests.webhooks.conftest import SECRET, the_delivery
from tests.webhooks.receiver import Behavior, Flood, Receiver, respond
from webhooks import network, runner, signing_secrets, subscriptions
from webhooks.models import Attempt, DeliveryStatus, Subscription
from webhooks.sending import Result, Sender

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def short_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "TIMEOUT_SECONDS", 0.5)


def send(subscription: Subscription) -> Result:
    delivery = DeliveryFactory.create(subscription=subscription)
    return Sender(subscription).send(delivery, {"text": "Grüße"})


def test_a_signature_is_verified_by_the_standard_library_of_webhooks(
    subscription: Subscription, receiver: Receiver
) -> None:
    result = send(subscription)
    [message] = receiver.messages
    event = result.delivery.event
    assert message.verified(SECRET) == {
        "id": event.public_id,
        "type": "export.created",
        "timestamp": event.created_at.isoformat().replace("+00:00", "Z"),
        "data": {"text": "Grüße"},
    }
    assert message.headers["content-type"] == "application/json"
    assert (result.succeeded, result.status_code, result.error) == (True, 204, "")
    with pytest.raises(WebhookVerificationError):
        message.verified(signing_secrets.generate())


def test_both_secrets_sign_until_the_previous_one_ends(
    subscription: Subscription, receiver: Receiver
) -> None:
    new = subscriptions.rotate(subscription, None)
    subscription.refresh_from_db()
    send(subscription)
    for secret in (SECRET, new):
        receiver.messages[0].verified(secret)
    subscription.previous_secret_ends_at = timezone.now()
    send(subscription)
    receiver.messages[1].verified(new)
    with pytest.raises(WebhookVerificationError):
        receiver.messages[1].verified(SECRET)


def test_headers_are_sent_but_do_not_override_ours(
    subscription: Subscription, receiver: Receiver
) -> None:
    subscription.headers = {
        "Authorization": seal("Bearer 1"),
        "Content-Type": seal("text/plain"),
    }
    send(subscription)
    headers = receiver.messages[0].headers
    assert (headers["authorization"], headers["content-type"]) == ("Bearer 1", "application/json")


def test_connections_are_reused(subscription: Subscription, receiver: Receiver) -> None:
    for _ in range(5):
        assert send(subscription).succeeded
    assert receiver.connections == 1


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_a_2xx_response_is_a_success(
    subscription: Subscription, receiver: Receiver, status: int
) -> None:
    receiver.behaviors["/"] = respond(status)
    assert send(subscription).succeeded


@pytest.mark.parametrize("status", [300, 304, 400, 401, 404, 410, 429, 500, 503])
def test_any_other_response_is_a_failure(
    subscription: Subscription, receiver: Receiver, status: int
) -> None:
    receiver.behaviors["/"] = respond(status, b"no" if status != 304 else b"")
    result = send(subscription)
    assert (result.succeeded, result.status_code) == (False, status)
    assert str(status) in result.error


def test_a_redirect_is_a_failure_and_is_not_followed(
    subscription: Subscription, receiver: Receiver
) -> None:
    elsewhere = receiver.url("/elsewhere")
    receiver.behaviors["/"] = respond(307, Location=elsewhere)
    result = send(subscription)
    assert result.error == "The target responded with 307, a redirect; redirects are not followed."
    assert receiver.ids("/elsewhere") == []


@pytest.mark.parametrize(
    ("behave", "status"),
    [
        (behavior.slowly(60), None),
        (behavior.drip_headers, None),
        (behavior.drip_body, 200),
    ],
)
def test_the_timeout_covers_the_whole_response(
    subscription: Subscription, receiver: Receiver, behave: Behavior, status: int | None
) -> None:
    receiver.behaviors["/"] = behave
    began = time.monotonic()
    result = send(subscription)
    # Each behavior takes at least 50 seconds.
    assert 0.4 < time.monotonic() - began < 20
    assert (result.succeeded, result.status_code) == (False, status)
    assert result.error == "The response was not complete within 0.5 seconds."
    assert 400 < result.milliseconds < 20_000


def test_a_reset_connection_is_a_failure(
    subscription: Subscription, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a busy machine, the other timeout would end first.
    monkeypatch.setattr(network, "TIMEOUT_SECONDS", 20)
    receiver.behaviors["/"] = behavior.reset
    result = send(subscription)
    assert result.status_code is None
    assert result.error.startswith("ReadError")


def test_a_refused_connection_is_a_failure(subscription: Subscription) -> None:
    subscription.target = "http://127.0.0.1:1/"
    result = send(subscription)
    assert result.error.startswith("ConnectError")


def test_a_connection_that_takes_too_long_is_reported_with_its_own_limit(
    subscription: Subscription, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(*args: object, **options: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    result = send(subscription)
    assert result.status_code is None
    assert result.error == (
        "Could not connect within 5 seconds: The target's host was not resolved in time."
    )


def test_only_the_first_kilobyte_of_a_large_response_is_read_and_stored(
    subscription: Subscription, receiver: Receiver
) -> None:
    flood = receiver.behaviors["/"] = Flood()
    result = send(subscription)
    assert result.succeeded
    assert result.response == "x" * 1024
    time.sleep(0.2)
    # The buffers of both sockets hold some of it.
    assert flood.sent < Flood.SIZE / 2


def test_a_response_that_is_not_valid_text_is_stored(
    subscription: Subscription, receiver: Receiver
) -> None:
    receiver.behaviors["/"] = respond(200, b"\0\xff\xfe" + "é".encode() * 600)
    DeliveryFactory.create(subscription=subscription)
    runner.run(subscription.pk)
    response = Attempt.objects.get().response
    assert response.startswith("\ufffd\ufffd\ufffdé")
    assert len(response.encode()) < 1100


def test_a_target_that_was_forbidden_later_is_not_reached(
    subscription: Subscription, receiver: Receiver, settings: Settings
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    result = send(subscription)
    assert "is not public" in result.error
    assert receiver.messages == []


def test_secrets_encrypted_with_another_secret_key_fail_the_attempt(
    subscription: Subscription, settings: Settings
) -> None:
    DeliveryFactory.create(subscription=subscription)
    old = settings.SECRET_KEY
    settings.SECRET_KEY = "another"  # noqa: S105
    runner.run(subscription.pk)
    delivery = the_delivery()
    assert delivery.status == DeliveryStatus.PENDING
    assert "SECRET_KEY" in delivery.attempts.get().error
    settings.SECRET_KEY_FALLBACKS = [old]
    assert send(subscription).succeeded


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("999999999999", 21600),
        ("-1", None),
        ("soon", None),
        ("", None),
        ("Mon, 01 Jan 2024 00:00:00 +99999999999999999999", None),
    ],
)
def test_retry_after_in_seconds_is_capped(
    subscription: Subscription, receiver: Receiver, text: str, seconds: float | None
) -> None:
    receiver.behaviors["/"] = respond(503, Retry_After=text)
    assert send(subscription).retry_after == seconds


def test_retry_after_may_be_a_date(subscription: Subscription, receiver: Receiver) -> None:
    date = (timezone.now() + timedelta(seconds=60)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    receiver.behaviors["/"] = respond(503, Retry_After=date)
    retry_after = send(subscription).retry_after
    assert retry_after is not None
    assert 55 < retry_after <= 60


def test_a_message_is_compact_json(subscription: Subscription, receiver: Receiver) -> None:
    send(subscription)
    body = receiver.messages[0].body.decode()
    assert body == json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":"))
