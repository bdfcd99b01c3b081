"""One attempt: a signed request to the target of a subscription, and its result."""

import time
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache

import httpx
from django.utils import timezone

from longshore.accounts.sealing import unseal
from webhooks import challenges, deadline, envelopes, network, signing
from webhooks.models import Delivery, Subscription
from webhooks.payloads import Data
from webhooks.targets import InvalidTarget, check_target

# Maximum of the body of a response, and of all its headers together.
MAX_STORED_BYTES = 1024
MAX_STORED_HEADER_CHARACTERS = 4096
# Cap of a Retry-After.
_MAX_RETRY_AFTER_SECONDS = 6 * 3600
# Response status of a target that wants no more messages.
GONE = 410
# Stands for a value that is not stored or not shown.
HIDDEN = "(hidden)"


@dataclass(frozen=True)
class Result:
    """The result of an attempt.

    status_code: None if there was no response.
    error: why the attempt failed; "" if it succeeded.
    response: the first kilobyte of the body.
    retry_after: in seconds; None if the response did not ask for a delay.
    response_headers: pairs of name and value; None if there was no response.
    """

    delivery: Delivery
    started_at: datetime
    milliseconds: int
    status_code: int | None
    error: str
    response: str
    retry_after: float | None
    response_headers: list[tuple[str, str]] | None = None

    @property
    def succeeded(self) -> bool:
        return not self.error


class Sender:
    """Sends to one subscription, in the form of its dialect.

    Raises Unreadable if a secret or a header cannot be decrypted, UnknownDialect if its dialect is
    not installed.
    """

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._target = subscription.target
        self._envelope = envelopes.find(subscription.dialect)
        self._secrets = signing.valid_secrets(subscription)
        self._headers = {name: unseal(value) for name, value in subscription.headers.items()}

    def send(self, delivery: Delivery, data: Data) -> Result:
        """POST a message and wait for the response.

        data: that of the event, with fresh links.

        Failures of the target or of the network are part of the result, not raised.
        """
        body = self._envelope.body(delivery.event, data, self._subscription)
        # The names of headers are not case-sensitive: a later one replaces an earlier one.
        headers = httpx.Headers(network.HEADERS)
        headers.update(self._headers)
        headers["Content-Type"] = "application/json"
        headers.update(self._envelope.headers(self._secrets, delivery.event.public_id, body))
        started_at, began = timezone.now(), time.monotonic()
        response, stored, error = None, b"", ""
        try:
            # The settings may have changed since the target was stored.
            check_target(self._target)
            request = httpx.Request(
                "POST",
                self._target,
                headers=headers,
                content=body.encode(),
                extensions={"timeout": network.TIMEOUT.as_dict()},
            )
            with (
                deadline.within(network.TIMEOUT_SECONDS),
                closing(_transport().handle_request(request)) as response,
            ):
                for block in response.iter_raw():
                    stored += block
                    if len(stored) >= MAX_STORED_BYTES:
                        break
            error = _refusal(response) or challenges.refusal(
                delivery.event, _text(stored[:MAX_STORED_BYTES])
            )
        except InvalidTarget as invalid:
            error = str(invalid)
        except httpx.ConnectTimeout as timeout:
            error = f"Could not connect within {network.CONNECT_SECONDS:g} seconds: {timeout}"
        except httpx.TimeoutException:
            seconds = network.TIMEOUT_SECONDS
            error = f"The response was not complete within {seconds:g} seconds."
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            error = f"{type(failure).__name__}: {failure}"
        return Result(
            delivery,
            started_at,
            round((time.monotonic() - began) * 1000),
            response.status_code if response else None,
            error,
            _text(stored[:MAX_STORED_BYTES]),
            _retry_after(response.headers.get("Retry-After", "")) if response else None,
            _stored_headers(response) if response else None,
        )


@cache
def _transport() -> network.CheckedTransport:
    """Return the transport of this process, which reuses connections. Created after the fork."""
    return network.transport()


def _text(raw: bytes) -> str:
    """Decode bytes to text that PostgreSQL can store: valid UTF-8 without NUL."""
    return raw.decode("utf-8", "replace").replace("\0", "\ufffd")


def _stored_headers(response: httpx.Response) -> list[tuple[str, str]]:
    """Return the headers to store, the last of them cut. The value of a cookie is not stored."""
    found, left = [], MAX_STORED_HEADER_CHARACTERS
    for raw_name, raw_value in response.headers.raw:
        name, value = (_text(raw)[:left] for raw in (raw_name, raw_value))
        found.append((name, HIDDEN if name.lower() == "set-cookie" else value))
        left -= len(name) + len(value)
        if left <= 0:
            break
    return found


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
