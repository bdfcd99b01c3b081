"""Writes `docs/peers.md` and a section of `benchmarks/RESULTS.md` from the stored results.

    python -m benchmarks.report

Measures nothing. `benchmarks.plots` writes the pictures of the page.
"""

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import abilities
from benchmarks.plots import PICTURES
from benchmarks.results import ROUNDS, SCALE, Comparison, Results, Runs

_BASE = Path(__file__).resolve().parent.parent
PAGE, HISTORY = _BASE / "docs" / "peers.md", _BASE / "benchmarks" / "RESULTS.md"
BEGIN, END = (
    "<!-- Begin of the section that make bench writes. -->",
    "<!-- End of the section that make bench writes. -->",
)
_INTRODUCTION = """\
# Longshore and its peers, measured

`make bench` measures all figures of this page on one machine, and writes the page. Every contender
runs in a process of its own, one after the other in alternating order, and reads the same rows of
the same PostgreSQL, which shares the cores with it. The seconds of Longshore cover everything from
the queued export to the verified file.
"""
_MIN_ROUNDS = 3
_TRIAL = """\
**These figures are those of a trial run, with few rows and rounds, in which the start of a file
takes most of the time. Do not compare programs by them.**
"""
_COLUMNS = """\
- **Seconds** are the median of the rounds; the **range** is from the fastest to the slowest round.
- **Multiple** is Longshore's time for a row divided by that of the contender, the median of the
  rounds. A multiple above 1 is **bold**: Longshore is slower.
- **Processor time** is that of the client and its children, without their start, + that of
  PostgreSQL.
- **Memory** is the peak of the client's process. Longshore and the contenders that use Django load
  about 100 MB of code before the first row. The file of a batch is its input.
- Slow contenders process fewer rows. Their time is linear, so compare the rates.
"""
_QUICK = """\
## Ratios that `make bench-quick` guards

Processor time of the client and PostgreSQL, divided by that of a server-side `COPY` of the same
rows. The command measures the ratios again, and fails if one is more than 15 % worse.
"""
_GROWTH = """\
Medians. The organization has no other rows than those that are written. The axis of rows is
logarithmic, and so is that of seconds.
"""


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown. Columns after the first are aligned to the right."""
    lines = [f"| {' | '.join(header)} |".replace("|  |", "| |")]
    lines.append(f"|---|{'--:|' * (len(header) - 1)}")
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def comparison(found: Comparison) -> str:
    header = (
        *("", found.unit, "seconds", "range", f"{found.unit}/s", "multiple"),
        *("processor time", "memory", "file"),
    )
    rows = [_row(found, runs) for runs in found.contenders]
    skipped = [
        f"\nSkipped: {runs.name}. {runs.skipped}\n" for runs in found.contenders if runs.skipped
    ]
    note = [f"\n{abilities.NOTES[found.title]}\n"] if found.title in abilities.NOTES else []
    return table(header, rows) + "".join([*note, *skipped])


def _row(found: Comparison, runs: Runs) -> Sequence[str]:
    if runs.skipped:
        return (runs.name, *["skipped"], *[""] * 7)
    low, high = runs.spread
    return (
        runs.name,
        f"{runs.rows:,}",
        f"{runs.median:.2f}",
        f"{low:.2f} to {high:.2f}",
        f"{runs.rate:,.0f}",
        _multiple(found.longshore, runs),
        f"{statistics.median(runs.client_seconds):.2f} + "
        f"{statistics.median(runs.server_seconds):.2f} s",
        f"{runs.peak_megabytes:,.0f} MB",
        f"{runs.bytes / 1e6:,.1f} MB" if runs.bytes else "",
    )


def _multiple(ours: Runs, other: Runs) -> str:
    if other.name.startswith("Longshore"):
        return ""
    ratio = ours.ratio_to(other)
    text = f"{ratio:.2f}" if ratio >= 0.1 else f"{ratio:.3f}"
    return f"**{text}**" if ratio > 1 else text


def environment(results: Results) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in results.environment.items()) + "\n"


def growth(results: Results) -> Iterator[str]:
    """Yield a table of rates and memory for each kind of file."""
    for file in dict.fromkeys(each.file for each in results.growth):
        found = [each for each in results.growth if each.file == file]
        header = ["rows"]
        for each in found:
            header += [f"{each.name}: rows/s", "seconds", "memory"]
        rows = []
        for points in zip(*(each.points for each in found), strict=True):
            row = [f"{max(runs.rows for runs in points):,}"]
            for runs in points:
                row += ["skipped", "", ""] if runs.skipped else _growth_cells(runs)
            rows.append(row)
        yield f"### Growth: {file}\n\n{table(header, rows)}"


def _growth_cells(runs: Runs) -> list[str]:
    return [f"{runs.rate:,.0f}", f"{runs.median:.2f}", f"{runs.peak_megabytes:,.0f} MB"]


def services(results: Results) -> str:
    timings = [
        (each.name, f"{each.times:,}", f"{each.median:,.0f} ms", f"{each.percentile_95:,.0f} ms")
        for each in results.timings
    ]
    rates = [(f"to {name}", f"{rate:,.0f}") for name, rate in results.rates.items()]
    return (
        f"{table(('', 'times', 'median', 'p95'), timings)}\n"
        f"{table(('webhook deliveries', 'a second'), rates)}"
    )


def able(titles: Sequence[str], by_label: dict[str, tuple[str, ...]]) -> str:
    return table(titles, [(label, *cells) for label, cells in by_label.items()]).replace(
        "--:|", "---|"
    )


def _trial(results: Results) -> list[str]:
    """Return a warning if the results are those of a trial run."""
    found = results.environment
    is_whole = float(found[SCALE]) >= 1 and int(found[ROUNDS]) >= _MIN_ROUNDS
    return [] if is_whole else [_TRIAL]


def page(results: Results) -> str:
    """Return the page of the documentation."""
    parts = [_INTRODUCTION, *_trial(results), environment(results)]
    parts += ["## How to read the tables\n", _COLUMNS]
    for each in results.comparisons:
        parts += [f"## {each.title}\n", comparison(each)]
    parts += ["## Growth\n", _GROWTH]
    parts += [f"![{picture.title}](plots/{picture.name}.svg)\n" for picture in PICTURES]
    parts += [
        *growth(results),
        "## Requests and webhooks\n",
        "The web server, workers and the clients share the cores.\n",
        services(results),
        "## What each contender does\n",
        "`no` and `yes` describe the contenders as they are measured here.\n",
        able(abilities.TITLES, abilities.FILES),
        able(abilities.BATCH_TITLES, abilities.BATCHES),
        _QUICK,
        table(
            ("", "ratio"), [(name, f"{ratio:.2f}") for name, ratio in sorted(results.quick.items())]
        ),
    ]
    return "\n".join(parts)


def section(results: Results) -> str:
    """Return the section of RESULTS.md, with its markers. It has no links and no pictures."""
    parts = [BEGIN, "## Longshore and its peers: `make bench`\n", *_trial(results)]
    parts.append(environment(results))
    for each in results.comparisons:
        parts += [f"### {each.title}\n", comparison(each)]
    parts += [*growth(results), "### Requests and webhooks\n", services(results), END]
    return "\n".join(parts)


def updated(history: str, results: Results) -> str:
    """Return RESULTS.md with the section replaced. Raises ValueError if it has no markers."""
    before, begin, rest = history.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{HISTORY.name} does not contain {BEGIN} and {END}")
    return before + section(results) + after


def main() -> None:
    results = Results.load()
    PAGE.write_text(page(results))
    HISTORY.write_text(updated(HISTORY.read_text(), results))


if __name__ == "__main__":
    main()
