"""Restarts the processes of `make run` when they die; gives up after repeated deaths."""

import signal
import time
from collections import defaultdict
from collections.abc import Callable, Mapping

from exports_project.embedded.child_processes import Child

MAX_DEATHS = 5
PERIOD_SECONDS = 60
# Doubled for each further death within the period.
FIRST_DELAY_SECONDS = 1


class RestartLimitReached(Exception):
    """A process died too often; the message names it and says how it last ended."""


class Supervisor:
    """Restarts children that die; does not stop them.

    say: prints a line.
    """

    def __init__(self, children: Mapping[str, Child], say: Callable[[str], None]) -> None:
        self._children = children
        self._say = say
        self._deaths: dict[str, list[float]] = defaultdict(list)
        # When to start a process that is down.
        self._due: dict[str, float] = {}

    def watch(self) -> None:
        """Check each child once and restart those that are due. Raises RestartLimitReached."""
        now = time.monotonic()
        for name, child in self._children.items():
            if name in self._due:
                if self._due[name] <= now:
                    del self._due[name]
                    child.start()
            elif child.process.poll() is not None:
                child.kill_remains()
                self._due[name] = now + self._delay(name, child.process.returncode, now)

    def _delay(self, name: str, code: int, now: float) -> int:
        """Return the seconds until a process that has just died is restarted."""
        recent = [death for death in self._deaths[name] if now - death < PERIOD_SECONDS]
        self._deaths[name] = [*recent, now]
        deaths = len(self._deaths[name])
        if deaths >= MAX_DEATHS:
            raise RestartLimitReached(
                f"{name} ended {deaths} times within {PERIOD_SECONDS} seconds, "
                f"the last time by {reason(code)}; stopping everything."
            )
        delay = FIRST_DELAY_SECONDS << (deaths - 1)
        self._say(f"{name} ended by {reason(code)}; starting it again in {delay} s.")
        return delay


def reason(code: int) -> str:
    """Describe the return code of a process: "exit code 3", "SIGKILL"."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
