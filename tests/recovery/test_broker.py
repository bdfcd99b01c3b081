"""A broker that goes and comes back, with what it held or without."""

import time

from tests.recovery.conftest import Settle
from tests.recovery.stack import PROCESSING, Stack, wait_until


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
