"""Faults of a running stack, one per test. Every test repairs what it breaks."""

import random
import signal
import time

import pytest

from tests.recovery.conftest import Settle, wait_for_writing
from tests.recovery.stack import PROCESSING, Stack, wait_until

pytestmark = pytest.mark.stack


# Killed workers


def test_other_workers_write_the_exports_of_killed_ones(
    stack: Stack, settle: Settle, chance: random.Random
) -> None:
    ids = stack.ask(6)
    for _ in range(3):
        wait_until(lambda: bool(stack.query(PROCESSING)))
        time.sleep(chance.uniform(0, 1))
        stack.kill("worker")
        stack.start("worker")
    verdict = settle(ids)
    assert verdict.completed == len(ids)
    assert max(verdict.attempts) > 1


def test_redelivered_messages_write_each_export_once(stack: Stack, settle: Settle) -> None:
    stack.start("second worker")
    ids = stack.ask(4)
    stack.deliver(ids * 3)
    verdict = settle(ids)
    stack.kill("second worker")
    assert (verdict.completed, verdict.attempts) == (4, [1] * 4)


# Two beats


def test_two_beats_recover_each_export_once(stack: Stack, settle: Settle) -> None:
    stack.start("second beat")
    ids = stack.ask(3)
    wait_until(lambda: bool(stack.query(PROCESSING)))
    stack.kill("worker")
    stack.start("worker")
    verdict = settle(ids)
    stack.kill("second beat")
    assert verdict.completed == len(ids)
    assert max(verdict.attempts) == 2


# A broker that stops and restarts, with or without its data


def test_exports_survive_an_outage_of_the_broker(stack: Stack, settle: Settle) -> None:
    ids = stack.ask(3)
    wait_until(lambda: bool(stack.query(PROCESSING)))
    stack.stop_broker()
    ids += stack.ask(2)
    time.sleep(1)
    stack.start_broker()
    verdict = settle(ids)
    assert (verdict.completed, max(verdict.attempts)) == (len(ids), 1)


def test_messages_that_the_broker_lost_are_enqueued_again(stack: Stack, settle: Settle) -> None:
    ids = stack.ask(5)
    wait_until(lambda: bool(stack.query(PROCESSING)))
    stack.flush_broker()
    verdict = settle(ids)
    assert (verdict.completed, max(verdict.attempts)) == (len(ids), 1)


# A database that crashes and restarts


def test_exports_survive_a_crash_of_the_database(stack: Stack, settle: Settle) -> None:
    ids = stack.ask(5)
    wait_until(lambda: bool(stack.query(PROCESSING)))
    stack.stop_database(signal.SIGQUIT)
    time.sleep(2)
    stack.start_database()
    assert settle(ids).completed == len(ids)


# A storage that fails or is full


def test_exports_survive_ten_seconds_without_storage(stack: Stack, settle: Settle) -> None:
    ids = stack.ask(3)
    wait_for_writing(stack)
    with stack.storage_fault("EIO"):
        time.sleep(10)
    verdict = settle(ids)
    assert verdict.completed == len(ids)
    assert max(verdict.attempts) > 1


def test_exports_survive_a_full_disk(stack: Stack, settle: Settle) -> None:
    ids = stack.ask(2)
    with stack.storage_fault("ENOSPC"):
        time.sleep(3)
    assert settle(ids).completed == len(ids)
