"""One attempt: a signed request to the target of a subscription, and its result."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache

import httpx
from django.utils import timezone

from longshore.accounts.sealing import unseal
from webhooks import challenges, deadline, network
from webhooks.models import Delivery, Subscription
from webhooks.signing import Signer
from webhooks.targets import InvalidTarget, check_target

# Timeout of a whole attempt: until the response has ended or its stored part is complete.
TIMEOUT_SECONDS = 15.0
MAX_STORED_BYTES = 1024
# Cap of a Retry-After.
_MAX_RETRY_AFTER_SECONDS = 6 * 3600
# Response status of a target that wants no more messages.
GONE = 410


@dataclass(frozen=True)
class Result:
    """The result of an attempt.

    status_code: None if there was no response.
    error: why the attempt failed; "" if it succeeded.
    response: the first kilobyte of the body.
    retry_after: in seconds; None if the response did not ask for a delay.
    """

    delivery: Delivery
    started_at: datetime
    milliseconds: int
    status_code: int | None
    error: str
    response: str
    retry_after: float | None

    @property
    def succeeded(self) -> bool:
        return not self.error


class Sender:
    """Sends to one subscription.

    Raises Unreadable if a secret or a header cannot be decrypted.
    """

    def __init__(self, subscription: Subscription) -> None:
        self._target = subscription.target
        self._signer = Signer(subscription)
        self._headers = {name: unseal(value) for name, value in subscription.headers.items()}

    def send(self, delivery: Delivery, body: str) -> Result:
        """POST a message and wait for the response.

        Failures of the target or of the network are part of the result, not raised.
        """
        headers = {
            **self._headers,
            "Content-Type": "application/json",
            **self._signer.headers(delivery.event.public_id, body),
        }
        started_at, began = timezone.now(), time.monotonic()
        response, stored, error = None, b"", ""
        try:
            # The settings may have changed since the target was stored.
            check_target(self._target)
            with (
                deadline.within(TIMEOUT_SECONDS),
                _client().stream(
                    "POST", self._target, content=body.encode(), headers=headers
                ) as response,
            ):
                for block in response.iter_raw():
                    stored += block
                    if len(stored) >= MAX_STORED_BYTES:
                        break
            error = _refusal(response) or challenges.refusal(delivery.event, _text(stored))
        except InvalidTarget as invalid:
            error = str(invalid)
        except httpx.TimeoutException:
            error = f"The response was not complete within {TIMEOUT_SECONDS:g} seconds."
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            error = f"{type(failure).__name__}: {failure}"
        return Result(
            delivery,
            started_at,
            round((time.monotonic() - began) * 1000),
            response.status_code if response else None,
            error,
            _text(stored),
            _retry_after(response.headers.get("Retry-After", "")) if response else None,
        )


@cache
def _client() -> httpx.Client:
    """Return the client of this process, which reuses connections. Created after the fork."""
    return network.client()


def _text(body: bytes) -> str:
    """Decode a body to text that PostgreSQL can store: valid UTF-8 without NUL."""
    return body[:MAX_STORED_BYTES].decode("utf-8", "replace").replace("\0", "\ufffd")


def _refusal(response: httpx.Response) -> str:
    """Return why a response is a failure, or "" if it is a success."""
    if response.is_success:
        return ""
    redirect = ", a redirect; redirects are not followed" if response.is_redirect else ""
    return f"The target responded with {response.status_code}{redirect}."


def _retry_after(text: str) -> float | None:
    """Parse a Retry-After header, a number of seconds or an HTTP date, into capped seconds.

    Returns None if it is neither.
    """
    if text.isascii() and text.isdigit():
        seconds = float(text[:9])
    else:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (aware - timezone.now()).total_seconds()
    return min(max(0.0, seconds), _MAX_RETRY_AFTER_SECONDS)
