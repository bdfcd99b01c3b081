"""A pseudo-terminal in place of standard error."""

import os
import pty
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TextIO

import pytest


class Terminal:
    """What a terminal shows. text: all that was written, after the end of the block."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.text = ""


@contextmanager
def terminal(columns: int = 80) -> Iterator[Terminal]:
    """Make standard error a terminal during the block."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    parts: list[bytes] = []

    def read() -> None:
        try:
            while part := os.read(ours, 1 << 16):
                parts.append(part)
        except OSError:
            # Linux: the other end is closed.
            pass

    # Its buffer is small: without a reader, writing blocks.
    reader = Thread(target=read)
    reader.start()
    with os.fdopen(theirs, "w") as stream, pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stderr", stream)
        shown = Terminal(stream)
        yield shown
    reader.join()
    os.close(ours)
    shown.text = b"".join(parts).decode()
