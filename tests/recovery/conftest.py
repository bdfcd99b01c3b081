"""The stack that all tests of recovery in one file share."""

import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.recovery.invariants import Verdict, await_ends
from tests.recovery.stack import Stack, wait_until

# An export of this size takes about a second.
ROWS = 40_000
SEED = 20
Settle = Callable[[list[str]], Verdict]


@pytest.fixture(scope="module")
def running_stack() -> Iterator[Stack]:
    # Short: the path of a UNIX socket has at most about a hundred bytes.
    with (
        tempfile.TemporaryDirectory(prefix="longshore-") as folder,
        Stack(Path(folder), ROWS, "tests.recovery.short_delays").running() as stack,
    ):
        yield stack


@pytest.fixture
def stack(running_stack: Stack) -> Stack:
    assert running_stack.died() == []
    return running_stack


@pytest.fixture
def settle(stack: Stack) -> Settle:
    """A function that waits until exports have ended and asserts that their verdict is sound."""

    def wait(ids: list[str]) -> Verdict:
        verdict = await_ends(stack, ids)
        assert verdict.sound, f"{verdict}\n{stack.logs()}"
        return verdict

    return wait


@pytest.fixture
def chance() -> random.Random:
    return random.Random(SEED)  # noqa: S311


def wait_for_writing(stack: Stack) -> None:
    """Wait until a worker has started to write a file."""
    wait_until(lambda: any(each.is_file() for each in stack.storage.rglob("*/0*")))
