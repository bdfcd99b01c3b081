"""What comes before everything else: answers to who watches."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from exports.metrics import metrics
from exports_project.health import healthz, readyz

_Answer = Callable[[HttpRequest], HttpResponse]
_WATCHED: dict[str, _Answer] = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}


def answer_watchers(get_response: _Answer) -> _Answer:
    """Answer probes and scrapes, which come without TLS and to an address instead of a host."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return _WATCHED.get(request.path_info, get_response)(request)

    return middleware
