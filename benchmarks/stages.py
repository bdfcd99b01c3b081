"""The stages of `make bench`, each with servers of its own.

Settings contain the folder of the servers and are read once per process, so each stage needs a
process of its own.
"""

import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from benchmarks import batches, lifecycle, plan, webhooks
from benchmarks.data import fill, fill_contacts, servers
from benchmarks.lifecycle import percentile_95, stack
from benchmarks.measuring import Measurement, measure
from benchmarks.orders import fill_orders
from benchmarks.plan import GROWING, Contender, scaled
from benchmarks.processes import Unavailable
from benchmarks.progress import Progress
from benchmarks.results import Comparison, Growth, Results, Runs, Timing
from benchmarks.webhook_receiver import receiving
from benchmarks.webhooks import Rate

_COMPARED = (plan.CSV, plan.GZIP, plan.PARQUET, plan.NESTED)
# Expected seconds of a round on two cores at full scale, without the starts of processes.
_ROUND_SECONDS = {
    plan.CSV: 35,
    plan.GZIP: 80,
    plan.PARQUET: 25,
    plan.NESTED: 30,
    plan.JSON_LINES: 7,
}
_MIN_TIMES = 5
_START_SECONDS, _SERVERS_SECONDS = 2.5, 20
_BATCHES, _SERVICES = "Batches", "Requests and webhooks"


@dataclass(frozen=True)
class Size:
    """scale: multiplies numbers of rows. repeat: rounds, in which contenders alternate."""

    scale: float
    repeat: int

    def rounds(self, title: str, repeat: int) -> Iterator[tuple[int, str]]:
        """Yield the number and the name of each round."""
        for number in range(repeat):
            yield number, f"{title}, round {number + 1} of {repeat}"

    def of(self, rows: int) -> int:
        return scaled(rows, self.scale)

    def steps(self) -> dict[str, float]:
        """Return the expected seconds of all steps of all stages, in their order."""
        steps: dict[str, float] = {}
        for rows in plan.SMALLER:
            steps |= self._growth_steps(rows)
        steps[_filling(self.of(plan.ROWS))] = 30 * self.scale
        for line, seconds in _ROUND_SECONDS.items():
            cost = self._cost(len(line.contenders), seconds)
            steps |= {name: cost for _, name in self.rounds(line.title, self.repeat)}
        for rows in plan.LARGER:
            steps |= self._growth_steps(rows)
        batch_runs = sum(map(len, plan.BATCHES.values())) * self.repeat
        steps[_BATCHES] = self._cost(batch_runs, 40 * self.repeat) + _SERVERS_SECONDS
        return steps | {_SERVICES: _SERVERS_SECONDS + 80 * self.scale}

    @property
    def growth_repeat(self) -> int:
        return min(self.repeat, plan.GROWTH_REPEAT)

    def _cost(self, processes: int, seconds: float) -> float:
        return processes * _START_SECONDS + seconds * self.scale

    def _growth_steps(self, rows: int) -> dict[str, float]:
        """Return the steps of a number of rows. The first one also starts the servers."""
        filling = _SERVERS_SECONDS if rows == plan.SMALLER[0] else 0
        million = rows / 1e6
        rounds = self.rounds(_growing(self.of(rows)), self.growth_repeat)
        return {_filling(self.of(rows)): filling + 25 * million * self.scale} | {
            name: self._cost(len(GROWING), 45 * million) for _, name in rounds
        }


def _filling(rows: int) -> str:
    return f"Creating {rows:,} shipments"


def _growing(rows: int) -> str:
    return f"Files of {rows:,} rows"


