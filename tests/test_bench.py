"""`make bench`: pages follow from the stored results. `make bench-quick`: ratios are guarded."""

import html
import re
from pathlib import Path

import pytest

from benchmarks import plots, quick, report
from benchmarks.results import Comparison, Results, Runs


def runs(name: str, rows: int, *seconds: float) -> Runs:
    return Runs(name, rows, [*seconds], [*seconds], [*seconds], 100, 5)


def test_the_pages_are_those_of_the_stored_results() -> None:
    results = Results.load()
    assert report.PAGE.read_text() == report.page(results), "Run `make bench-report`."
    history = report.HISTORY.read_text()
    assert history == report.updated(history, results), "Run `make bench-report`."


@pytest.mark.parametrize("picture", plots.PICTURES, ids=lambda picture: picture.name)
def test_a_picture_shows_the_stored_results(picture: plots.Picture) -> None:
    found = re.search(
        r"<dc:description>(.*?)</dc:description>", picture.path.read_text(), re.DOTALL
    )
    assert found
    stored = plots.description(Results.load(), picture)
    assert html.unescape(found[1]) == stored, "Run `make bench-report`."


def test_a_ratio_compares_the_time_of_a_row_in_the_same_round() -> None:
    ours, other = runs("Longshore", 1000, 1.0, 4.0, 2.0), runs("DuckDB", 500, 1.0, 2.0, 1.0)
    assert ours.ratio_to(other) == 1.0
    assert ours.ratio_to(runs("DuckDB", 1000, 2.0, 1.0, 1.0)) == 2.0


def test_multiples_are_bold_if_longshore_is_slower() -> None:
    faster, slower = runs("psql", 100, 1.0), runs("pandas", 100, 4.0)
    skipped = Runs("DuckDB", skipped="It has no scanner.")
    found = Comparison("CSV", "rows", [runs("Longshore", 100, 2.0), faster, slower, skipped])
    rows = report.comparison(found).splitlines()
    assert [row.split(" | ")[5] for row in rows if row.startswith("| p")] == ["**2.00**", "0.50"]
    assert rows[-1] == "Skipped: DuckDB. It has no scanner."


def test_stored_results_are_read_back(tmp_path: Path) -> None:
    skipped = Runs("DuckDB", skipped="It has no scanner.")
    found = Comparison("CSV", "rows", [runs("Longshore", 100, 2.0, 1.0), skipped])
    results = Results({"Date": "2026-01-01"}, [found], quick={"CSV": 1.5})
    results.save(tmp_path / "results.json")
    assert Results.load(tmp_path / "results.json") == results


def test_a_ratio_that_is_worse_than_the_limit_or_unknown_is_named() -> None:
    stored = {"CSV": 2.0, "JSON Lines": 2.0, "Parquet with zstd": 2.0}
    found = {"CSV": 2.4, "JSON Lines": 2.2, "Parquet with zstd": 1.0, "new": 9.0}
    assert quick.regressions(stored, found) == [
        "CSV: 2.00 → 2.40 times the COPY (+20%)",
        "new: no ratio is stored; store it with --save",
    ]
