"""Operations on webhooks in the description of the dialect."""

from typing import Any

from dialects.nextcommerce.documentation import operation
from dialects.nextcommerce.versions import VERSION
from dialects.nextcommerce.webhooks.representation import WebhookSerializer
from dialects.nextcommerce.webhooks.requests import (
    WebhookFiltersSerializer,
    WebhookRequestSerializer,
)
from longshore.api.openapi import response_example
from longshore.jobs.api.documentation import Operations

_TAG = "webhooks"
_WEBHOOK: dict[str, Any] = {
    "id": 39,
    "name": "Warehouse",
    "target": "https://receiver.example.com/next",
    "events": ["export.created"],
    "active": True,
    "secret_key": None,
    "api_version": VERSION,
    "created_at": "2025-04-01T12:00:00Z",
    "updated_at": "2025-04-01T12:00:00Z",
    "warning_count": 0,
    "next_check_date": None,
}
_EXAMPLES = [response_example("A webhook", _WEBHOOK)]
_DUPLICATE = {409: "The organization has an equal webhook."}
_WRITE_ONLY = "The response shows `secret_key` only if the request sets it."

webhooks: Operations = {
    "list": operation(
        "webhooksList",
        tag=_TAG,
        summary="List webhooks",
        description="Those that this API created, newest first. Unknown parameters have no effect.",
        response=WebhookSerializer(many=True),
        parameters=[WebhookFiltersSerializer],
        errors={404: "The cursor does not belong to this list."},
        examples=_EXAMPLES,
    ),
    "create": operation(
        "webhooksCreate",
        tag=_TAG,
        summary="Create a webhook",
        description="Only this response shows a generated `secret_key`.",
        request=WebhookRequestSerializer,
        response=WebhookSerializer,
        status=201,
        errors={
            409: "The organization has an equal webhook or the maximum number of webhooks, or the "
            "Idempotency-Key was used with another request."
        },
        examples=[response_example("Created", _WEBHOOK | {"secret_key": "my signing secret"})],
        is_idempotent=True,
    ),
    "retrieve": operation(
        "webhooksRetrieve",
        tag=_TAG,
        summary="Retrieve a webhook",
        response=WebhookSerializer,
        of_one=True,
        examples=_EXAMPLES,
    ),
    "update": operation(
        "webhooksUpdate",
        tag=_TAG,
        summary="Update a webhook",
        description=_WRITE_ONLY,
        request=WebhookRequestSerializer,
        response=WebhookSerializer,
        of_one=True,
        errors=_DUPLICATE,
        examples=_EXAMPLES,
    ),
    "partial_update": operation(
        "webhooksPartialUpdate",
        tag=_TAG,
        summary="Update some fields of a webhook",
        description=_WRITE_ONLY,
        request=WebhookRequestSerializer(partial=True),
        response=WebhookSerializer,
        of_one=True,
        errors=_DUPLICATE,
        examples=_EXAMPLES,
    ),
    "destroy": operation(
        "webhooksDestroy",
        tag=_TAG,
        summary="Delete a webhook",
        response=None,
        status=204,
        of_one=True,
    ),
}