@dataclass
class _Collected:
    """The runs of contenders at one size of the table."""

    scale: float
    found: dict[Contender, list[Measurement]] = field(default_factory=dict)
    skipped: dict[Contender, str] = field(default_factory=dict)

    def run(self, contenders: Sequence[Contender], rows: int, number: int) -> None:
        """Run a round. The order alternates, so that no contender always follows the same one."""
        for each in contenders if number % 2 == 0 else reversed(contenders):
            if each in self.skipped:
                continue
            count = min(rows, scaled(each.max_rows, self.scale)) if each.max_rows else rows
            try:
                measured = measure(each.module, each.name, count, django=each.needs_django)
            except Unavailable as error:
                self.skipped[each] = str(error)
                print(f"  {each.label} is skipped: {error}", file=sys.stderr)
            else:
                self.found.setdefault(each, []).append(measured)

    def runs(self, contender: Contender) -> Runs:
        if contender in self.skipped:
            return Runs(contender.label, skipped=self.skipped[contender])
        return Runs.of(contender.label, self.found[contender])


def exports(size: Size, progress: Progress) -> Results:
    """Compare files of shipments and orders, and measure files of a growing table."""
    growing = [contender for _, contender in GROWING]
    by_rows: list[_Collected] = []

    def grow(rows: int) -> None:
        progress.begin(_filling(rows))
        fill(rows)
        collected = _Collected(size.scale)
        for number, name in size.rounds(_growing(rows), size.growth_repeat):
            progress.begin(name)
            collected.run(growing, rows, number)
        by_rows.append(collected)

    with servers():
        for rows in map(size.of, plan.SMALLER):
            grow(rows)
        progress.begin(_filling(size.of(plan.ROWS)))
        fill(size.of(plan.ROWS))
        fill_orders(size.of(plan.ORDERS))
        collected = _compare(size, progress)
        by_rows.append(collected)
        for rows in map(size.of, plan.LARGER):
            grow(rows)
    return Results(
        comparisons=[
            Comparison(line.title, line.unit, [collected.runs(each) for each in line.contenders])
            for line in _COMPARED
        ],
        growth=[
            Growth(contender.label, file, [each.runs(contender) for each in by_rows])
            for file, contender in GROWING
        ],
    )


def _compare(size: Size, progress: Progress) -> _Collected:
    collected = _Collected(size.scale)
    for line in _ROUND_SECONDS:
        rows = size.of(plan.ORDERS if line is plan.NESTED else plan.ROWS)
        for number, name in size.rounds(line.title, size.repeat):
            progress.begin(name)
            if number == 0 and line in (plan.CSV, plan.NESTED):
                # Not counted: warms up the server's cache.
                first = line.contenders[0]
                measure(first.module, first.name, rows)
            collected.run(line.contenders, rows, number)
    return collected


def imports(size: Size, progress: Progress) -> Results:
    """Compare batches, on a server that flushes each commit to the disk."""
    progress.begin(_BATCHES)
    rows, others = size.of(plan.CONTACTS), size.of(plan.OTHER_CONTACTS)
    with servers(durable=True):
        fill_contacts(rows)
        found = batches.measured(rows, size.repeat, others)
    return Results(
        comparisons=[
            Comparison(title, "rows", [Runs.of(label, found[name]) for name, label in keys.items()])
            for title, keys in plan.BATCHES.items()
        ]
    )


def services(size: Size, progress: Progress) -> Results:
    """Measure requests and webhooks of a whole stack."""
    progress.begin(_SERVICES)
    times = max(_MIN_TIMES, round(plan.TIMED_EXPORTS * size.scale))
    deliveries = size.of(plan.DELIVERIES)
    with stack(**webhooks.UNLIMITED) as client, receiving() as receiver:
        # Before the exports of concurrent clients, which end later and would publish events too.
        rates, delays = webhooks.measured(client, receiver, deliveries, times, size.repeat)
        seconds = lifecycle.small_exports(client, times)
    seconds["from an export's completion to its webhook"] = delays
    return Results(
        timings=[
            Timing(
                name,
                len(found),
                round(statistics.median(found) * 1000, 1),
                round(percentile_95(found) * 1000, 1),
            )
            for name, found in seconds.items()
        ],
        rates={
            name: round(statistics.median(each.per_second for each in group))
            for name, group in groupby(sorted(rates, key=_rate_name), _rate_name)
        },
    )


def _rate_name(rate: Rate) -> str:
    return rate.name


STAGES = (exports, imports, services)
