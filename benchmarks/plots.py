"""Draws the pictures of `docs/peers.md` from the stored results, as SVG for light and dark pages.

    python -m benchmarks.plots

Each picture contains the JSON of its data as its description, so that a test can compare it with
the stored results without matplotlib.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.results import Results, Runs

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "plots"
Series = dict[str, list[tuple[int, float]]]
# Readable on white and on black, one for each kind of file.
_COLORS = ("#0d9488", "#c2700a", "#2f7fd6")
_TEXT, _GRID = "#808890", "#80889040"
_WIDTH, _HEIGHT = 8, 4.2


@dataclass(frozen=True)
class Picture:
    """name: of the file. is_logarithmic: whether the vertical axis is."""

    name: str
    title: str
    unit: str
    is_logarithmic: bool = False

    def value(self, runs: Runs) -> float:
        """Return the value of the vertical axis."""
        values = {"rate": runs.rate, "memory": runs.peak_megabytes, "seconds": runs.median}
        return round(values[self.name], 3)

    @property
    def path(self) -> Path:
        return FOLDER / f"{self.name}.svg"


PICTURES = (
    Picture("rate", "Rows per second, by rows", "rows/s"),
    Picture("memory", "Peak memory of the client, by rows", "MB"),
    Picture("seconds", "Seconds, by rows", "s", is_logarithmic=True),
)


def series(results: Results, picture: Picture) -> Series:
    """Return the points of each line of a picture by its label."""
    return {
        f"{each.name}, {each.file}": [
            (runs.rows, picture.value(runs)) for runs in each.points if not runs.skipped
        ]
        for each in results.growth
    }


def description(results: Results, picture: Picture) -> str:
    """Return the text in the metadata of a picture: its data as JSON."""
    return json.dumps(series(results, picture))


def draw(results: Results, picture: Picture) -> None:
    """Write a picture. The same results give the same bytes."""
    import matplotlib as mpl
    from matplotlib import pyplot
    from matplotlib.ticker import EngFormatter, NullFormatter

    # Texts are texts, in the font of the page's reader.
    mpl.rcParams.update({"svg.hashsalt": "longshore", "svg.fonttype": "none"})
    mpl.rcParams.update({"font.family": "sans-serif", "font.size": 11, "text.color": _TEXT})
    figure, axes = pyplot.subplots(figsize=(_WIDTH, _HEIGHT), layout="constrained")
    lines = series(results, picture)
    files = list(dict.fromkeys(each.file for each in results.growth))
    for (label, points), each in zip(lines.items(), results.growth, strict=True):
        _add_line(axes, label, points, _COLORS[files.index(each.file) % len(_COLORS)])
    axes.set_xscale("log")
    if picture.is_logarithmic:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
    axes.set_xticks(sorted({rows for points in lines.values() for rows, _ in points}))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(EngFormatter(sep=""))
        axis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("rows", color=_TEXT)
    axes.set_ylabel(picture.unit, color=_TEXT)
    axes.tick_params(colors=_TEXT, which="both", length=0)
    axes.grid(color=_GRID, linewidth=0.8)
    axes.spines[:].set_visible(False)
    axes.set_title(picture.title, loc="left", weight="bold", color=_TEXT)
    figure.legend(loc="outside right upper", frameon=False, labelcolor=_TEXT)
    metadata = {"Date": None, "Description": description(results, picture)}
    FOLDER.mkdir(exist_ok=True)
    figure.savefig(picture.path, format="svg", transparent=True, metadata=metadata)
    pyplot.close(figure)


def _add_line(axes: Any, label: str, points: list[tuple[int, float]], color: str) -> None:
    is_longshore = label.startswith("Longshore")
    axes.plot(
        [rows for rows, _ in points],
        [value for _, value in points],
        label=label,
        color=color,
        linewidth=2.6 if is_longshore else 1.8,
        linestyle="-" if is_longshore else (0, (4, 2)),
        marker="o",
        markersize=5,
    )


def main() -> None:
    results = Results.load()
    for picture in PICTURES:
        draw(results, picture)


if __name__ == "__main__":
    main()
