"""Configuration of gunicorn: `gunicorn -c python:exports_project.gunicorn`."""

import gc
import os
from typing import Any

from django.conf import settings
from django.db import connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exports_project.settings")

wsgi_app = "exports_project.wsgi"
bind = f"127.0.0.1:{settings.PORT}"
worker_class = "exports_project.web.worker.Worker"
workers = 2
threads = 8
# The processes share the memory of the application.
preload_app = True
worker_connections = 4096
control_socket_disable = True
logconfig_dict = settings.LOGGING | {
    "loggers": {
        **settings.LOGGING["loggers"],
        "gunicorn.error": {"level": "WARNING", "propagate": True},
        "gunicorn.access": {"level": "INFO", "propagate": True},
        # waitress logs every request that waits for a thread; our worker logs once a minute.
        "waitress.queue": {"level": "ERROR"},
    }
}


def on_starting(_: Any) -> None:
    from longshore.database.postgres import require_supported

    require_supported()


def when_ready(_: Any) -> None:
    """Load what the processes share, before they start.

    Exempt all objects from garbage collection, which would copy their pages in each process.
    """
    from exports_project import schema

    # Otherwise the first visitor of /docs in each process would wait for it, for seconds.
    schema.prepare()
    # A project may query the database meanwhile. The processes must not share the connection.
    connections.close_all()
    gc.collect()
    gc.freeze()
