"""Celery tasks of exports: `exports.run`, `exports.read_partition`, and the periodic ones."""

from celery import shared_task

from exports.execution import partitions, runner
from exports.lifecycle.transitions import export_lifecycle
from longshore.jobs.tasks import define_tasks

define_tasks(export_lifecycle, runner.run)


@shared_task(name=partitions.TASK)
def read_partition(number: int) -> None:
    partitions.assist(number)
