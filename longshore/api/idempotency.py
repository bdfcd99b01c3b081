"""Idempotent requests: the header Idempotency-Key."""

import hashlib
import json
import re
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpResponse
from django.utils.encoding import force_str
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.status import is_success

from longshore.accounts.authentication import key_of
from longshore.accounts.sealing import Unreadable, seal, unseal
from longshore.api.errors import ApiError, ErrorCode, InvalidInput, Problem
from longshore.api.models import IdempotencyKey
from longshore.api.views import ApiView
from longshore.database import chunks

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
MAX_KEY_LENGTH = 255
MAX_OPERATION_LENGTH = IdempotencyKey._meta.get_field("operation").max_length or 0
RETENTION = timedelta(hours=24)
_KEY = re.compile(f"[ -~]{{1,{MAX_KEY_LENGTH}}}")
_ACCEPTED = f"1 to {MAX_KEY_LENGTH} printable ASCII characters"

_View = TypeVar("_View", bound=ApiView)
_Arguments = ParamSpec("_Arguments")


def idempotent(
    handler: Callable[Concatenate[_View, Request, _Arguments], Response],
) -> Callable[Concatenate[_View, Request, _Arguments], HttpResponse]:
    """Decorate a method of a view: process a request at most once per Idempotency-Key.

    A request with the same key and body gets the first response again: its status, Location and
    body, and the header `Idempotent-Replayed: true`. A key belongs to an organization and an
    address, for 24 hours. Raises InvalidInput for a malformed key, and ApiError for a key that was
    used with another body or whose first response is not available any more.

    With a key, the method and the key's row share one transaction: a concurrent request with the
    same key waits for its end. An exception, or a response other than 2xx, rolls both back.
    Stored responses are sealed, because bodies may contain secrets.
    """

    @wraps(handler)
    def once(
        view: _View, request: Request, /, *args: _Arguments.args, **kwargs: _Arguments.kwargs
    ) -> HttpResponse:
        key = request.headers.get(HEADER)
        if key is None:
            return handler(view, request, *args, **kwargs)
        if not _KEY.fullmatch(key):
            raise malformed(key)
        fingerprint = _fingerprint(request.data)
        with transaction.atomic():
            row = _claim(request, key, fingerprint)
            is_first = not row.status
            if is_first:
                response = handler(view, request, *args, **kwargs)
                if not is_success(response.status_code):
                    transaction.set_rollback(True)
                    return response
                _store(row, response, _rendered(view, request, response), _subject(view, response))
        if _unsealed(row.fingerprint, key) != fingerprint:
            raise reused(key)
        if not row.body:
            raise _deleted(key)
        # The first response comes from the row, too: a replayed response cannot differ from it.
        stored = HttpResponse(
            _unsealed(row.body, key), request.accepted_renderer.media_type, row.status
        )
        if row.location:
            stored["Location"] = row.location
        if not is_first:
            stored[REPLAYED] = "true"
        return stored

    return once


def purge() -> None:
    """Delete keys older than RETENTION."""
    chunks.delete(IdempotencyKey.objects.filter(created_at__lte=Now() - RETENTION))


def purge_responses(organization_id: str, subject: str) -> None:
    """Delete the stored responses about a deleted object. Their keys stay used.

    subject: public id of the object.
    """
    rows = IdempotencyKey.objects.filter(organization=organization_id, subject=subject)
    rows.exclude(subject="").update(body="", location="")


def reused(key: str) -> ApiError:
    text = (
        f"This {HEADER} was used with another body in the last 24 hours. "
        "Send a new key with a new request, or the first body with this key."
    )
    return ApiError(ErrorCode.IDEMPOTENCY_KEY_REUSED, text, {HEADER: key})


def malformed(key: str) -> InvalidInput:
    text = f"The header {HEADER} must be {_ACCEPTED}."
    return InvalidInput(Problem(ErrorCode.INVALID_REQUEST, HEADER, key, text, _ACCEPTED))


def _deleted(key: str) -> ApiError:
    text = f"The object of the first request with this {HEADER} was deleted. Send a new key."
    return ApiError(ErrorCode.IDEMPOTENCY_KEY_REUSED, text, {HEADER: key})


def _unsealed(sealed: str, key: str) -> str:
    """Decrypt a part of the row of a key. Raises ApiError after a change of SECRET_KEY."""
    try:
        return unseal(sealed)
    except Unreadable:
        text = f"The response stored for this {HEADER} cannot be read any more. Send a new key."
        raise ApiError(ErrorCode.IDEMPOTENCY_KEY_REUSED, text, {HEADER: key}) from None


def _fingerprint(body: object) -> str:
    """Return the SHA-256 of a parsed body, in hex: white space and escapes do not count.

    The order of keys counts, because it determines the order of a file's columns.
    """
    return hashlib.sha256(json.dumps(body, separators=(",", ":")).encode()).hexdigest()


def _claim(request: Request, key: str, fingerprint: str) -> IdempotencyKey:
    """Return the row of a key. A row without a status belongs to this request.

    Waits for a concurrent request with the same key: for the row that it has inserted, or for the
    expired row that it has deleted.
    """
    organization = key_of(request).organization
    operation = _operation(request)
    rows = IdempotencyKey.objects.filter(organization=organization, operation=operation, key=key)
    rows.filter(created_at__lte=Now() - RETENTION).delete()
    row = IdempotencyKey(
        organization=organization, operation=operation, key=key, fingerprint=seal(fingerprint)
    )
    IdempotencyKey.objects.bulk_create([row], ignore_conflicts=True)
    return rows.get()


def _operation(request: Request) -> str:
    """Return the method and the path without a slash at its end.

    A path longer than the column is replaced by its SHA-256 in hex.
    """
    path = request.path.rstrip("/")
    operation = f"{request.method} {path}"
    if len(operation) <= MAX_OPERATION_LENGTH:
        return operation
    return f"{request.method} {hashlib.sha256(path.encode()).hexdigest()}"


def _subject(view: ApiView, response: Response) -> str:
    """Return the public id of the object that the view names, or of the Location, or the address.

    A view whose addresses have other ids than public ids sets its attribute `subject`.
    """
    created: str = response.get("Location", "").rstrip("/").rpartition("/")[2]
    return view.subject or created or view.kwargs.get("public_id", "")


def _store(row: IdempotencyKey, response: Response, body: str, subject: str) -> None:
    """Store the response of the first request with a key. subject: public id of its object."""
    row.status = response.status_code
    row.location = response.get("Location", "")
    row.body = seal(body)
    row.subject = subject
    row.save(update_fields=["status", "location", "body", "subject"])


def _rendered(view: ApiView, request: Request, response: Response) -> str:
    """Return the body as REST framework would send it."""
    context = view.get_renderer_context()
    renderer, media_type = request.accepted_renderer, request.accepted_media_type
    return force_str(renderer.render(response.data, media_type, context))
