"""One stack for all tests of recovery, which are one file: it starts once, and ends with them."""

import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.recovery.invariants import Verdict, await_ends
from tests.recovery.stack import Stack, wait_until

# An export of these takes about a second.
ROWS = 40_000
SEED = 20
Settle = Callable[[list[str]], Verdict]


@pytest.fixture(scope="module")
def running_stack() -> Iterator[Stack]:
    # Short: a UNIX socket's path holds about a hundred bytes.
    with (
        tempfile.TemporaryDirectory(prefix="longshore-") as folder,
        Stack(Path(folder), ROWS, "tests.recovery.hurried").running() as stack,
    ):
        yield stack


@pytest.fixture
def stack(running_stack: Stack) -> Stack:
    assert running_stack.died() == []
    return running_stack


@pytest.fixture
def settle(stack: Stack) -> Settle:
    """Wait until exports have ended, as they must after the last fault; nothing may be wrong."""

    def wait(ids: list[str]) -> Verdict:
        verdict = await_ends(stack, ids)
        assert verdict.sound, f"{verdict}\n{stack.logs()}"
        return verdict

    return wait


@pytest.fixture
def chance() -> random.Random:
    return random.Random(SEED)  # noqa: S311


def under_way(stack: Stack) -> None:
    """Wait until a worker has begun to write a file."""
    wait_until(lambda: any(each.is_file() for each in stack.storage.rglob("*/0*")), 30)
