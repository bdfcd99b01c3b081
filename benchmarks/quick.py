"""Fails if an export has become slower, compared with a server-side COPY of the same rows.

    make bench-quick [BENCH="--save"]

Takes about three minutes. Machines differ, so only ratios to the COPY are compared with the stored
ones (`quick` in `benchmarks/results.json`), by the processor time of the client and of PostgreSQL:
other programs change it much less than the duration. --save stores the new ratios.
"""

import argparse
import statistics
import sys
from dataclasses import replace
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
# By what is guarded: the contender, and its yardstick.
PAIRS = {
    plan.CSV.title: (plan.CSV.contenders[0], _COPY),
    plan.GZIP.title: (plan.GZIP.contenders[0], _COPY),
    plan.JSON_LINES.title: (plan.JSON_LINES.contenders[0], _COPY),
    plan.PARQUET.title: (plan.PARQUET.contenders[0], _COPY),
    plan.NESTED.title: (plan.NESTED.contenders[1], _NESTED_COPY),
}


def ratios(name: str, scale: float, repeat: int) -> dict[str, list[float]]:
    """Measure consecutive pairs; return their ratios of processor time and of seconds."""
    contender, yardstick = PAIRS[name]
    rows = scaled(ORDERS if name == plan.NESTED.title else ROWS, scale)
    found: dict[str, list[float]] = {"processor": [], "wall": []}
    for _ in range(repeat):
        base, ours = (measure(each.module, each.name, rows) for each in (yardstick, contender))
        found["processor"].append(_processor(ours) / _processor(base))
        found["wall"].append(ours.seconds / base.seconds)
    return found


def _processor(found: Measurement) -> float:
    return found.client_seconds + found.server_seconds


def regressions(stored: dict[str, float], found: dict[str, float]) -> list[str]:
    """Describe the ratios that are worse than the stored ones by more than MAX_WORSE."""
    return [
        f"{name}: {stored[name]:.2f} → {ratio:.2f} times the COPY ({ratio / stored[name] - 1:+.0%})"
        for name, ratio in found.items()
        if name in stored and ratio > stored[name] * (1 + MAX_WORSE)
    ]


def run(stored: dict[str, float], scale: float) -> dict[str, float]:
    """Measure all ratios. A ratio that seems worse is measured again before it counts."""
    found: dict[str, float] = {}
    with servers():
        fill(scaled(ROWS, scale))
        fill_orders(scaled(ORDERS, scale))
        for _, yardstick in PAIRS.values():
            # Not counted: warms up the server's cache.
            measure(yardstick.module, yardstick.name, scaled(ROWS, scale))
        for name in PAIRS:
            measured = ratios(name, scale, _REPEAT)
            _show(name, measured)
            found[name] = statistics.median(measured["processor"])
            if regressions(stored, {name: found[name]}):
                again = ratios(name, scale, _REPEAT)
                _show(f"{name}, again", again)
                found[name] = statistics.median(measured["processor"] + again["processor"])
    return found


def _show(name: str, measured: dict[str, list[float]]) -> None:
    texts = [
        f"{statistics.median(values):.2f} by {kind} time ({min(values):.2f} to {max(values):.2f})"
        for kind, values in measured.items()
    ]
    print(f"{name}: {', '.join(texts)}", flush=True)


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
        sys.exit("Slower than the stored ratios:\n" + "\n".join(worse))


if __name__ == "__main__":
    main()
