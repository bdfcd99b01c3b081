"""Defines the Celery tasks of a kind of job, and schedules the periodic ones.

Each task may run twice or die half-way.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from celery import current_app, shared_task
from celery.schedules import crontab

from longshore.jobs import maintenance
from longshore.jobs.kinds import JobKind
from longshore.jobs.lifecycle import Lifecycle
from longshore.jobs.models import Job

J = TypeVar("J", bound=Job)

# A task expires after one interval. The hourly task uses a crontab: a restart of beat restarts all
# intervals, so an hourly interval might never end.
_SCHEDULES: dict[str, dict[str, Any]] = {
    "recover": {"schedule": timedelta(seconds=5), "options": {"expire_seconds": 5}},
    "expire": {"schedule": timedelta(minutes=1), "options": {"expire_seconds": 60}},
    "purge": {"schedule": crontab(minute="7"), "options": {"expire_seconds": 3600}},
}


def define_tasks(lifecycle: Lifecycle[J], run_job: Callable[[int], None]) -> None:
    """Define the tasks `run`, `discard`, `recover`, `expire` and `purge`, named like `exports.run`.

    run_job: claims and runs a job, on a message for the job with this number.
    """
    task_name = lifecycle.kind.task

    @shared_task(name=task_name("run"))
    def run(number: int) -> None:
        run_job(number)

    @shared_task(name=task_name("discard"))
    def discard() -> None:
        maintenance.discard(lifecycle)

    @shared_task(name=task_name("recover"))
    def recover() -> None:
        maintenance.recover(lifecycle)

    @shared_task(name=task_name("expire"))
    def expire() -> None:
        maintenance.expire(lifecycle)

    @shared_task(name=task_name("purge"))
    def purge() -> None:
        maintenance.purge(lifecycle)

    _schedule(lifecycle.kind)


def _schedule(kind: JobKind[Any]) -> None:
    """Have beat send the periodic tasks, such as "Recover exports".

    An entry of CELERY_BEAT_SCHEDULE with the same name takes precedence.
    """
    for verb, entry in _SCHEDULES.items():
        name = f"{verb.capitalize()} {kind.plural}"
        current_app.conf.beat_schedule.setdefault(name, {"task": kind.task(verb), **entry})
