"""Requests for exports and successful responses in the API description."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

from longshore.resources.request_examples import request_examples, sample_resource

# Tag of the operations on exports.
EXPORTS_TAG = "Exports"

REQUESTS = [
    OpenApiExample(each.title, summary=each.summary, value=each.body, request_only=True)
    for each in request_examples
]
_RESOURCE, _PLURAL = sample_resource()

QUEUED: dict[str, Any] = {
    "id": "exp_01jd8x5m3v9q7r2t4w6y8z0abc",
    "object": "export",
    "number": 1042,
    "url": "https://longshore.example/v1/exports/exp_01jd8x5m3v9q7r2t4w6y8z0abc",
    "resource": _RESOURCE,
    "type": None,
    "date_from": None,
    "date_to": None,
    "format": "csv",
    "compression": "none",
    "status": "queued",
    "created_at": "2024-12-25T14:30:00.123456Z",
    "started_at": None,
    "completed_at": None,
    "expires_at": "2024-12-26T14:30:00.123456Z",
    "estimated_completion": "2024-12-25T14:30:02.123456Z",
    "records_count": 4211,
    "processed_count": 0,
    "progress": 0,
    "download_url": None,
    "files": [],
    "error": None,
    "warnings": [],
    "metadata": {},
    "request": {"resource": _RESOURCE},
}
LINK = (
    f"https://longshore.example/v1/exports/files/{_PLURAL}-20241225T143000Z-z0abc.csv"
    "?signature=exp_01jd8x5m3v9q7r2t4w6y8z0abc%2FZx81kQ3a9nB7"
)
ZIP_LINK = (
    "https://longshore.example/v1/exports/zips/exp_01jd8x5m3v9q7r2t4w6y8z0abc.zip"
    "?signature=zip%3Aexp_01jd8x5m3v9q7r2t4w6y8z0abcZx81kQ3a9nB7"
)
COMPLETED = QUEUED | {
    "status": "completed",
    "started_at": "2024-12-25T14:30:00.200000Z",
    "completed_at": "2024-12-25T14:30:01.650000Z",
    "estimated_completion": None,
    "processed_count": 4211,
    "progress": 100,
    "download_url": LINK,
    "files": [
        {
            "name": f"{_PLURAL}-20241225T143000Z-z0abc.csv",
            "rows": 4211,
            "bytes": 391_824,
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        }
    ],
}
