"""Fails if an export has become slower, compared with a server-side COPY of the same rows.

    make bench-quick [BENCH="--save"]

Takes about three minutes. Machines differ, so only ratios to the COPY are compared with the stored
ones (`quick` in `benchmarks/results.json`), by the processor time of the client and of PostgreSQL:
other programs change it much less than the duration. --save stores the new ratios.
"""

import argparse
import statistics
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks import names, plan
from benchmarks.data import fill, servers
from benchmarks.measuring import Measurement, measure
from benchmarks.orders import fill_orders
from benchmarks.plan import Contender, scaled
from benchmarks.results import PATH, Results

MAX_WORSE = 0.15
ROWS, ORDERS, _REPEAT = 150_000, 10_000, 5
_COPY = plan.CSV.contenders[1]
_NESTED_COPY = Contender(plan.COPY, plan.NESTED.contenders[0].module, names.SERVER)


@dataclass(frozen=True)
class Group:
    """Lines whose first contenders run right before or after their yardstick. rows: of each."""

    yardstick: Contender
    rows: int
    guarded: Mapping[str, Contender]


GROUPS = (
    Group(_COPY, ROWS, {line.title: line.contenders[0] for line in (plan.CSV, plan.GZIP)}),
    Group(
        _COPY, ROWS, {line.title: line.contenders[0] for line in (plan.JSON_LINES, plan.PARQUET)}
    ),
    Group(_NESTED_COPY, ORDERS, {plan.NESTED.title: plan.NESTED.contenders[1]}),
)


@dataclass
class Ratios:
    """The ratios of one line to its yardstick, in the order of the rounds."""

    processor: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)

    def add(self, found: Measurement, base: Measurement) -> None:
        self.processor.append(_processor(found) / _processor(base))
        self.wall.append(found.seconds / base.seconds)

    def __str__(self) -> str:
        kinds = (("processor time", self.processor), ("duration", self.wall))
        return ", ".join(
            f"{statistics.median(values):.2f} by {kind} ({min(values):.2f} to {max(values):.2f})"
            for kind, values in kinds
        )


def measured(group: Group, scale: float) -> dict[str, Ratios]:
    """Measure a group in rounds; return the ratios by title."""
    ratios = {title: Ratios() for title in group.guarded}
    first, *others = group.guarded.values()
    for _ in range(_REPEAT):
        runs = {
            each: measure(each.module, each.name, scaled(group.rows, scale))
            for each in (first, group.yardstick, *others)
        }
        for title, contender in group.guarded.items():
            ratios[title].add(runs[contender], runs[group.yardstick])
    return ratios


def _processor(found: Measurement) -> float:
    return found.client_seconds + found.server_seconds


def regressions(stored: dict[str, float], found: dict[str, float]) -> list[str]:
    """Describe the ratios that are worse than the stored ones by more than MAX_WORSE, or new."""
    return [
        f"{name}: {stored[name]:.2f} → {ratio:.2f} times the COPY ({ratio / stored[name] - 1:+.0%})"
        for name, ratio in found.items()
        if name in stored and ratio > stored[name] * (1 + MAX_WORSE)
    ] + [
        f"{name}: no ratio is stored; store it with --save" for name in found if name not in stored
    ]


def run(stored: dict[str, float], scale: float) -> dict[str, float]:
    """Return all ratios. A group with a ratio that seems worse is measured again."""
    found: dict[str, float] = {}
    with servers():
        fill(scaled(ROWS, scale))
        fill_orders(scaled(ORDERS, scale))
        for group in GROUPS:
            # Not counted: warms up the server's cache.
            measure(group.yardstick.module, group.yardstick.name, scaled(group.rows, scale))
            ratios = measured(group, scale)
            if stored and regressions(stored, _medians(ratios)):
                print("A ratio seems worse; measuring again.", flush=True)
                for title, again in measured(group, scale).items():
                    ratios[title].processor += again.processor
                    ratios[title].wall += again.wall
            for title, each in ratios.items():
                print(f"{title}: {each}", flush=True)
            found |= _medians(ratios)
    return found


def _medians(ratios: Mapping[str, Ratios]) -> dict[str, float]:
    return {title: statistics.median(each.processor) for title, each in ratios.items()}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--save", action="store_true", help="store the ratios, compare nothing")
    parser.add_argument("--scale", type=float, default=1, help="multiplies all numbers of rows")
    parser.add_argument("--results", type=Path, default=PATH, help="the JSON file")
    options = parser.parse_args()
    results = Results.load(options.results)
    found = run({} if options.save else results.quick, options.scale)
    if options.save:
        rounded = {name: round(ratio, 3) for name, ratio in found.items()}
        replace(results, quick=rounded).save(options.results)
    elif worse := regressions(results.quick, found):
        sys.exit("More processor time than stored:\n" + "\n".join(worse))


if __name__ == "__main__":
    main()
