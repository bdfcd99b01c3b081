"""The measurements of `make bench` and the ratios of `make bench-quick`, kept as one JSON file."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from benchmarks.measuring import Measurement

# Keys of `Results.environment`.
ROUNDS, SCALE = "Rounds", "Scale of numbers of rows"
PATH = Path(__file__).with_name("results.json")
_DIGITS = 4


@dataclass(frozen=True)
class Runs:
    """The runs of one contender, in the order of the rounds.

    client_seconds, server_seconds: processor time, as in `Measurement`.
    peak_megabytes: the highest of all runs.
    skipped: why there are no runs.
    """

    name: str
    rows: int = 0
    seconds: list[float] = field(default_factory=list)
    client_seconds: list[float] = field(default_factory=list)
    server_seconds: list[float] = field(default_factory=list)
    peak_megabytes: float = 0
    bytes: int = 0
    skipped: str = ""

    @classmethod
    def of(cls, name: str, found: Sequence[Measurement]) -> Self:
        return cls(
            name,
            found[0].rows,
            [round(each.seconds, _DIGITS) for each in found],
            [round(each.client_seconds, _DIGITS) for each in found],
            [round(each.server_seconds, _DIGITS) for each in found],
            round(max(each.peak_megabytes for each in found), 1),
            found[-1].bytes,
        )

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def spread(self) -> tuple[float, float]:
        return min(self.seconds), max(self.seconds)

    @property
    def rate(self) -> float:
        return self.rows / self.median

    def ratio_to(self, other: "Runs") -> float:
        """Return the time per row as a multiple of another's: the median of consecutive runs."""
        pairs = zip(self.seconds, other.seconds, strict=True)
        ratio = statistics.median(one / another for one, another in pairs)
        return ratio * other.rows / self.rows

    def as_json(self) -> dict[str, Any]:
        if self.skipped:
            return {"name": self.name, "skipped": self.skipped}
        described = {key: value for key, value in asdict(self).items() if key != "skipped"}
        return described | {"median": round(self.median, _DIGITS), "spread": list(self.spread)}

    @classmethod
    def from_json(cls, described: dict[str, Any]) -> Self:
        return cls(
            **{key: value for key, value in described.items() if key not in ("median", "spread")}
        )


@dataclass(frozen=True)
class Comparison:
    """Runs of Longshore, which are the first, and of others that do the same.

    unit: what is counted, such as `rows`.
    """

    title: str
    unit: str
    contenders: list[Runs]

    @property
    def longshore(self) -> Runs:
        return self.contenders[0]


@dataclass(frozen=True)
class Growth:
    """The runs of one contender by growing numbers of rows. file: what it writes."""

    name: str
    file: str
    points: list[Runs]


@dataclass(frozen=True)
class Timing:
    """Milliseconds of a request or of what follows it."""

    name: str
    times: int
    median: float
    percentile_95: float


@dataclass(frozen=True)
class Results:
    """environment: machine, versions and date, by label.

    rates: webhooks per second by their targets.
    quick: ratios of `benchmarks.quick` by name.
    """

    environment: dict[str, str] = field(default_factory=dict)
    comparisons: list[Comparison] = field(default_factory=list)
    growth: list[Growth] = field(default_factory=list)
    timings: list[Timing] = field(default_factory=list)
    rates: dict[str, float] = field(default_factory=dict)
    quick: dict[str, float] = field(default_factory=dict)

    def save(self, path: Path = PATH) -> None:
        described = {
            "environment": self.environment,
            "comparisons": [
                {
                    "title": each.title,
                    "unit": each.unit,
                    "contenders": [runs.as_json() for runs in each.contenders],
                }
                for each in self.comparisons
            ],
            "growth": [
                {
                    "name": each.name,
                    "file": each.file,
                    "points": [runs.as_json() for runs in each.points],
                }
                for each in self.growth
            ],
            "timings": [asdict(each) for each in self.timings],
            "rates": self.rates,
            "quick": self.quick,
        }
        path.write_text(json.dumps(described, indent=1, ensure_ascii=False) + "\n")

    @classmethod
    def load(cls, path: Path = PATH) -> Self:
        """Return the stored results, or empty ones if the file does not exist."""
        if not path.exists():
            return cls()
        described = json.loads(path.read_text())
        return cls(
            described["environment"],
            [
                Comparison(each["title"], each["unit"], _runs(each["contenders"]))
                for each in described["comparisons"]
            ],
            [
                Growth(each["name"], each["file"], _runs(each["points"]))
                for each in described["growth"]
            ],
            [Timing(**each) for each in described["timings"]],
            described["rates"],
            described["quick"],
        )


def _runs(described: list[dict[str, Any]]) -> list[Runs]:
    return [Runs.from_json(each) for each in described]
