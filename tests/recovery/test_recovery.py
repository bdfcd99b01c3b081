"""Faults of a running stack, one after the other: each test finds it whole and leaves it so."""

import random
import signal
import time

import pytest

from tests.recovery.conftest import Settle, under_way
from tests.recovery.stack import PROCESSING, Stack, wait_until

pytestmark = pytest.mark.stack


# Workers that are killed, whatever they are doing


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


# Beat, of which there should be one: started twice, and killed


def test_two_beats_take_nothing_up_twice(stack: Stack, settle: Settle) -> None:
    stack.start("second beat")
    ids = stack.ask(3)
    wait_until(lambda: bool(stack.query(PROCESSING)), 30)
    stack.kill("worker")
    stack.start("worker")
    verdict = settle(ids)
    stack.kill("second beat")
    assert verdict.completed == len(ids)
    assert max(verdict.attempts) == 2


# A broker that goes and comes back, with what it held or without


def test_exports_wait_for_a_broker_that_is_away(stack: Stack, settle: Settle) -> None:
    ids = stack.ask(3)
    wait_until(lambda: bool(stack.query(PROCESSING)), 30)
    stack.stop_broker()
    ids += stack.ask(2)
    time.sleep(1)
    stack.start_broker()
    verdict = settle(ids)
    assert (verdict.completed, max(verdict.attempts)) == (len(ids), 1)


def test_what_a_broker_forgets_is_queued_again(stack: Stack, settle: Settle) -> None:
    ids = stack.ask(5)
    wait_until(lambda: bool(stack.query(PROCESSING)), 30)
    stack.flush_broker()
    verdict = settle(ids)
    assert (verdict.completed, max(verdict.attempts)) == (len(ids), 1)


# A database that crashes and comes back


def test_exports_outlive_a_crash_of_the_database(stack: Stack, settle: Settle) -> None:
    ids = stack.ask(5)
    wait_until(lambda: bool(stack.query(PROCESSING)), 30)
    stack.stop_database(signal.SIGQUIT)
    time.sleep(2)
    stack.start_database()
    assert settle(ids).completed == len(ids)


# A storage that does not answer, or has no room


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
