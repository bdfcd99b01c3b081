"""Celery tasks of exports: `exports.run`, and the periodic ones of `longshore.jobs.tasks`."""

from exports.execution import runner
from exports.lifecycle.transitions import export_lifecycle
from longshore.jobs.tasks import define_tasks

define_tasks(export_lifecycle, runner.run)
