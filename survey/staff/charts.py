"""Geometry of the dashboard's charts, from figures to SVG coordinates. Pure: the templates draw.

Each chart stands beside a table with the same figures, so an SVG is decoration to a screen reader. Only presentation
attributes and classes are used: a strict Content-Security-Policy forbids inline style.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from survey.staff.metrics import Estimate

LABELS = 6  # at most so many dates below a trend; on a phone more would collide


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis."""

    at: float
    label: str


@dataclass(frozen=True)
class Bar:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True)
class Dot:
    """A figure of the trend."""

    x: float
    y: float


@dataclass(frozen=True)
class Trend:
    """CSAT as a line with its interval as a band, over bars of how many answered."""

    width: int
    height: int
    right: float  # where the shares are written, beside the newest days: a phone shows these first
    lines: list[str] = field(default_factory=list)  # each the `points` of a polyline: days without answers break it
    bands: list[str] = field(default_factory=list)  # each the `points` of a polygon
    dots: list[Dot] = field(default_factory=list)  # figures with no neighbour, which a line would not show
    bars: list[Bar] = field(default_factory=list)
    dates: list[Tick] = field(default_factory=list)
    shares: list[Tick] = field(default_factory=list)


@dataclass(frozen=True)
class Whisker:
    """A figure and its interval on a scale."""

    width: float
    low: float
    high: float
    at: float


def whisker(estimate: Estimate, lowest: float, highest: float, width: float = 120) -> Whisker:
    """An estimate on the scale from `lowest` to `highest`, `width` units wide."""

    def place(value: float) -> float:
        return _round((value - lowest) / (highest - lowest) * width)

    return Whisker(width, place(estimate.low), place(estimate.high), place(estimate.value))


def stack(counts: Sequence[int], width: float = 300, height: float = 24) -> list[Bar]:
    """Counts as parts of one bar, left to right; without any, bars of no width."""
    total = sum(counts)
    bars, x = [], 0.0
    for count in counts:
        part = width * count / total if total else 0.0
        bars.append(Bar(_round(x), 0, _round(part), height))
        x += part
    return bars


def length(count: int, largest: int, width: float = 200) -> float:
    """How long the bar of a count is beside the largest."""
    return _round(width * count / largest) if largest else 0.0


def trend(points: Sequence[tuple[str, Estimate | None]], width: int = 640, height: int = 220) -> Trend:
    """The trend of (label, CSAT), oldest first; None where nobody answered."""
    left, right, top, bottom = 8.0, 38.0, 10.0, 28.0
    inner_width, inner_height = width - left - right, height - top - bottom
    chart = Trend(width, height, width - right)
    step = inner_width / max(1, len(points))
    most = max((estimate.n for _label, estimate in points if estimate), default=0)

    def x(position: int) -> float:
        return _round(left + step * (position + 0.5))

    def y(share: float) -> float:
        return _round(top + inner_height * (1 - share))

    for percent in (0, 25, 50, 75, 100):
        chart.shares.append(Tick(y(percent / 100), f"{percent}%"))
    every = max(1, -(-len(points) // LABELS))
    for position, (label, estimate) in enumerate(points):
        if (len(points) - 1 - position) % every == 0:
            chart.dates.append(Tick(x(position), label))
        if estimate:
            # A third of the height, so that the bars stay in the background.
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


def _runs(points: Sequence[tuple[str, Estimate | None]]) -> list[list[tuple[int, Estimate]]]:
    """Stretches of neighbours that all have a figure."""
    runs: list[list[tuple[int, Estimate]]] = []
    for position, (_label, estimate) in enumerate(points):
        if estimate is None:
            continue
        if runs and runs[-1][-1][0] == position - 1:
            runs[-1].append((position, estimate))
        else:
            runs.append([(position, estimate)])
    return runs


def _round(value: float) -> float:
    """A tenth of a unit is finer than any screen and keeps the page small."""
    return round(value, 1)
