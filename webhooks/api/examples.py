"""Requests and successful responses of webhooks in the API description."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

from longshore.resources.request_examples import sample_resource

_RESOURCE, _PLURAL = sample_resource()

REQUESTS = [
    OpenApiExample(
        "Completed and failed exports",
        summary="The events of completed and failed exports",
        value={
            "target": "https://receiver.example.com/longshore",
            "events": ["export.created", "export.failed"],
            "name": "Warehouse",
            "headers": {"Authorization": "Bearer 7Qm…"},
        },
        request_only=True,
    ),
    OpenApiExample(
        f"Exports of {_PLURAL}",
        summary=f"All events of exports of {_PLURAL}",
        value={
            "target": "https://receiver.example.com/exports",
            "events": "*",
            "resources": [_RESOURCE],
        },
        request_only=True,
    ),
]
SUBSCRIPTION: dict[str, Any] = {
    "id": "whsub_01jd8x5m3v9q7r2t4w6y8z0abc",
    "object": "webhook",
    "number": 12,
    "url": "https://longshore.example/v1/webhooks/whsub_01jd8x5m3v9q7r2t4w6y8z0abc",
    "name": "Warehouse",
    "target": "https://receiver.example.com/longshore",
    "dialect": "",
    "events": ["export.created", "export.failed"],
    "resources": [],
    "types": [],
    "active": True,
    "verification": "not_required",
    "verified_at": None,
    "headers": ["Authorization"],
    "consecutive_failures": 0,
    "failing_since": None,
    "paused_until": None,
    "disabled_at": None,
    "disabled_reason": "",
    "previous_secret_ends_at": None,
    "created_at": "2024-12-25T14:30:00.123456Z",
    "updated_at": "2024-12-25T14:30:00.123456Z",
}
NEW_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="  # noqa: S105
CREATED = SUBSCRIPTION | {"secret": NEW_SECRET}
EVENT: dict[str, Any] = {
    "id": "evt_01jd8x5n0v9q7r2t4w6y8z0abd",
    "object": "event",
    "type": "export.created",
    "created_at": "2024-12-25T14:30:01.650000Z",
    "data": {
        "id": "exp_01jd8x5m3v9q7r2t4w6y8z0abc",
        "object": "export",
        "number": 1042,
        "url": "https://longshore.example/v1/exports/exp_01jd8x5m3v9q7r2t4w6y8z0abc",
        "resource": _RESOURCE,
        "type": None,
        "format": "csv",
        "compression": "none",
        "status": "completed",
        "created_at": "2024-12-25T14:30:00.123456Z",
        "started_at": "2024-12-25T14:30:00.200000Z",
        "completed_at": "2024-12-25T14:30:01.650000Z",
        "expires_at": "2024-12-26T14:30:01.650000Z",
        "estimated_completion": None,
        "records_count": 4211,
        "processed_count": 4211,
        "progress": 100,
        "download_url": "https://longshore.example/v1/exports/files/export.csv?signature=exp_Zx81kQ3a9nB7",
        "files": [
            {
                "name": "export.csv",
                "rows": 4211,
                "bytes": 391_824,
                "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            }
        ],
        "error": None,
        "warnings": [],
        "metadata": {"ticket": "A-17"},
    },
}
DELETED = EVENT | {
    "id": "evt_01jd8xp27v9q7r2t4w6y8z0abf",
    "type": "export.deleted",
    "created_at": "2024-12-25T14:41:13.027000Z",
    "data": EVENT["data"] | {"download_url": None, "files": [], "metadata": {}},
}
PENDING = {
    "id": "dlv_01jd8x5n1v9q7r2t4w6y8z0abe",
    "object": "delivery",
    "webhook": SUBSCRIPTION["id"],
    "event": EVENT["id"],
    "type": "export.created",
    "status": "pending",
    "created_at": "2024-12-25T14:30:01.650000Z",
    "next_attempt_at": "2024-12-25T14:30:01.650000Z",
    "completed_at": None,
    "attempts": [],
}
DELIVERED = PENDING | {
    "status": "delivered",
    "next_attempt_at": None,
    "completed_at": "2024-12-25T14:30:06.913000Z",
    "attempts": [
        {
            "started_at": "2024-12-25T14:30:01.661000Z",
            "milliseconds": 41,
            "status_code": 500,
            "error": "The target responded with 500.",
            "response": "Try again.",
        },
        {
            "started_at": "2024-12-25T14:30:06.870000Z",
            "milliseconds": 38,
            "status_code": 204,
            "error": "",
            "response": "",
        },
    ],
}
