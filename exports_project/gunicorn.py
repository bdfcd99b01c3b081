"""Gunicorn's configuration: `gunicorn -c python:exports_project.gunicorn`."""

from typing import Any

from structlog.contextvars import clear_contextvars

from exports_project.settings import LOGGING, PORT

wsgi_app = "exports_project.wsgi"
bind = f"127.0.0.1:{PORT}"
worker_class = "gthread"
workers = 2
threads = 8
control_socket_disable = True
logconfig_dict = LOGGING | {
    "loggers": {
        "gunicorn.error": {"level": "WARNING", "propagate": True},
        "gunicorn.access": {"level": "INFO", "propagate": True},
    }
}
# The path without its query string, for a signed link must not be kept in a log.
access_log_format = "%(h)s %(m)s %(U)s %(s)s, %(B)s bytes in %(M)s ms"


def post_request(worker: Any, request: Any, environ: Any, response: Any) -> None:
    """What this thread logs before the next request is of none."""
    clear_contextvars()
