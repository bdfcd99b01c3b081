"""States of subscriptions and deliveries in words."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from webhooks.admin.advice import advice_of
from webhooks.admin.causes import cause_of
from webhooks.admin.states import delivery_state, state_of, subscription_sentence
from webhooks.events import EventType
from webhooks.models import Attempt, Delivery, DeliveryStatus, Event, Subscription

REFUSED = "ConnectError: [Errno 111] Connection refused"


def subscription(**values: Any) -> Subscription:
    return Subscription(target="https://receiver.example.com/", events=["*"], **values)


def delivery(status: DeliveryStatus, of: Subscription | None = None, **values: Any) -> Delivery:
    event = Event(type=EventType.EXPORT_CREATED)
    return Delivery(subscription=of or subscription(), event=event, status=status, **values)


def attempt(error: str = "", code: int | None = None) -> Attempt:
    return Attempt(milliseconds=38, error=error, status_code=code)


def ago(**span: float) -> Any:
    return timezone.now() - timedelta(**span)


def ahead(**span: float) -> Any:
    return timezone.now() + timedelta(**span)


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (REFUSED, None, "connection refused"),
        ("ConnectError: The target's host has no address.", None, "host name not found"),
        ("ConnectError: [SSL: CERTIFICATE_VERIFY_FAILED] x", None, "TLS certificate not trusted"),
        ("ConnectError: [SSL: WRONG_VERSION_NUMBER] x", None, "TLS error"),
        ("Could not connect within 5 seconds: timed out", None, "no connection in time"),
        (
            "The response was not complete within 15 seconds.",
            None,
            "no complete response in time",
        ),
        ("The target responded with 503.", 503, "response 503 Service Unavailable"),
        ("The target responded with 299.", None, "response 299"),
        ("The response does not contain the challenge.", 204, "challenge not repeated"),
        ("The dialect 'x' is not installed.", None, "message format not installed"),
        (
            "The text is damaged, or was encrypted with another SECRET_KEY or salt.",
            None,
            "secret or header not readable",
        ),
        ("The target must begin with https://.", None, "target not allowed"),
        ("The target's port 81 is not allowed. Allowed ports: 443.", None, "target not allowed"),
        ('The target\'s host "x" is not public.', None, "address not public"),
        ("Something new.", None, "Something new"),
    ],
)
def test_an_error_is_explained(error: str, code: int | None, words: str) -> None:
    cause = cause_of(error, code)
    assert cause.words == words
    assert cause.advice.endswith(".")


def test_a_failing_subscription_says_since_when_why_and_when_it_is_sent_again() -> None:
    found = subscription(consecutive_failures=4, failing_since=ago(minutes=12), last_error=REFUSED)
    sentence = subscription_sentence(found, ahead(seconds=119))
    assert sentence == "Failing for 12 min: connection refused. Next attempt in 2 min."
    found.paused_until = ahead(hours=3)
    assert "Next attempt in 3 h." in subscription_sentence(found, ahead(seconds=5))
    assert subscription_sentence(found, None).endswith("No delivery is waiting.")
    found.paused_until = None
    assert "Next attempt due now." in subscription_sentence(found, ago(seconds=5))
    found.last_error = ""
    assert subscription_sentence(found, None).startswith("Failing for 12 min.")


def test_other_states_of_subscriptions() -> None:
    disabled = subscription(
        active=False, disabled_at=ago(days=2), disabled_reason="Gone.", last_error=""
    )
    assert subscription_sentence(disabled, None) == "Disabled by Longshore 2 d ago: Gone."
    assert subscription_sentence(subscription(active=False), None).startswith("Switched off")
    unverified = subscription(challenge="token", last_error="does not contain the challenge")
    assert "Last attempt: challenge not repeated." in subscription_sentence(unverified, None)
    assert [state_of(each) for each in (disabled, unverified)] == ["disabled", "unverified"]
    assert advice_of(subscription()) is None
    advice = advice_of(subscription(consecutive_failures=1, last_error=REFUSED))
    assert advice is not None
    assert "Nothing listens there." in advice.text


@pytest.mark.parametrize(
    ("wait", "last", "text"),
    [
        (timedelta(hours=2), attempt(REFUSED), "Connection refused, retry in 2 h."),
        (
            timedelta(minutes=-2),
            attempt("The target responded with 500.", 500),
            "Response 500 Internal Server Error, retry due now.",
        ),
    ],
)
def test_a_delivery_says_when_it_is_retried(wait: timedelta, last: Attempt, text: str) -> None:
    shown = delivery(
        DeliveryStatus.PENDING, attempts_count=1, next_attempt_at=timezone.now() + wait
    )
    label, _, found = delivery_state(shown, last)
    assert (label, found) == ("Retrying", text)


@pytest.mark.parametrize(
    ("shown", "last", "label", "text"),
    [
        (delivery(DeliveryStatus.PENDING), None, "Pending", "Attempt due now."),
        (
            delivery(DeliveryStatus.PENDING, attempts_count=0),
            attempt(REFUSED),  # Before it was redelivered.
            "Pending",
            "Attempt due now.",
        ),
        (
            delivery(DeliveryStatus.PENDING, subscription(challenge="token")),
            None,
            "Pending",
            "Held until the target repeats its challenge.",
        ),
        (
            delivery(DeliveryStatus.PENDING, subscription(active=False)),
            None,
            "Pending",
            "Not sent, because the webhook is inactive.",
        ),
        (delivery(DeliveryStatus.SENDING), None, "Sending", "Waiting for the response."),
        (
            delivery(DeliveryStatus.DELIVERED, attempts_count=1),
            attempt(code=204),
            "Delivered",
            "204 No Content in 38 ms.",
        ),
        (
            delivery(DeliveryStatus.FAILED, attempts_count=10),
            attempt(REFUSED),
            "Failed",
            "Gave up after 10 attempts: connection refused.",
        ),
        (
            delivery(DeliveryStatus.FAILED, attempts_count=1),
            attempt("The target responded with 410.", 410),
            "Failed",
            "Gave up after 1 attempt: response 410 Gone.",
        ),
        (
            delivery(DeliveryStatus.FAILED, attempts_count=2),
            attempt(REFUSED),
            "Failed",
            "Stopped after 2 attempts: the webhook became inactive or unverified. "
            "Last attempt: connection refused.",
        ),
        (
            delivery(DeliveryStatus.FAILED, attempts_count=0),
            None,
            "Failed",
            "Not sent: the webhook was inactive or unverified.",
        ),
    ],
)
def test_a_delivery_says_what_happened_and_what_comes(
    shown: Delivery, last: Attempt | None, label: str, text: str
) -> None:
    found_label, _, found_text = delivery_state(shown, last)
    assert (found_label, found_text) == (label, text)
