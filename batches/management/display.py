"""Shows the progress of a batch: bars on a terminal, plain lines otherwise."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TextIO

from tqdm import tqdm

# Between two lines about the same phase.
_LINE_SECONDS = 10
_BAR = "{desc} {percentage:3.0f}% |{bar}| {n_fmt} of {total_fmt} {unit}{postfix}"
_NAME_WIDTH = len("processing")


class PhaseDisplay:
    """Shows one phase after the other."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._bar: tqdm[Any] | None = None
        # Phases that are shown for the last time.
        self._ended = 0
        self._next_line = time.monotonic() + _LINE_SECONDS

    def storing(self, blocks: Iterable[bytes], size: int | None) -> Iterator[bytes]:
        """Yield the blocks of a file while it is stored. size: None if it is not known."""
        with self._new_bar("storing", size, "B") as bar:
            for block in blocks:
                yield block
                bar.update(len(block))

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
        self.close()

    def close(self) -> None:
        """Leave the last bar as it is."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _show(self, phase: Mapping[str, Any]) -> None:
        if not self._stream.isatty():
            if time.monotonic() >= self._next_line:
                self._write_line(phase)
            return
        if self._bar is None:
            self._bar = self._new_bar(phase["name"], phase["total"], "rows")
        self._bar.total = phase["total"]
        self._bar.n = phase["processed"]
        if phase["error"]:
            self._bar.set_postfix_str(f"{phase['error']:,} failed", refresh=False)
        self._bar.refresh()

    def _end(self, phase: Mapping[str, Any]) -> None:
        self._show(phase)
        self.close()
        if not self._stream.isatty():
            self._write_line(phase)
        self._ended += 1

    def _write_line(self, phase: Mapping[str, Any]) -> None:
        total = "" if phase["total"] is None else f" of {phase['total']:,}"
        failed = f", {phase['error']:,} failed" if phase["error"] else ""
        print(f"{phase['name']}: {phase['processed']:,}{total} rows{failed}", file=self._stream)
        self._next_line = time.monotonic() + _LINE_SECONDS

    def _new_bar(self, name: str, total: int | None, unit: str) -> "tqdm[Any]":
        return tqdm(
            total=total,
            desc=f"{name:{_NAME_WIDTH}}",
            unit=unit,
            unit_scale=True,
            unit_divisor=1024 if unit == "B" else 1000,
            bar_format=_BAR,
            file=self._stream,
            disable=None,
        )
