"""The Celery application; `celery -A exports_project` finds it."""

import gc
import logging
import os
from typing import Any

from celery import Celery
from celery.signals import (
    setup_logging,
    task_postrun,
    worker_before_create_process,
    worker_init,
    worker_ready,
)
from django.conf import settings
from django.db import connections
from structlog.contextvars import clear_contextvars

from exports_project import broker, processes
from longshore.database.postgres import require_supported
from longshore.jobs.heartbeats import Heartbeat

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exports_project.settings")

logger = logging.getLogger(__name__)

broker.register()
app = Celery("exports_project")
app.config_from_object("django.conf:settings", namespace="CELERY")


@app.on_after_configure.connect
def declare_queues(source: Any, **_: Any) -> None:
    """Declare the queues of Longshore and of the project.

    Not in the settings: those of a project come after ours, and this module is imported first.
    """
    own = settings.PROJECT_QUEUES
    source.task_queues = processes.celery_queues(settings.QUEUE_PREFIX, own)
    if own and source.task_default_queue == processes.DEFAULT_QUEUE:
        source.task_default_queue = next(iter(own))


app.autodiscover_tasks()
app.steps["consumer"].add(Heartbeat)


# Not beat_init, which beat sends only after it has read its schedule from the database.
@setup_logging.connect
def refuse_old_databases(**_: Any) -> None:
    require_supported()


@setup_logging.connect
def keep_django_logging(**_: Any) -> None:
    """Keep Django's logging: Celery configures none if this signal has a receiver."""


@worker_init.connect
def drop_texts_of_signals(**_: Any) -> None:
    """Drop the lines that Celery writes past the logging when a signal stops a worker."""
    from celery.apps import worker

    write = worker.safe_say  # type: ignore[attr-defined]

    def write_others(text: str, *file: Any) -> None:
        if not text.startswith("worker: "):
            write(text, *file)

    worker.safe_say = write_others  # type: ignore[attr-defined]


@worker_before_create_process.connect
def share_memory(**_: Any) -> None:
    """Exempt all objects from garbage collection, which would copy their pages in each process."""
    gc.collect()
    gc.freeze()


@worker_ready.connect
def log_replica_warnings(**_: Any) -> None:
    """Log the warnings of `manage.py check --database replica`."""
    # Not all database checks: others run the statements of all resources, which can take long.
    from exports.execution.replica import check_replica

    for message in check_replica(databases=[settings.EXPORT_DATABASE]):
        logger.warning("%s %s", message.msg, message.hint)
    connections.close_all()


@task_postrun.connect
def clear_log_context(**_: Any) -> None:
    """Clear the context by this signal, not in the task.

    Celery logs the exception of a task after its function has returned.
    """
    clear_contextvars()
