"""The messages of webhooks: events named `topic.action`, about objects in the words of PackageX."""

import json
from collections.abc import Mapping, Sequence

from dialects.packagex.batches.representation import show_batch
from dialects.packagex.exports.representation import show_export
from webhooks import signing
from webhooks.envelopes import Envelope
from webhooks.events import ALL_EVENTS, EventType
from webhooks.models import Event, Subscription
from webhooks.payloads import Data


class PackageXMessages(Envelope):
    """PackageX documents the names of events, but no body. The fields are those of its objects.

    PackageX authenticates messages by a header that the subscriber chooses: `Subscription.headers`.
    The signature of Standard Webhooks is sent, too.
    """

    title = "PackageX"
    events = (ALL_EVENTS, *EventType.values)

    def body(self, event: Event, data: Data, subscription: Subscription) -> str:
        message = {
            "id": event.public_id,
            "object": "event",
            "event": event.type,
            "organization_id": event.organization_id,
            "created_at": int(event.created_at.timestamp()),
            "data": _show(event, data),
        }
        return json.dumps(message, ensure_ascii=False, separators=(",", ":"))

    def headers(self, secrets: Sequence[str], message_id: str, body: str) -> Mapping[str, str]:
        return signing.headers(secrets, message_id, body)


def _show(event: Event, data: Data) -> Data:
    match data.get("object"):
        case "export":
            return show_export(data)
        case "batch":
            return show_batch(data, event.organization_id)
    return data
