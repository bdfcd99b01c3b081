"""Purges the journal of batches that can no longer be undone."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from batches.lifecycle.transitions import BATCHES
from batches.models import Batch, JournalEntry
from longshore.database import chunks
from longshore.jobs.statuses import TERMINAL, UNFINISHED, Status


def purge() -> None:
    """Delete the entries of batches that can no longer be undone.

    A batch that can be retried keeps them: they name the rows that must not be written again. So
    does a batch whose undo is running.
    """
    ended_before = Now() - timedelta(hours=settings.BATCH_UNDO_HOURS)
    ended = JournalEntry.objects.filter(batch__status__in=(*TERMINAL, Status.EXPIRED))
    kept = Q(batch__status__in=BATCHES.retryable, batch__has_files=True)
    undoing = Batch.objects.visible().filter(status__in=UNFINISHED).exclude(reverses=None)
    kept |= Q(batch__in=undoing.values("reverses"))
    chunks.delete(ended.filter(batch__completed_at__lt=ended_before).exclude(kept))
