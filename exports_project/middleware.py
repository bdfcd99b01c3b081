"""Runs before all other middleware: request ids, and responses to probes and scrapes."""

import re
from collections.abc import Callable
from typing import cast
from uuid import uuid4

from csp.constants import UNSAFE_EVAL
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from structlog.contextvars import bind_contextvars, clear_contextvars

from exports_project.health import healthz, readyz
from longshore.jobs.metrics import metrics

_Answer = Callable[[HttpRequest], HttpResponse]
# What a proxy may call a request; anything else could write what it likes into the log.
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_WATCHED: dict[str, _Answer] = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}


def name_requests(get_response: _Answer) -> _Answer:
    """Give each request the id of its `X-Request-ID`, or a new one, in its log and its answer.

    The log keeps it until the next request of this thread, for some of an answer, and gunicorn's
    line about it, are written when all here is done.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        sent = request.headers.get("X-Request-ID", "")
        request_id = sent if _REQUEST_ID.fullmatch(sent) else uuid4().hex
        clear_contextvars()
        bind_contextvars(request_id=request_id)
        response = get_response(request)
        response.headers["X-Request-ID"] = request_id
        return response

    return middleware


def answer_watchers(get_response: _Answer) -> _Answer:
    """Answer probes and scrapes, which come without TLS and to an address instead of a host."""

    def middleware(request: HttpRequest) -> HttpResponse:
        answer = _WATCHED.get(request.path_info)
        if answer is None:
            return get_response(request)
        response = answer(request)
        # Without a length the server would close the connection. Django's own middleware prevents
        # this for all other paths.
        response.headers.setdefault("Content-Length", str(len(response.content)))
        return response

    return middleware


def allow_eval_in_admin(get_response: _Answer) -> _Answer:
    """Let the admin's Alpine.js compile the expressions in its attributes; no other page may."""
    admin_path = reverse("admin:index")
    get_admin_response = csp_update({"script-src": [UNSAFE_EVAL]})(get_response)

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(admin_path):
            return cast("HttpResponse", get_admin_response(request))
        return get_response(request)

    return middleware
