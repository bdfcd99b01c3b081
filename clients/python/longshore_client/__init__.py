"""Client for Longshore: exports, batches and webhooks."""

from longshore_client.client import Client
from longshore_client.errors import JobFailed, LongshoreError, WebhookVerificationError
from longshore_client.jobs import Batch, Export
from longshore_client.webhooks import verify_webhook

__all__ = [
    "Batch",
    "Client",
    "Export",
    "JobFailed",
    "LongshoreError",
    "WebhookVerificationError",
    "verify_webhook",
]
