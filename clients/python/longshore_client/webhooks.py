"""Webhooks: subscriptions, and the verification of received messages."""

import base64
import hmac
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from longshore_client.errors import WebhookVerificationError
from longshore_client.transport import Transport


class Webhooks:
    """The subscriptions of the organization, as JSON: docs/webhooks.md describes the fields."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def create(
        self, target: str, events: list[str], *, idempotency_key: str | None = None, **fields: Any
    ) -> dict[str, Any]:
        """Subscribe a URL. Only this response contains the `secret`."""
        body = {"target": target, "events": events, **fields}
        created: dict[str, Any] = self._transport.create("/v1/webhooks", idempotency_key, json=body)
        return created

    def list(self, **parameters: Any) -> Iterator[dict[str, Any]]:
        return self._transport.pages("/v1/webhooks", parameters)

    def delete(self, id: str) -> None:
        self._transport.request("DELETE", f"/v1/webhooks/{id}")


def verify_webhook(
    body: bytes, headers: Mapping[str, str], secrets: str | Iterable[str], tolerance: float = 300
) -> Any:
    """Return the message of a request that Longshore sent.

    body: the raw bytes of the request.
    secrets: the secret of the subscription, or several during a rotation.
    tolerance: maximum difference of the clocks and delay of the message, in seconds.

    Raises WebhookVerificationError; ValueError for a secret that is not valid.
    """
    keys = [_key(each) for each in ([secrets] if isinstance(secrets, str) else secrets)]
    lower = {name.lower(): value for name, value in headers.items()}
    id, timestamp, signatures = (
        lower.get(f"webhook-{name}", "") for name in ("id", "timestamp", "signature")
    )
    if not timestamp.isdecimal() or not abs(time.time() - int(timestamp)) <= tolerance:
        raise WebhookVerificationError("The timestamp is missing, too old, or in the future.")
    signed = f"{id}.{timestamp}.".encode() + body
    expected = [b"v1," + base64.b64encode(hmac.digest(key, signed, "sha256")) for key in keys]
    given = [each.encode() for each in signatures.split()]
    if not any(hmac.compare_digest(one, other) for one in expected for other in given):
        raise WebhookVerificationError("No signature is valid.")
    return json.loads(body)


def _key(secret: str) -> bytes:
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    if not key:
        raise ValueError("The secret is empty.")
    return key
