"""The forms of messages: that of Longshore, and those that dialects register.

A subscription gets every message in the form of its dialect, also the messages about jobs that were
created in another one.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence

from webhooks import payloads, signing
from webhooks.events import ALL_EVENTS, EventType
from webhooks.models import Event, Subscription
from webhooks.payloads import Data


class UnknownDialect(Exception):
    """The dialect of a subscription is not installed."""


class Envelope(ABC):
    """The form of the messages of a dialect.

    title: the name of the dialect for people.
    events: the accepted values of `Subscription.events`. Messages of the type `webhook.test` are
        sent to every subscription, so every form needs them.
    signs_with_all_secrets: whether a message has a signature by each secret, so that receivers may
        still have the previous one during a rotation. False: only the newest secret signs.
    """

    title: str
    events: Collection[str]
    signs_with_all_secrets: bool = True

    @abstractmethod
    def body(self, event: Event, data: Data, subscription: Subscription) -> str:
        """Return the body of a message, exactly as it is signed and sent.

        data: that of the event, with fresh links (`payloads.complete`).
        """

    @abstractmethod
    def headers(self, secrets: Sequence[str], message_id: str, body: str) -> Mapping[str, str]:
        """Return the headers of a message that is sent now, its signature among them.

        secrets: those that sign now, the newest first. A secret is any text.
        message_id: public id of the event, the same in every attempt.
        A `Content-Type` replaces `application/json`.
        """


class _NativeEnvelope(Envelope):
    title = "Longshore"
    events = (ALL_EVENTS, *EventType.values)

    def body(self, event: Event, data: Data, subscription: Subscription) -> str:
        return payloads.body(event, data)

    def headers(self, secrets: Sequence[str], message_id: str, body: str) -> Mapping[str, str]:
        return signing.headers(secrets, message_id, body)


_envelopes: dict[str, Envelope] = {"": _NativeEnvelope()}


def register(dialect: str, envelope: Envelope) -> None:
    """Register the form of the messages of a dialect. It replaces an earlier one."""
    _envelopes[dialect] = envelope


def find(dialect: str) -> Envelope:
    """Return the form of the messages of a dialect. Raises UnknownDialect."""
    try:
        return _envelopes[dialect]
    except KeyError:
        raise UnknownDialect(f"The dialect {dialect!r} is not installed.") from None


def title_of(dialect: str) -> str:
    """Return the name of a dialect for people, also of one that is not installed."""
    return _envelopes[dialect].title if dialect in _envelopes else f"{dialect} (not installed)"


def signs_with_all_secrets(dialect: str) -> bool:
    """Return `Envelope.signs_with_all_secrets` of a dialect; False if it is not installed."""
    return dialect in _envelopes and _envelopes[dialect].signs_with_all_secrets
