"""Injects faults into a running Longshore and counts lost and duplicated exports.

    python -m benchmarks.chaos [--exports 20] [--rows 200000] [--seed 20]

Starts its own processes and servers in a temporary folder. Prints a table in Markdown.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import faults
from benchmarks.measuring import machine

if TYPE_CHECKING:
    from tests.recovery.invariants import Verdict
    from tests.recovery.stack import Stack

# An export of 200,000 rows with these columns takes about a second, and its file can be verified.
COLUMNS = (
    "id", "tracking_number", "status", "provider", "type", "order_number", "amount", "currency",
    "created_at", "updated_at", "recipient", "parcels", "metadata",
)  # fmt: skip
# No fault is injected after this time.
MAX_SECONDS = 450
_UNFINISHED = "SELECT public_id FROM exports_export WHERE status IN ('queued', 'processing')"
_FRESH = "SELECT FROM exports_export WHERE status = 'queued' AND claims = '{}'"
_LONGEST = "SELECT extract(epoch FROM max(completed_at - started_at)) FROM exports_export"


@dataclass(frozen=True)
class Chance:
    """Random times of faults.

    seconds: duration of two concurrent exports without faults.
    """

    random: random.Random
    seconds: float

    def wait(self, stack: "Stack") -> None:
        """Wait until a worker writes an export, then for a random part of its duration."""
        from tests.recovery.stack import PROCESSING, wait_until

        wait_until(lambda: bool(stack.query(PROCESSING)), 60)
        time.sleep(self.random.uniform(0, self.seconds))


@dataclass(frozen=True)
class Fault:
    """A fault.

    times: how often it is injected, each time after `exports` new exports were created.
    """

    name: str
    times: int
    exports: int
    inject: Callable[["Stack", Chance], None]


def table(exports: int) -> list[Fault]:
    few = max(2, exports // 4)
    return [
        Fault(faults.WORKER, exports, 2, at_random(faults.ALL[faults.WORKER])),
        *(Fault(name, 1, few, at_random(faults.ALL[name])) for name in faults.SERVICES),
        Fault("each message three times, two workers", 1, few, deliver_thrice),
        Fault("two beats, and SIGKILL of the worker", 1, few, two_beats),
    ]


def at_random(inject: faults.Inject) -> Callable[["Stack", Chance], None]:
    """Return a fault that is injected at a random time while a worker writes an export."""

    def wait_and_inject(stack: "Stack", chance: Chance) -> None:
        chance.wait(stack)
        inject(stack)

    return wait_and_inject


def deliver_thrice(stack: "Stack", chance: Chance) -> None:
    from tests.recovery.stack import wait_until

    stack.start("second worker")
    waiting = [public_id for (public_id,) in stack.query(_UNFINISHED)]
    stack.deliver(waiting * 2)
    wait_until(lambda: not stack.query(_UNFINISHED), 60)
    stack.kill("second worker")


def two_beats(stack: "Stack", chance: Chance) -> None:
    """Kill the second beat during the recovery."""
    stack.start("second beat")
    chance.wait(stack)
    faults.kill(stack, "worker")
    time.sleep(20)
    stack.kill("second beat")


def run_fault(stack: "Stack", fault: Fault, chance: Chance) -> "tuple[Verdict, float]":
    """Inject a fault. Return the verdict and the seconds from the last fault to the last end."""
    from tests.recovery.invariants import await_ends
    from tests.recovery.stack import wait_until

    ids: list[str] = []
    for _ in range(fault.times):
        # Keep the queue short, or the last fault is over before all exports have started.
        wait_until(lambda: len(stack.query(_FRESH)) < 2, 60)
        ids += stack.ask(fault.exports)
        fault.inject(stack, chance)
    over = time.time()
    verdict = await_ends(stack, ids)
    return verdict, max(0.0, verdict.last_end - over)


def measure_without_faults(stack: "Stack") -> float:
    """Return the duration in seconds of the slower of two concurrent exports."""
    from tests.recovery.invariants import await_ends

    await_ends(stack, stack.ask(2))
    return float(stack.query(_LONGEST)[0][0])


@contextmanager
def running_stack(rows: int) -> Iterator["Stack"]:
    with tempfile.TemporaryDirectory(prefix="longshore-") as folder:
        # For the settings of this process; the processes of the stack have their own environment.
        os.environ |= {"LOCAL_DIR": folder, "ENV_FILE": os.devnull, "DATABASE_URL": ""}
        os.environ |= {"BROKER_URL": "", "CACHE_URL": ""}
        from tests.recovery.stack import Stack

        stack = Stack(Path(folder), rows)
        stack.body = stack.body | {"csv_field_options": {"columns": list(COLUMNS)}}
        with stack.running():
            yield stack


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--exports", type=int, default=20)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=20)
    options = parser.parse_args()
    began = time.monotonic()
    # Like Ctrl-C: every block stops what it has started.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with running_stack(options.rows) as stack:
        chance = Chance(random.Random(options.seed), measure_without_faults(stack))  # noqa: S311
        print(f"{machine()} Two exports at once take {chance.seconds:.1f} s.\n")
        print(
            "| | injected | exports | completed | failed | requeued attempts "
            "| lost | duplicated | recovery |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|",
            flush=True,
        )
        problems: list[str] = []
        for fault in table(options.exports):
            if time.monotonic() - began > MAX_SECONDS:
                problems.append(f"{fault.name}: not run, because the time was over.")
                continue
            verdict, seconds = run_fault(stack, fault, chance)
            lost = verdict.lost + verdict.stuck
            retried = sum(attempts - 1 for attempts in verdict.attempts)
            print(
                f"| {fault.name} | {fault.times} | {fault.times * fault.exports} "
                f"| {verdict.completed} | {verdict.failed} | {retried} "
                f"| {len(lost)} | {len(verdict.duplicated)} | {seconds:.0f} s |",
                flush=True,
            )
            problems += verdict.problems
        seconds = time.monotonic() - began
        print(f"\n{seconds:.0f} s in all. " + ("\n".join(problems) or "Nothing else was wrong."))


if __name__ == "__main__":
    main()
