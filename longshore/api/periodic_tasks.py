"""Declares the periodic tasks of an app, in its module `tasks`.

The tasks have a queue of their own, so that the default queue is free for those of a project.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from celery import current_app, shared_task
from celery.schedules import crontab

MAINTENANCE_QUEUE = "maintenance"


def maintenance_task(name: str) -> Callable[[Callable[[], None]], Any]:
    """Return the decorator of a task without arguments for the worker of maintenance."""
    decorator: Callable[[Callable[[], None]], Any] = shared_task(name=name, queue=MAINTENANCE_QUEUE)
    return decorator


def schedule(title: str, task: str, when: timedelta | crontab) -> None:
    """Have beat send a task.

    The task expires after one interval. For an hourly task use a crontab: a restart of beat
    restarts all intervals, so an hourly interval might never end.

    An entry of CELERY_BEAT_SCHEDULE with the same title takes precedence.
    """
    seconds = when.total_seconds() if isinstance(when, timedelta) else 3600
    entry = {"task": task, "schedule": when, "options": {"expire_seconds": int(seconds)}}
    current_app.conf.beat_schedule.setdefault(title, entry)
