"""Signatures of messages as specified by Standard Webhooks (standardwebhooks.com)."""

from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

from longshore.accounts.sealing import unseal
from webhooks.models import Subscription


def valid_secrets(subscription: Subscription) -> list[str]:
    """Return the secrets that sign now, the newest first: two during a rotation.

    Raises Unreadable if a secret cannot be decrypted.
    """
    sealed = [subscription.secret]
    ends_at = subscription.previous_secret_ends_at
    if ends_at and ends_at > datetime.now(UTC):
        sealed.append(subscription.previous_secret)
    return [unseal(secret) for secret in sealed]


def headers(secrets: Sequence[str], message_id: str, body: str) -> dict[str, str]:
    """Return the id, timestamp and signature headers of a message that is sent now."""
    now = datetime.now(UTC)
    signatures = [Webhook(secret).sign(message_id, now, body) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
