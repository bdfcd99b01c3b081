"""Shows the steps of `make bench` and the time left."""

import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

# The expectation counts like a run of this length, so that the first seconds do not distort it.
_EXPECTED_SECONDS = 60


@dataclass
class Progress:
    """Prints each step with the expected time left.

    steps: expected seconds of all steps, by name. The time that the first steps took corrects the
        expectation of the others.
    """

    steps: Mapping[str, float]
    started: float = field(default_factory=time.time)

    def begin(self, step: str) -> None:
        """Announce a step. Those before it are done."""
        names = list(self.steps)
        position = names.index(step)
        done = sum(self.steps[name] for name in names[:position])
        left = sum(self.steps[name] for name in names[position:])
        elapsed = time.time() - self.started
        left *= (elapsed + _EXPECTED_SECONDS) / (done + _EXPECTED_SECONDS)
        print(f"{step} ({_duration(left)} left)", file=sys.stderr, flush=True)


def _duration(seconds: float) -> str:
    return f"about {seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"
