"""Beat, of which there should be one: started twice, and killed."""

from tests.recovery.conftest import Settle
from tests.recovery.stack import PROCESSING, Stack, wait_until


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
