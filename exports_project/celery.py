"""The Celery application; `celery -A exports_project` finds it."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, task_postrun
from structlog.contextvars import clear_contextvars

from exports.heartbeats import Heartbeat

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exports_project.settings")

app = Celery("exports_project")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["consumer"].add(Heartbeat)


@setup_logging.connect
def keep_django_logging(**_: Any) -> None:
    """Celery configures no logging of its own where this signal has a receiver."""


@task_postrun.connect
def forget_what_the_task_was_about(**_: Any) -> None:
    """Only now, for Celery logs what a task raised after it has ended."""
    clear_contextvars()
