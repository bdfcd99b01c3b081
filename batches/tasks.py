"""Celery tasks of batches: `batches.run`, those of `longshore.jobs.tasks`, files and uploads.

Each may run twice or die half-way.
"""

from datetime import timedelta

from celery import shared_task

from batches.execution import interruption, runner
from batches.lifecycle import journal, staging_tables, uploads
from batches.lifecycle.transitions import BATCHES, WRITE_FILES, batch_lifecycle
from longshore.api.periodic_tasks import schedule
from longshore.jobs.tasks import define_tasks

define_tasks(batch_lifecycle, runner.run)


@shared_task(name=BATCHES.task(WRITE_FILES))
def write_files(number: int) -> None:
    """Write the files of a batch that was interrupted after it had written rows."""
    interruption.write_files(number)


@shared_task(name="batches.check_uploads")
def check_uploads() -> None:
    """Queue the batches whose input has arrived."""
    uploads.check_all()


@shared_task(name="batches.purge_tables")
def purge_tables() -> None:
    """Delete the journal of batches that cannot be undone any more, and lost staging tables."""
    staging_tables.drop_orphans()
    journal.purge()


schedule("Check uploads of batches", "batches.check_uploads", timedelta(seconds=5))
schedule(
    "Purge the journal and the staging tables of batches",
    "batches.purge_tables",
    timedelta(hours=1),
)
