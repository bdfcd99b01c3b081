"""The phases of an attempt, with what each has counted so far."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class PhaseName(StrEnum):
    """The phases of a batch, in their order.

    PARSING: from the file to texts. VALIDATION: from texts to records and a plan. PROCESSING: the
    writes. CLEANUP: the deletions of an `overwrite`.
    """

    PARSING = "parsing"
    VALIDATION = "validation"
    PROCESSING = "processing"
    CLEANUP = "cleanup"


@dataclass
class Phase:
    """What one phase has counted.

    total: None until it is known.
    """

    name: PhaseName
    total: int | None = None
    processed: int = 0
    success: int = 0
    error: int = 0

    def end(self, total: int, error: int = 0) -> None:
        """Record that all rows are processed. error: rows with errors."""
        self.total = self.processed = total
        self.success, self.error = total - error, error


@dataclass
class Phases:
    """The phases that have begun. One thread adds and counts, another one reads."""

    begun: list[Phase] = field(default_factory=list)
    # Updates the newest phase, while its rows are counted elsewhere.
    _update: Callable[[Phase], None] | None = None

    def begin(
        self,
        name: PhaseName,
        total: int | None = None,
        update: Callable[[Phase], None] | None = None,
    ) -> Phase:
        """Begin a phase. update: writes the current counts into the phase."""
        phase = Phase(name, total)
        self._update = None
        self.begun.append(phase)
        self._update = update
        return phase

    def settle(self) -> None:
        """Read the counts of the newest phase for the last time."""
        self.refresh()
        self._update = None

    @property
    def processed(self) -> int:
        """The rows that the current phase has processed."""
        self.refresh()
        return self.begun[-1].processed if self.begun else 0

    def refresh(self) -> None:
        """Read the counts of the newest phase."""
        if self._update and self.begun:
            self._update(self.begun[-1])

    def as_json(self) -> list[dict[str, Any]]:
        self.refresh()
        return [asdict(phase) for phase in self.begun]
