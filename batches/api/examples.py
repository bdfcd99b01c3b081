"""Requests for batches and successful responses in the API description."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

from batches.request.parser import writable_resources

# Tag of the operations on batches.
BATCHES_TAG = "Batches"
_RESOURCE = next(iter(writable_resources()), "booking")
_ID = "batch_01jd8x5m3v9q7r2t4w6y8z0abc"
_URL = f"https://longshore.example/v1/batches/{_ID}"
_NAME = "people.csv"

REQUESTS = [
    OpenApiExample(
        "Records in the request",
        summary="Create and update records",
        value={
            "resource": _RESOURCE,
            "data": [{"name": "Zoë Ünal"}, {"name": "Łukasz Żak"}],
        },
        request_only=True,
    ),
    OpenApiExample(
        "An upload link",
        summary="Upload the file later",
        value={"resource": _RESOURCE, "upload": True, "format": "csv"},
        request_only=True,
    ),
    OpenApiExample(
        "A dry run",
        summary="Validate records without writing them",
        value={"resource": _RESOURCE, "dry_run": True, "mode": "sync", "data": [{"name": "Zoë"}]},
        request_only=True,
    ),
]
_PHASE = {"total": 4211, "processed": 4211, "success": 4211, "error": 0}
_FILE = {
    "rows": 4211,
    "bytes": 391_824,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}
QUEUED: dict[str, Any] = {
    "id": _ID,
    "object": "batch",
    "number": 1042,
    "url": _URL,
    "resource": _RESOURCE,
    "action": "merge",
    "only": None,
    "mode": "mixed",
    "via": "file",
    "dry_run": False,
    "status": "queued",
    "reason": "",
    "created_at": "2024-12-25T14:30:00.123456Z",
    "started_at": None,
    "completed_at": None,
    "expires_at": "2025-01-01T14:30:00.123456Z",
    "estimated_completion": None,
    "records_count": None,
    "processed_count": 0,
    "progress": 0,
    "phases": [],
    "stats": {"created": 0, "updated": 0, "unchanged": 0, "deleted": 0, "failed": 0},
    "input": {
        "name": _NAME,
        "bytes": _FILE["bytes"],
        "sha256": _FILE["sha256"],
        "format": None,
        "compression": None,
        "encoding": None,
        "delimiter": None,
        "quote": None,
        "mapping": {},
    },
    "files": [{"kind": "upload", "name": _NAME, "format": "", **_FILE, "rows": 0}],
    "upload": None,
    "error": None,
    "warnings": [],
    "metadata": {},
    "reverses": None,
    "undo": None,
    "can_undo_until": None,
    "request": {"resource": _RESOURCE},
}
REQUESTED = QUEUED | {
    "status": "requested",
    "expires_at": "2024-12-25T15:30:00.123456Z",
    "input": QUEUED["input"] | {"name": "upload", "bytes": None, "sha256": None},
    "files": [],
    "upload": {
        "url": "https://longshore.example/v1/batches/uploads/upload?signature=uploadZx81kQ3a9nB7",
        "method": "PUT",
        "headers": {},
        "expires_at": "2024-12-25T15:30:00.123456Z",
    },
    "request": {"resource": _RESOURCE, "upload": True},
}
_RESULT_NAME = "contacts-result-20241225T143000Z-z0abc.jsonl"
COMPLETED = QUEUED | {
    "status": "completed",
    "reason": "4,211 rows: 4,200 created, 11 updated.",
    "started_at": "2024-12-25T14:30:00.200000Z",
    "completed_at": "2024-12-25T14:30:01.650000Z",
    "records_count": 4211,
    "processed_count": 4211,
    "progress": 100,
    "phases": [{"name": name, **_PHASE} for name in ("parsing", "validation", "processing")],
    "stats": {"created": 4200, "updated": 11, "unchanged": 0, "deleted": 0, "failed": 0},
    "input": QUEUED["input"]
    | {
        "format": "csv",
        "compression": "none",
        "encoding": "utf-8",
        "delimiter": ";",
        "quote": '"',
        "mapping": {"Name": "name", "E-mail": "email", "Remarks": None},
    },
    "files": [
        {"kind": "upload", "name": _NAME, "format": "csv", **_FILE},
        {"kind": "result", "name": _RESULT_NAME, "format": "jsonl", **_FILE},
    ],
    "can_undo_until": "2025-01-01T14:30:01.650000Z",
}
LINK = f"https://longshore.example/v1/batches/files/{_RESULT_NAME}?signature={_ID}%2FZx81kQ3a9nB7"
ZIP_LINK = f"https://longshore.example/v1/batches/zips/{_ID}.zip?signature=zip%3A{_ID}Zx81kQ3a9nB7"
FILES = [
    {
        "kind": "result",
        "name": _RESULT_NAME,
        "format": "jsonl",
        "url": LINK,
        "expires_at": "2024-12-25T14:36:40.123456Z",
    }
]
ROW_ERRORS = [
    {
        "row": 3,
        "column": "E-mail",
        "value": "zoe@",
        "code": "invalid_value",
        "message": "Enter a valid email address.",
    }
]
UNDO = QUEUED | {
    "id": "batch_01jd9a7n5x1s9t4v6w8y0z2cde",
    "number": 1043,
    "url": "https://longshore.example/v1/batches/batch_01jd9a7n5x1s9t4v6w8y0z2cde",
    "mode": "async",
    "via": "api",
    "input": None,
    "files": [],
    "reverses": _ID,
    "request": {},
}
