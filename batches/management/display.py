"""Shows the progress of a batch: bars on a terminal, plain lines otherwise."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.progress import Progress, TaskID

from longshore.api.progress import BYTES

# Between two lines about the same phase.
_LINE_SECONDS = 10
_NAME_WIDTH = len("processing")


class PhaseDisplay:
    """Shows one phase after the other.

    console, progress: of the command. Without a terminal, the progress is disabled and the console
        shows lines.
    """

    def __init__(self, console: Console, progress: Progress) -> None:
        self._console = console
        self._progress = progress
        self._task: TaskID | None = None
        # Phases that are shown for the last time.
        self._ended = 0
        self._next_line = time.monotonic() + _LINE_SECONDS

    def storing(self, blocks: Iterable[bytes], size: int | None) -> Iterator[bytes]:
        """Yield the blocks of a file while it is stored. size: None if it is not known."""
        task = self._add("storing", size, BYTES)
        for block in blocks:
            yield block
            self._progress.advance(task, len(block))

    def show(self, phases: Sequence[Mapping[str, Any]]) -> None:
        """Show phases that have begun, as a batch stores them. The last one may be running."""
        for phase in phases[self._ended : -1]:
            self._end(phase)
        for phase in phases[self._ended :]:
            self._show(phase)

    def end(self, phases: Sequence[Mapping[str, Any]]) -> None:
        """Show the final counts of all phases, after the batch has ended."""
        for phase in phases[self._ended :]:
            self._end(phase)

    def _show(self, phase: Mapping[str, Any]) -> None:
        if not self._console.is_terminal:
            if time.monotonic() >= self._next_line:
                self._write_line(phase)
            return
        if self._task is None:
            self._task = self._add(phase["name"], phase["total"], "rows")
        self._progress.update(
            self._task,
            total=phase["total"],
            completed=phase["processed"],
            unit=f"rows{_failures(phase)}",
        )

    def _end(self, phase: Mapping[str, Any]) -> None:
        self._show(phase)
        self._task = None
        if not self._console.is_terminal:
            self._write_line(phase)
        self._ended += 1

    def _write_line(self, phase: Mapping[str, Any]) -> None:
        total = "" if phase["total"] is None else f" of {phase['total']:,}"
        text = f"{phase['name']}: {phase['processed']:,}{total} rows{_failures(phase)}"
        self._console.print(text)
        self._next_line = time.monotonic() + _LINE_SECONDS

    def _add(self, name: str, total: int | None, unit: str) -> TaskID:
        return self._progress.add_task(f"{name:{_NAME_WIDTH}}", total=total, unit=unit)


def _failures(phase: Mapping[str, Any]) -> str:
    return f", {phase['error']:,} failed" if phase["error"] else ""
