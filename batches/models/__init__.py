"""The database tables of batches."""

from batches.models.batch import (
    STATUSES,
    Batch,
    BatchEvent,
    BatchFile,
    BatchLimits,
    BatchSearch,
    BatchTurn,
    BatchUsage,
    FileKind,
    Via,
)
from batches.models.mappings import SavedMapping
from batches.models.rows import BatchError, DryRunRecord, JournalEntry

__all__ = [
    "STATUSES",
    "Batch",
    "BatchError",
    "BatchEvent",
    "BatchFile",
    "BatchLimits",
    "BatchSearch",
    "BatchTurn",
    "BatchUsage",
    "DryRunRecord",
    "FileKind",
    "JournalEntry",
    "SavedMapping",
    "Via",
]
