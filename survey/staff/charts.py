"""Geometry of the dashboard's charts, from figures to SVG coordinates, which templates draw. Pure, no Django.

A table beside each chart has the same figures, so screen readers skip the SVG. Only presentation attributes and
classes are used, since the Content-Security-Policy forbids inline style.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple

from survey.staff.metrics import Estimate

LABELS = 4  # dates below a trend, at most: more would overlap on a phone
PLOT_TOP, PLOT_BOTTOM = 24.0, 180.0  # pixels; above are the values of a point, below are the dates


class Tick(NamedTuple):
    """A position on an axis with its label."""

    at: float
    label: str


class Bar(NamedTuple):
    x: float
    y: float
    width: float
    height: float


class Dot(NamedTuple):
    """A figure with the lines of text that show on hover and focus, and the part of the picture that reacts."""

    x: float
    y: float
    text: str
    anchor: str  # of the text, so that it stays inside
    left: float
    width: float


@dataclass(frozen=True)
class Trend:
    """CSAT as a line with its interval as a band, the line of the year before, and counts as bars behind.

    x is in percent of the width and y in pixels, so that text keeps its size on every screen.
    """

    lines: list[str] = field(default_factory=list)  # `points` of polylines; a missing figure starts a new one
    lines_before: list[str] = field(default_factory=list)
    bands: list[str] = field(default_factory=list)  # `points` of polygons
    dots: list[Dot] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    dates: list[Tick] = field(default_factory=list)
    shares: list[Tick] = field(default_factory=list)
    counts: list[Tick] = field(default_factory=list)


@dataclass(frozen=True)
class TrendPoint:
    """A point of a trend: its date, the lines of its text, the submissions of its bar, and its figures."""

    date: str
    text: str
    count: int
    csat: Estimate | None
    year_before: Estimate | None


class ErrorBar(NamedTuple):
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


def length(count: float, largest: float, width: float = 200) -> float:
    """Return the length of the bar of a count or share, where the largest has the full width."""
    return _round(width * count / largest) if largest else 0.0


def trend(points: Sequence[TrendPoint]) -> Trend:
    """Return the chart of points, oldest first."""
    chart = Trend()
    height = PLOT_BOTTOM - PLOT_TOP
    step = 100 / max(1, len(points))
    highest = _round_up(max((point.count for point in points), default=0))

    def y(share: float) -> float:
        return _round(PLOT_BOTTOM - height * share)

    xs = [_round(step * (position + 0.5)) for position in range(len(points))]

    chart.shares.extend(Tick(y(percent / 100), f"{percent}%") for percent in (0, 25, 50, 75, 100))
    # At most a third of the height, so that the bars stay in the background.
    chart.counts.extend([Tick(y(0), "0"), Tick(y(1 / 3), str(highest))])
    every = max(1, -(-len(points) // LABELS))
    for position, point in enumerate(points):
        if (len(points) - 1 - position) % every == 0:
            chart.dates.append(Tick(xs[position], point.date))
        top, at = y(point.count / highest / 3), xs[position]
        chart.bars.append(Bar(_round(at - 0.35 * step), top, _round(0.7 * step), _round(PLOT_BOTTOM - top)))
        if point.csat:
            anchor = "start" if at < 100 / 3 else "end" if at > 200 / 3 else "middle"
            chart.dots.append(Dot(at, y(point.csat.value), point.text, anchor, _round(step * position), _round(step)))
    for run in _runs([point.csat for point in points]):
        chart.lines.append(" ".join(f"{xs[position]},{y(estimate.value)}" for position, estimate in run))
        upper = [f"{xs[position]},{y(estimate.high)}" for position, estimate in run]
        lower = [f"{xs[position]},{y(estimate.low)}" for position, estimate in reversed(run)]
        chart.bands.append(" ".join(upper + lower))
    for run in _runs([point.year_before for point in points]):
        if len(run) > 1:  # a lone figure has no dot
            chart.lines_before.append(" ".join(f"{xs[position]},{y(estimate.value)}" for position, estimate in run))
    return chart


def _runs(estimates: Sequence[Estimate | None]) -> list[list[tuple[int, Estimate]]]:
    """Return the positions and figures of each run of neighbours that have one."""
    runs = groupby(enumerate(estimates), key=lambda item: item[1] is None)
    return [
        [(position, estimate) for position, estimate in run if estimate] for is_missing, run in runs if not is_missing
    ]


def _round_up(count: int) -> int:
    """Return the next round number: 1, 2 or 5, or ten times as much and so on."""
    power = int("1".ljust(len(str(count)), "0"))
    return next(number * power for number in (1, 2, 5, 10) if number * power >= count)


def _round(value: float) -> float:
    """Round to a tenth of a unit: finer than any screen, and the page stays small."""
    return round(value, 1)
