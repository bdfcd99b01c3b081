"""Defines the Celery tasks of a kind of job. Each may run twice or die half-way."""

from collections.abc import Callable
from typing import TypeVar

from celery import shared_task

from longshore.jobs import maintenance
from longshore.jobs.lifecycle import Lifecycle
from longshore.jobs.models import Job

J = TypeVar("J", bound=Job)


def define_tasks(lifecycle: Lifecycle[J], run_job: Callable[[int], None]) -> None:
    """Define the tasks `run`, `discard`, `recover`, `expire` and `purge`, named like `exports.run`.

    run_job: claims and runs a job, on a message for the job with this number.
    """
    name = lifecycle.kind.task

    @shared_task(name=name("run"))
    def run(number: int) -> None:
        run_job(number)

    @shared_task(name=name("discard"))
    def discard() -> None:
        maintenance.discard(lifecycle)

    @shared_task(name=name("recover"))
    def recover() -> None:
        maintenance.recover(lifecycle)

    @shared_task(name=name("expire"))
    def expire() -> None:
        maintenance.expire(lifecycle)

    @shared_task(name=name("purge"))
    def purge() -> None:
        maintenance.purge(lifecycle)
