"""The messages of webhooks in the form of 29next, and their signatures."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID, uuid5

from dialects.nextcommerce.exports.representation import ExportSerializer
from dialects.nextcommerce.versions import VERSION
from webhooks.envelopes import Envelope
from webhooks.events import EventType
from webhooks.models import Event, Subscription
from webhooks.payloads import Data

SIGNATURE_HEADER = "X-29Next-Signature"
# Namespace of the ids of events, which are UUIDs in this form.
_EVENTS = UUID("b0f7c7de-5c0c-4d0a-8a3e-3f6f1c2f9a29")


class NextCommerceEnvelope(Envelope):
    """A message names its event, its object and the webhook.

    29next has `export.created` only. The others report exports that will not become available, or
    are not available any more.
    """

    title = "29next"
    events = (
        EventType.EXPORT_CREATED.value,
        EventType.EXPORT_FAILED.value,
        EventType.EXPORT_CANCELED.value,
        EventType.EXPORT_EXPIRED.value,
    )
    signs_with_all_secrets = False

    def body(self, event: Event, data: Data, subscription: Subscription) -> str:
        """Return a body in the default form of `json.dumps`, as receivers serialize it again."""
        return json.dumps(
            {
                "api_version": api_version(subscription),
                "object": data["object"],
                "event_type": event.type,
                "event_id": str(uuid5(_EVENTS, event.public_id)),
                "data": _shown(data),
                "webhook": {
                    "id": subscription.organization_number,
                    "store": subscription.organization.slug,
                    "events": subscription.events,
                    "target": subscription.target,
                },
            }
        )

    def headers(self, secrets: Sequence[str], message_id: str, body: str) -> Mapping[str, str]:
        """Return the signature by the newest secret: the header has room for one."""
        signature = hmac.new(secrets[0].encode(), body.encode(), hashlib.sha256)
        return {SIGNATURE_HEADER: signature.hexdigest()}


def api_version(subscription: Subscription) -> str:
    return str(subscription.dialect_fields.get("api_version") or VERSION)


def _shown(data: Data) -> dict[str, Any]:
    """Return an export in the words of 29next; the data of a test unchanged."""
    return dict(ExportSerializer(data).data) if data["object"] == "export" else data
