"""The one UPDATE by which a status changes, with its event, in one transaction."""

from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from longshore.jobs.hooks import LifecycleHooks
from longshore.jobs.models import Job
from longshore.jobs.statuses import Status

J = TypeVar("J", bound=Job)


class Superseded(Exception):
    """The job was canceled, deleted or claimed by another worker."""


def held_by(job: Job) -> Q:
    """Select the row of a claimed job if no later attempt has claimed it and it has not ended."""
    return Q(status=Status.PROCESSING, claims=job.claims)


class StatusChanges(LifecycleHooks[J]):
    """Writes status changes; the base class of `longshore.jobs.lifecycle.Lifecycle`."""

    def _end(self, job: J, status: Status, reason: str = "", **values: Any) -> None:
        if not self._change(
            job,
            held_by(job),
            status,
            reason,
            attempt=len(job.claims),
            completed_at=Now(),
            estimated_completion=None,
            **values,
        ):
            raise Superseded(job.public_id)

    def _change(
        self,
        job: J,
        condition: Q,
        status: Status,
        reason: str = "",
        *,
        attempt: int,
        **values: Any,
    ) -> J | None:
        """Change the status of a job if `condition` is true of its row.

        Returns the job as it is afterwards, or None if its row was not changed.
        """
        row = self.kind.jobs.visible().filter(condition, pk=job.pk)
        with transaction.atomic(savepoint=False):
            if not row.update(status=status, **values):
                return None
            self._record(job, status, reason, attempt=attempt)
            # Read while the row is locked: a moment later it could hold another worker's token.
            changed = self.kind.jobs.get(pk=job.pk)
            self.changed(changed)
        return changed

    def _record(self, job: J, status: Status, reason: str = "", *, attempt: int) -> None:
        event = self.kind.event(
            **{self.kind.name: job}, status=status, attempt=attempt, reason=reason
        )
        event.save(force_insert=True)
