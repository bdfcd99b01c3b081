"""Bar charts over time, drawn by Chart.js through Unfold's chart component."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.timezone import localtime

# Both are readable on a light and on a dark background.
_TEXT, _GRID = "#7a8494", "#94a3b833"
_COLORS = ("#0284b8", "#d97706", "#16a34a", "#9333ea")
_FONT_PIXELS = 11
# As Django's `filesizeformat`.
_UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")


@dataclass(frozen=True)
class Period:
    """A time that ends now, and the step of its charts.

    step_label: as in "Rows per hour".
    """

    name: str
    label: str
    span: timedelta
    step: timedelta
    step_label: str

    def begin(self, now: datetime) -> datetime:
        """Return the beginning of the first whole hour."""
        return (now - self.span).replace(minute=0, second=0, microsecond=0)

    def steps(self, now: datetime) -> list[datetime]:
        """Return the beginnings of the steps, in the current zone, oldest first.

        They are aligned with local midnight. The first step may begin before the period.
        """
        current = self.step_of(now)
        steps = [current]
        while steps[-1] > self.begin(now):
            steps.append(self.step_of(steps[-1] - timedelta(seconds=1)))
        return steps[::-1]

    def step_of(self, when: datetime) -> datetime:
        """Return the beginning of the step that contains a time, in the current zone."""
        local = localtime(when)
        if self.step >= timedelta(days=1):
            return local.replace(hour=0, minute=0, second=0, microsecond=0)
        hours = self.step // timedelta(hours=1)
        return local.replace(
            hour=local.hour - local.hour % hours, minute=0, second=0, microsecond=0
        )


PERIODS = {
    period.name: period
    for period in (
        Period("24h", "24 hours", timedelta(days=1), timedelta(hours=1), "hour"),
        Period("7d", "7 days", timedelta(days=7), timedelta(hours=6), "6 hours"),
        Period("30d", "30 days", timedelta(days=30), timedelta(days=1), "day"),
    )
}


@dataclass(frozen=True)
class Series:
    """One color of a chart: a value for each step."""

    label: str
    values: Sequence[float]


@dataclass(frozen=True)
class Chart:
    """A chart as templates need it.

    data, options: JSON for the chart component.
    summary: what the chart says, for people who cannot see it.
    """

    title: str
    summary: str
    data: str
    options: str


def bar_chart(
    title: str, summary: str, period: Period, steps: Sequence[datetime], series: Sequence[Series]
) -> Chart:
    """Return a chart with bars side by side. steps: their beginnings, as `Period.steps`."""
    long = period.step < timedelta(days=1) and period.span > timedelta(days=1)
    pattern = "%d %b %H:%M" if long else "%d %b" if period.step >= timedelta(days=1) else "%H:%M"
    data = {
        "labels": [f"{step:{pattern}}" for step in steps],
        "datasets": [
            {"label": each.label, "data": [*each.values], "backgroundColor": color}
            for each, color in zip(series, _COLORS, strict=False)
        ],
    }
    return Chart(title, summary, json.dumps(data), json.dumps(_OPTIONS))


def byte_unit(largest: float) -> tuple[int, str]:
    """Return the factor and the name of the unit in which to show numbers up to `largest` bytes."""
    power = 0
    while largest >= 1024 ** (power + 1) and power + 1 < len(_UNITS):
        power += 1
    return 1024**power, _UNITS[power]


def _axis(**options: Any) -> dict[str, Any]:
    ticks = {"color": _TEXT, "font": {"size": _FONT_PIXELS}, **options.pop("ticks", {})}
    return {"border": {"display": False}, "ticks": ticks, **options}


_OPTIONS = {
    "animation": False,
    "responsive": True,
    "maintainAspectRatio": False,
    "maxBarThickness": 18,
    "datasets": {"bar": {"borderRadius": 3, "categoryPercentage": 0.75, "barPercentage": 0.9}},
    "interaction": {"mode": "index", "intersect": False},
    "plugins": {
        "legend": {
            "align": "end",
            "labels": {
                "boxHeight": 6,
                "boxWidth": 6,
                "color": _TEXT,
                "pointStyle": "circle",
                "usePointStyle": True,
            },
        }
    },
    "scales": {
        "x": _axis(
            grid={"display": False}, ticks={"maxRotation": 0, "autoSkip": True, "maxTicksLimit": 8}
        ),
        "y": _axis(
            grid={"color": _GRID, "drawTicks": False},
            beginAtZero=True,
            ticks={"maxTicksLimit": 5, "padding": 8, "format": {"notation": "compact"}},
        ),
    },
}
