"""The work of an attempt of a batch that undoes another one."""

from django.conf import settings

from batches.execution.attempt import Attempt
from batches.execution.outcome import Outcome
from batches.execution.phases import Phase, PhaseName
from batches.execution.results import Results
from batches.merging.journal import Journal
from batches.merging.undo import OriginalDeleted, Undo
from batches.models import Batch
from batches.staging import Step


def undo(attempt: Attempt) -> Outcome:
    """Reverse what a batch has written. Goes on where an earlier attempt ended."""
    batch = attempt.context.batch
    original = Batch.objects.visible().filter(reversals=batch).first()
    if original is None:
        raise OriginalDeleted
    undoing = Undo(attempt.context, original)
    attempt.on_cancel.append(undoing.cancel)
    attempt.check()

    def update(phase: Phase) -> None:
        outcome = undoing.outcome
        phase.total, phase.processed = outcome.total, outcome.processed
        phase.success, phase.error = outcome.reversed, outcome.kept + outcome.failed

    attempt.count_written = lambda: {"undo_counts": undoing.outcome.as_json()}
    attempt.phases.begin(PhaseName.PROCESSING, update=update)
    found = undoing.run()
    attempt.phases.settle()
    attempt.rows = found.total
    if (refused := found.kept + found.failed) > settings.BATCH_MAX_STORED_ERRORS:
        kept = f"The batch keeps the first {settings.BATCH_MAX_STORED_ERRORS:,} errors"
        attempt.warnings.append(f"{kept} of the {refused:,} records that were not reversed.")
    written = Journal(batch).count()
    outcome = Outcome(
        rows=found.total,
        created=written[Step.CREATE],
        updated=written[Step.UPDATE],
        deleted=written[Step.DELETE],
        failed=found.kept + found.failed,
        summary=(
            f"Reversed {found.reversed:,} of {found.total:,} records; kept {found.kept:,} that "
            f"were changed since; {found.failed:,} could not be restored."
        ),
    )
    outcome.files = Results(attempt).write_undo()
    outcome.progress = attempt.values()
    return outcome
