"""Progress bars and colored messages of management commands, on standard error."""

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

BYTES = "B"
_BAR_WIDTH = 20


class _CountColumn(ProgressColumn):
    """What is done of the total, in the unit of the task."""

    def render(self, task: Task) -> Text:
        unit = task.fields["unit"]
        amounts = [task.completed] if task.total is None else [task.completed, task.total]
        if unit == BYTES:
            return Text(" of ".join(decimal(int(amount)) for amount in amounts))
        return Text(f"{' of '.join(f'{amount:,.0f}' for amount in amounts)} {unit}")


def console_of(options: Mapping[str, Any]) -> Console:
    """Return standard error, colored if it is a terminal or as the options of a command say."""
    return Console(
        stderr=True,
        # Messages contain names of files and values of users.
        markup=False,
        emoji=False,
        highlight=False,
        soft_wrap=True,
        no_color=options.get("no_color") or None,
        force_terminal=options.get("force_color") or None,
    )


@contextmanager
def progress_bars(console: Console, *, is_hidden: bool = False) -> Iterator[Progress]:
    """Show bars during the block if the console is a terminal. Lines of the log appear above them.

    Each task needs the field `unit`: BYTES, or a noun such as `rows`.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(_BAR_WIDTH),
        TaskProgressColumn(),
        _CountColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    is_disabled = is_hidden or not console.is_terminal
    # Standard output may be the file that is written.
    with Progress(
        *columns, console=console, disable=is_disabled, redirect_stdout=False
    ) as progress:
        handlers = [each for each in logging.root.handlers if type(each) is logging.StreamHandler]
        streams = [each.stream for each in handlers]
        try:
            for handler in () if is_disabled else handlers:
                # While bars are shown, this is a stream that writes above them.
                handler.setStream(sys.stderr)
            yield progress
        finally:
            for handler, stream in zip(handlers, streams, strict=True):
                handler.setStream(stream)
