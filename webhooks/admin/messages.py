"""The request and the responses of a delivery, as text."""

import json
from dataclasses import dataclass

from longshore.database.texts import storable
from longshore.jobs.admin.presentation import exact_time, json_text
from webhooks import envelopes, signing_secrets
from webhooks.admin.causes import Cause, cause_of
from webhooks.admin.states import outcome
from webhooks.models import Attempt, Delivery
from webhooks.sending import HIDDEN, MAX_STORED_BYTES, MAX_STORED_HEADER_CHARACTERS

_PER_ATTEMPT = "(made for each attempt)"


@dataclass(frozen=True)
class ShownAttempt:
    """One attempt of a delivery.

    number: of all attempts, also those of earlier requests; counted from 1.
    error, cause: why the attempt failed; "" and None if it succeeded.
    headers, body: of the response, as text; "" if there was none, or if it had none.
    notes: sentences about parts of the response that are not stored.
    """

    number: int
    time: str
    outcome: str
    error: str
    cause: Cause | None
    headers: str
    body: str
    notes: tuple[str, ...]

    @property
    def label(self) -> str:
        return f"the response to attempt {self.number}"


def request_headers(delivery: Delivery) -> str:
    """Return the headers of the request of a delivery, one per line; "" without its dialect.

    Values that may be secret are hidden; those that each attempt makes anew are described.
    """
    subscription, message_id = delivery.subscription, delivery.event.public_id
    try:
        envelope = envelopes.find(subscription.dialect)
    except envelopes.UnknownDialect:
        return ""
    # Only the names: the values belong to one attempt and to a secret.
    own = envelope.headers([signing_secrets.generate()], message_id, "")
    constant = {message_id, own.get("Content-Type")}
    headers = {
        **dict.fromkeys(sorted(subscription.headers), HIDDEN),
        "Content-Type": "application/json",
        **{name: value if value in constant else _PER_ATTEMPT for name, value in own.items()},
    }
    return "\n".join(f"{name}: {value}" for name, value in headers.items())


def request_body(delivery: Delivery) -> str:
    """Return the body of the request of a delivery, without links and without the challenge.

    "" if the dialect of the subscription is not installed: no message can be made.
    """
    event, subscription = delivery.event, delivery.subscription
    try:
        envelope = envelopes.find(subscription.dialect)
    except envelopes.UnknownDialect:
        return ""
    return json_text(json.loads(envelope.body(event, event.public_data, subscription)))


def shown_attempts(attempts: list[Attempt], total: int) -> list[ShownAttempt]:
    """Return attempts, newest first. attempts: the newest of `total`, oldest first."""
    first = total - len(attempts) + 1
    return [_shown(attempt, number) for number, attempt in enumerate(attempts, first)][::-1]


def _shown(attempt: Attempt, number: int) -> ShownAttempt:
    pairs = attempt.response_headers or []
    notes = []
    if attempt.response_headers is None and attempt.status_code:
        notes.append("The headers of this response were not stored.")
    if sum(len(name) + len(value) for name, value in pairs) >= MAX_STORED_HEADER_CHARACTERS:
        notes.append(f"The first {MAX_STORED_HEADER_CHARACTERS:,} characters of the headers.")
    if len(attempt.response.encode()) >= MAX_STORED_BYTES:
        notes.append(f"The first {MAX_STORED_BYTES:,} bytes of the body.")
    cause = cause_of(attempt.error, attempt.status_code) if attempt.error else None
    # The status code of a response says enough.
    reason = f": {cause.words}" if cause and not attempt.status_code else ""
    return ShownAttempt(
        number=number,
        time=exact_time(attempt.started_at),
        outcome=f"{outcome(attempt)}{reason}",
        error=attempt.error,
        cause=cause,
        headers="\n".join(f"{name}: {value}" for name, value in pairs),
        body=_pretty(attempt.response),
        notes=tuple(notes),
    )


def _pretty(text: str) -> str:
    """Return JSON with indentation, and any other text as it is."""
    try:
        pretty = json_text(json.loads(text))
    except (ValueError, RecursionError):
        return text
    # An escape may stand for half of a surrogate pair, which UTF-8 cannot encode.
    return pretty if storable(pretty) else text
