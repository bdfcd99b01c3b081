"""Defines the Celery tasks of a kind of job, and schedules the periodic ones.

Each task may run twice or die half-way.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from celery import shared_task
from celery.schedules import crontab

from longshore.api.periodic_tasks import schedule
from longshore.jobs import maintenance
from longshore.jobs.kinds import JobKind
from longshore.jobs.lifecycle import Lifecycle
from longshore.jobs.models import Job

J = TypeVar("J", bound=Job)

_SCHEDULES: dict[str, timedelta | crontab] = {
    "recover": timedelta(seconds=5),
    "expire": timedelta(minutes=1),
    "purge": crontab(minute="7"),
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
    """Have beat send the periodic tasks, such as "Recover exports"."""
    for verb, when in _SCHEDULES.items():
        schedule(f"{verb.capitalize()} {kind.plural}", kind.task(verb), when)
