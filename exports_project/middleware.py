"""Middleware of the project: request ids, probes and metrics, eval() in the admin."""

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

_GetResponse = Callable[[HttpRequest], HttpResponse]
# Accepted request ids. Any other text could forge log lines.
_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PROBES: dict[str, _GetResponse] = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}


def set_request_id(get_response: _GetResponse) -> _GetResponse:
    """Use the request's `X-Request-ID`, or a new id, in log lines and in the response.

    The log context is cleared by the next request, not at the end of this one: parts of a response
    and the line of the access log are written after this middleware has returned.
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


def serve_probes(get_response: _GetResponse) -> _GetResponse:
    """Serve probes and metrics before the checks of TLS and host.

    Probes and Prometheus use plain HTTP and an IP address instead of a host name.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        view = _PROBES.get(request.path_info)
        if view is None:
            return get_response(request)
        response = view(request)
        # Without a length the web server would close the connection. Django's CommonMiddleware sets
        # it for all other paths.
        response.headers.setdefault("Content-Length", str(len(response.content)))
        return response

    return middleware


def allow_eval_in_admin(get_response: _GetResponse) -> _GetResponse:
    """Allow eval() on pages of the admin only, whose Alpine.js compiles attributes with it.

    docs/decisions/the-admin-allows-eval-but-no-inline-script.md says why it is needed.
    """
    admin_path = reverse("admin:index")
    get_admin_response = csp_update({"script-src": [UNSAFE_EVAL]})(get_response)

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith(admin_path):
            return cast("HttpResponse", get_admin_response(request))
        return get_response(request)

    return middleware
