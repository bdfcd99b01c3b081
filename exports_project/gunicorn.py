"""Gunicorn's configuration: `gunicorn -c python:exports_project.gunicorn`."""

from exports_project.settings import LOGGING, PORT

wsgi_app = "exports_project.wsgi"
bind = f"127.0.0.1:{PORT}"
worker_class = "exports_project.web.worker.Worker"
workers = 2
threads = 8
control_socket_disable = True
logconfig_dict = LOGGING | {
    "loggers": {
        **LOGGING["loggers"],
        "gunicorn.error": {"level": "WARNING", "propagate": True},
        "gunicorn.access": {"level": "INFO", "propagate": True},
        # A line for each request that waits for a thread.
        "waitress.queue": {"level": "ERROR"},
    }
}
