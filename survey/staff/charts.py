"""Geometry of the dashboard's charts, from figures to SVG coordinates, which templates draw. Pure, no Django.

A table beside each chart has the same figures, so screen readers skip the SVG. Only presentation attributes and
classes are used, since the Content-Security-Policy forbids inline style.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TypeVar

from survey.staff.metrics import Estimate

Day = TypeVar("Day")
LABELS = 6  # dates below a trend, at most: more would overlap on a phone


@dataclass(frozen=True)
class Tick:
    """A position on an axis with its label."""

    at: float
    label: str


@dataclass(frozen=True)
class Bar:
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Dot:
    x: float
    y: float


@dataclass(frozen=True)
class Trend:
    """CSAT as a line, its interval as a band, and the number of submissions as bars behind."""

    width: int
    height: int
    right: float  # x of the shares' labels, beside the newest days, which a phone shows first
    lines: list[str] = field(default_factory=list)  # `points` of polylines; a day without submissions starts a new one
    bands: list[str] = field(default_factory=list)  # `points` of polygons
    dots: list[Dot] = field(default_factory=list)  # figures without a neighbour: a polyline of one point is invisible
    bars: list[Bar] = field(default_factory=list)
    dates: list[Tick] = field(default_factory=list)
    shares: list[Tick] = field(default_factory=list)


@dataclass(frozen=True)
class ErrorBar:
    """A figure and its interval on a horizontal scale."""

    width: float
    low: float
    high: float
    at: float


def error_bar(estimate: Estimate, lowest: float, highest: float, width: float = 120) -> ErrorBar:
    """Return the error bar of an estimate on a scale from `lowest` to `highest`."""

    def x(value: float) -> float:
        return _round((value - lowest) / (highest - lowest) * width)

    return ErrorBar(width, x(estimate.low), x(estimate.high), x(estimate.value))


def stack(counts: Sequence[int], width: float = 300, height: float = 24) -> list[Bar]:
    """Return counts as the parts of one bar, left to right; of width 0 if all counts are 0."""
    total = sum(counts)
    bars, x = [], 0.0
    for count in counts:
        part = width * count / total if total else 0.0
        bars.append(Bar(_round(x), 0, _round(part), height))
        x += part
    return bars


def length(count: int, largest: int, width: float = 200) -> float:
    """Return the length of a count's bar, where the largest count has the full width."""
    return _round(width * count / largest) if largest else 0.0


def trend(
    points: Sequence[tuple[Day, Estimate | None]],
    label: Callable[[Day], str] = str,
    width: int = 640,
    height: int = 220,
) -> Trend:
    """Return the trend of (day, CSAT) pairs, oldest first; CSAT is None on days without submissions.

    `label` formats a day below the chart.
    """
    left, right, top, bottom = 8.0, 38.0, 10.0, 28.0
    inner_width, inner_height = width - left - right, height - top - bottom
    chart = Trend(width, height, width - right)
    step = inner_width / max(1, len(points))
    most = max((estimate.n for _day, estimate in points if estimate), default=0)

    def x(position: int) -> float:
        return _round(left + step * (position + 0.5))

    def y(share: float) -> float:
        return _round(top + inner_height * (1 - share))

    for percent in (0, 25, 50, 75, 100):
        chart.shares.append(Tick(y(percent / 100), f"{percent}%"))
    every = max(1, -(-len(points) // LABELS))
    for position, (day, estimate) in enumerate(points):
        if (len(points) - 1 - position) % every == 0:
            chart.dates.append(Tick(x(position), label(day)))
        if estimate:
            # At most a third of the height, so that the bars stay in the background.
            tall = _round(inner_height / 3 * estimate.n / most)
            bar_width = max(1.0, step * 0.7)
            chart.bars.append(
                Bar(_round(x(position) - bar_width / 2), _round(top + inner_height - tall), _round(bar_width), tall)
            )
    for run in _runs(points):
        if len(run) == 1:
            position, estimate = run[0]
            chart.dots.append(Dot(x(position), y(estimate.value)))
            continue
        chart.lines.append(" ".join(f"{x(position)},{y(estimate.value)}" for position, estimate in run))
        upper = [f"{x(position)},{y(estimate.high)}" for position, estimate in run]
        lower = [f"{x(position)},{y(estimate.low)}" for position, estimate in reversed(run)]
        chart.bands.append(" ".join(upper + lower))
    return chart


def _runs(points: Sequence[tuple[Day, Estimate | None]]) -> list[list[tuple[int, Estimate]]]:
    """Return the positions and figures of each run of neighbours that have one."""
    runs = groupby(enumerate(points), key=lambda item: item[1][1] is None)
    return [
        [(position, estimate) for position, (_day, estimate) in run if estimate]
        for is_missing, run in runs
        if not is_missing
    ]


def _round(value: float) -> float:
    """Round to a tenth of a unit: finer than any screen, and the page stays small."""
    return round(value, 1)
