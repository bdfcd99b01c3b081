"""The work of an attempt of a batch that undoes another one."""

from django.conf import settings

from batches.execution.attempt import Attempt
from batches.execution.outcome import Outcome
from batches.execution.phases import Phase, PhaseName
from batches.execution.results import Results
from batches.merging.journal import Journal
from batches.merging.undo import Undo
from batches.models import Batch
from batches.staging import Step
from longshore.api.errors import ApiError, ErrorCode


def undo(attempt: Attempt) -> Outcome:
    """Reverse what a batch has written. Goes on where an earlier attempt ended."""
    batch = attempt.context.batch
    if batch.reverses_id is None:
        raise ApiError(ErrorCode.NOT_FOUND, "The batch to undo has been deleted.")
    undoing = Undo(attempt.context, Batch.objects.get(pk=batch.reverses_id))
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
