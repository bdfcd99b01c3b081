"""Has beat send the periodic tasks of an app, which its module `tasks` declares.

They have a queue of their own, so that the default queue is free for the tasks of a project.
"""

from datetime import timedelta

from celery import current_app
from celery.schedules import crontab

MAINTENANCE_QUEUE = "maintenance"


def schedule(title: str, task: str, when: timedelta | crontab) -> None:
    """Have beat send a task without arguments to the workers of maintenance.

    The task expires after one interval. For an hourly task use a crontab: a restart of beat
    restarts all intervals, so an hourly interval might never end.

    An entry of CELERY_BEAT_SCHEDULE with the same title takes precedence.
    """
    seconds = when.total_seconds() if isinstance(when, timedelta) else 3600
    options = {"expire_seconds": int(seconds), "queue": MAINTENANCE_QUEUE}
    entry = {"task": task, "schedule": when, "options": options}
    current_app.conf.beat_schedule.setdefault(title, entry)
