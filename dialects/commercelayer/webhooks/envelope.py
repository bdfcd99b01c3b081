"""The form of deliveries: the document of an export or an import, signed with the shared secret."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

from dialects.commercelayer.documents import Shown, document
from dialects.commercelayer.errors import MEDIA_TYPE
from dialects.commercelayer.exports.rendering import render_export
from dialects.commercelayer.imports.rendering import render_import
from dialects.commercelayer.topics import TOPIC_OF
from exports.models import Export
from webhooks.envelopes import Envelope
from webhooks.models import Event, Subscription
from webhooks.payloads import Data

SIGNATURE = "X-CommerceLayer-Signature"


class CommerceLayerEnvelope(Envelope):
    """One document a message; the topic is that of the webhook."""

    title = "Commerce Layer"
    events = tuple(TOPIC_OF)
    signs_with_all_secrets = False

    def body(self, event: Event, data: Data, subscription: Subscription) -> str:
        [message] = payloads([event], [data])
        return json.dumps(message, ensure_ascii=False)

    def headers(self, secrets: Sequence[str], message_id: str, body: str) -> Mapping[str, str]:
        # Receivers compare one signature, with the secret that the webhook shows.
        digest = hmac.new(secrets[0].encode(), body.encode(), hashlib.sha256).digest()
        return {SIGNATURE: base64.b64encode(digest).decode(), "Content-Type": MEDIA_TYPE}


def payloads(events: Sequence[Event], found: Sequence[Data]) -> list[dict[str, Any]]:
    """Return the documents of the objects of events of one organization.

    found: the data of each event. An event that is about no job, such as a test, is shown as it is.
    """
    ids = [event.subject for event in events if _topic(event).startswith("exports.")]
    # An event has no request. A deleted export has an empty one.
    exports = Export.objects.filter(public_id__in=ids) if ids else Export.objects.none()
    requests = dict(exports.values_list("public_id", "request"))
    return [
        document(_shown(event, data, requests.get(event.subject, {})))
        for event, data in zip(events, found, strict=True)
    ]


def _topic(event: Event) -> str:
    return TOPIC_OF.get(event.type, "")


def _shown(event: Event, data: Data, request: Mapping[str, Any]) -> Shown:
    if _topic(event).startswith("exports."):
        return render_export({**data, "request": request})
    if _topic(event).startswith("imports."):
        return render_import(data)
    return Shown(str(data.get("object") or "events"), event.public_id, data)
