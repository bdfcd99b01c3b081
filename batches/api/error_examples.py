"""Errors of batches in the API description, made by the code of the endpoints."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

from batches.api import errors
from batches.execution.preview import too_large
from batches.lifecycle import deadlines, limits, undo
from batches.models import Batch
from batches.request.parser import parse_batch, writable_resources
from longshore.accounts.models import Organization
from longshore.api.multipart import JsonAndFileParser
from longshore.api.openapi import raised, raised_errors, unknown_name
from longshore.jobs.statuses import Status
from longshore.resources.registry import registry

_ENDED = datetime(2024, 12, 25, 14, 30, tzinfo=UTC)
_ACME = Organization(name="Acme", slug="acme")


def invalid_bodies() -> Iterator[dict[str, Any]]:
    """Yield request bodies, each with one error; most of them need a resource."""
    data = [{"name": "Zoë"}]
    yield {"resource": unknown_name("shipmnt", registry.names()), "data": data}
    for name in writable_resources()[:1]:
        for change in (
            {"data": None},
            {"action": "upsert"},
            {"format": "pdf", "data": None, "upload": True},
            {"compression": "rar", "data": None, "upload": True},
            {"mapping": {"E-mail": "emial"}},
            {"timezone": "Mars/Olympus"},
            {"datetime_format": "yyyy-bb"},
        ):
            yield {"resource": name, "data": data, **change}


INVALID_BODIES = raised_errors(partial(parse_batch, body, _ACME) for body in invalid_bodies())
INVALID_MULTIPART = raised(lambda: JsonAndFileParser().parse(None, "multipart/form-data"))  # type: ignore[arg-type]
TOO_MANY_BYTES = limits.too_many_bytes(5 << 30)
FILES_EXPIRED = errors.files_expired(Batch(expires_at=_ENDED))
UPLOAD_EXPIRED = errors.upload_expired()
FILE_REQUIRED = errors.file_required()
PREVIEW_TOO_LARGE = too_large()
NOT_ENDED = undo.not_ended(Status.PROCESSING)
DRY_RUN = undo.nothing_to_undo("The batch was a dry run")
BEING_UNDONE = deadlines.being_undone(Batch(public_id="batch_01jg6hjk4q1t6fd9a3q7xzv0ra"))
UNDO_EXPIRED = deadlines.undo_expired(
    Batch(spec={}, started_at=_ENDED, completed_at=_ENDED, status=Status.COMPLETED)
)
