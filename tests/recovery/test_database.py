"""A database that crashes and comes back."""

import signal
import time

from tests.recovery.conftest import Settle
from tests.recovery.stack import PROCESSING, Stack, wait_until


def test_exports_outlive_a_crash_of_the_database(stack: Stack, settle: Settle) -> None:
    ids = stack.ask(5)
    wait_until(lambda: bool(stack.query(PROCESSING)), 30)
    stack.stop_database(signal.SIGQUIT)
    time.sleep(2)
    stack.start_database()
    assert settle(ids).completed == len(ids)
