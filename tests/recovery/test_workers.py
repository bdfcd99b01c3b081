"""A worker that is killed, whatever it is doing."""

import random
import time

from tests.recovery.conftest import Settle
from tests.recovery.stack import PROCESSING, Stack, wait_until

TAKEN = "SELECT FROM exports_exportpart WHERE taken_by <> ''"
PARTS = "SELECT count(*) FROM exports_exportpart"


def test_exports_of_killed_workers_are_written_by_others(
    stack: Stack, settle: Settle, chance: random.Random
) -> None:
    ids = stack.ask(6)
    for _ in range(3):
        wait_until(lambda: bool(stack.query(PROCESSING)), 30)
        time.sleep(chance.uniform(0, 1))
        stack.kill("worker")
        stack.start("worker")
    verdict = settle(ids)
    assert verdict.completed == len(ids)
    assert max(verdict.attempts) > 1


def test_two_workers_given_the_same_messages_write_each_export_once(
    stack: Stack, settle: Settle
) -> None:
    stack.start("second worker")
    ids = stack.ask(4)
    stack.deliver(ids * 3)
    verdict = settle(ids)
    stack.kill("second worker")
    assert (verdict.completed, verdict.attempts) == (4, [1] * 4)


def test_parts_of_killed_readers_are_read_by_the_writer(
    stack: Stack, settle: Settle, chance: random.Random
) -> None:
    stack.start("parts")
    wait_until(lambda: stack.reads("parts"), 30)
    ids = stack.ask(4)
    for _ in range(3):
        wait_until(lambda: bool(stack.query(TAKEN)), 30)
        time.sleep(chance.uniform(0, 0.2))
        stack.kill("parts")
        stack.start("parts")
    verdict = settle(ids)
    stack.kill("parts")
    assert (verdict.completed, verdict.attempts) == (4, [1] * 4)
    assert stack.query(PARTS) == [(0,)]
