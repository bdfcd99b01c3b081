"""The result of an attempt."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from batches.merging.records import Counts
from batches.models import BatchFile
from batches.staging import STATISTICS
from longshore.api.errors import ApiError


@dataclass
class Outcome:
    """The result of an attempt that ended by itself.

    rows: records of the input.
    created … failed: rows by outcome. In a dry run, what would become of them.
    is_dry: whether nothing was written on request.
    summary: the outcome as a sentence; by default the counts.
    failure: why the batch was stopped; None if it is completed.
    progress: the fields of `Attempt.values`.
    """

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    failed: int = 0
    is_dry: bool = False
    summary: str = ""
    failure: ApiError | None = None
    files: list[BatchFile] = field(default_factory=list)
    progress: Mapping[str, Any] = field(default_factory=dict)

    def add(self, counts: Counts) -> None:
        """Take over the rows by outcome, without those that failed."""
        self.created, self.updated = counts.created, counts.updated
        self.unchanged, self.deleted = counts.unchanged, counts.deleted

    def values(self) -> dict[str, Any]:
        """Return the fields of the batch to store."""
        counts = {f"{name}_count": getattr(self, name) for name in STATISTICS}
        progress = {key: value for key, value in self.progress.items() if key != "records_count"}
        if self.failure is not None:
            return {**progress, **counts, "records_count": self.rows}
        return {**progress, **counts, "reason": self.reason}

    @property
    def reason(self) -> str:
        """The outcome as a sentence."""
        if self.summary:
            return self.summary
        counts = ((getattr(self, name), name) for name in STATISTICS)
        parts = [f"{number:,} {name}" for number, name in counts if number]
        text = f"{self.rows:,} {'row' if self.rows == 1 else 'rows'}"
        text += f": {', '.join(parts)}." if parts else "."
        return f"Dry run, nothing was written. {text}" if self.is_dry else text
