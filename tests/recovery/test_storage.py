"""A storage that does not answer, or has no room."""

import time

from tests.recovery.conftest import Settle, under_way
from tests.recovery.stack import Stack


def test_exports_outlive_ten_seconds_without_a_storage(stack: Stack, settle: Settle) -> None:
    ids = stack.ask(3)
    under_way(stack)
    with stack.storage_fault("EIO"):
        time.sleep(10)
    verdict = settle(ids)
    assert verdict.completed == len(ids)
    assert max(verdict.attempts) > 1


def test_exports_wait_for_room_on_the_disk(stack: Stack, settle: Settle) -> None:
    ids = stack.ask(2)
    with stack.storage_fault("ENOSPC"):
        time.sleep(3)
    assert settle(ids).completed == len(ids)
