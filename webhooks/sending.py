"""One attempt: a request to a subscription's target, and what came of it."""

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

# From the first byte sent to the end of the answer, or of what is kept of it.
ANSWER_SECONDS = 15.0
MAX_STORED_BYTES = 1024
# However long a receiver asks to wait.
_MAX_WAIT_SECONDS = 6 * 3600


@dataclass(frozen=True)
class Result:
    """status_code: None where no answer came; retry_after: in seconds, if it asked for that."""

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
    """Sends to one subscription. Raises Unreadable where its secrets or headers are."""

    def __init__(self, subscription: Subscription) -> None:
        self._target = subscription.target
        self._signer = Signer(subscription)
        self._headers = {name: unseal(value) for name, value in subscription.headers.items()}

    def send(self, delivery: Delivery, body: str) -> Result:
        """POST a message and wait for the answer. Raises nothing that lies in the receiver."""
        headers = {
            **self._headers,
            "Content-Type": "application/json",
            **self._signer.headers(delivery.event.public_id, body),
        }
        started_at, began = timezone.now(), time.monotonic()
        answer, kept, error = None, b"", ""
        try:
            # The settings may have changed since it was stored.
            check_target(self._target)
            with (
                deadline.within(ANSWER_SECONDS),
                _client().stream(
                    "POST", self._target, content=body.encode(), headers=headers
                ) as answer,
            ):
                for block in answer.iter_raw():
                    kept += block
                    if len(kept) >= MAX_STORED_BYTES:
                        break
            error = _refusal(answer) or challenges.refusal(delivery.event, _text(kept))
        except InvalidTarget as invalid:
            error = str(invalid)
        except httpx.TimeoutException:
            error = f"There was no whole answer within {ANSWER_SECONDS:g} seconds."
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            error = f"{type(failure).__name__}: {failure}"
        return Result(
            delivery,
            started_at,
            round((time.monotonic() - began) * 1000),
            answer.status_code if answer else None,
            error,
            _text(kept),
            _retry_after(answer.headers.get("Retry-After", "")) if answer else None,
        )


@cache
def _client() -> httpx.Client:
    """One for the process, made when it first sends, so that connections are used again."""
    return network.client()


def _text(kept: bytes) -> str:
    return kept[:MAX_STORED_BYTES].decode("utf-8", "replace").replace("\0", "\ufffd")


def _refusal(answer: httpx.Response) -> str:
    """Why an answer is no success; "" for one."""
    if answer.is_success:
        return ""
    follow = ", a redirect, which is not followed" if answer.is_redirect else ""
    return f"The answer was {answer.status_code}{follow}."


def _retry_after(text: str) -> float | None:
    """Seconds, of a number or an HTTP date, within bounds; None for anything else."""
    if text.isascii() and text.isdigit():
        seconds = float(text[:9])
    else:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        seconds = (aware - timezone.now()).total_seconds()
    return min(max(0.0, seconds), _MAX_WAIT_SECONDS)
