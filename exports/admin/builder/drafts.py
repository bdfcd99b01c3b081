"""Requests that another page of the admin prepared for the builder, kept in the session."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from django.http import HttpRequest
from django.urls import reverse

_KEY = "export_drafts"
# A person may open the builder in several tabs.
_MAX_DRAFTS = 5


@dataclass(frozen=True)
class Draft:
    """A request for an organization; organization: its id, or ""."""

    organization: str
    body: Mapping[str, Any]


def url_of(request: HttpRequest, draft: Draft) -> str:
    """Keep a draft for the session of the person. Return the URL of the builder with it."""
    token = uuid4().hex
    kept = dict(list(request.session.get(_KEY, {}).items())[1 - _MAX_DRAFTS :])
    kept[token] = {"organization": draft.organization, "body": dict(draft.body)}
    request.session[_KEY] = kept
    return f"{reverse('admin:exports_export_build')}?draft={token}"


def get(request: HttpRequest, token: str) -> Draft | None:
    """Return a draft of the person's session; None for an unknown one."""
    kept = request.session.get(_KEY, {}).get(token)
    return Draft(**kept) if kept else None
