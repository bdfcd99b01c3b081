"""Signatures of messages as specified by Standard Webhooks (standardwebhooks.com)."""

from datetime import UTC, datetime

from standardwebhooks import Webhook

from longshore.accounts.sealing import unseal
from webhooks.models import Subscription


class Signer:
    """Signs the messages of a subscription with every valid secret: two during a rotation.

    Raises Unreadable if a secret cannot be decrypted.
    """

    def __init__(self, subscription: Subscription) -> None:
        sealed = [subscription.secret]
        ends_at = subscription.previous_secret_ends_at
        if ends_at and ends_at > datetime.now(UTC):
            sealed.append(subscription.previous_secret)
        self._keys = [Webhook(unseal(secret)) for secret in sealed]

    def headers(self, message_id: str, body: str) -> dict[str, str]:
        """Return the id, timestamp and signature headers of a message that is sent now."""
        now = datetime.now(UTC)
        signatures = [key.sign(message_id, now, body) for key in self._keys]
        return {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }
