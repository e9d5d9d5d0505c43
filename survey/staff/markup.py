"""The HTML of what repeats on the overview: the rows of its tables and the points of its chart.

Written in Python: a template takes ten times the CPU, and was half of what the page costs. Names of branches and
questions are escaped; everything else is a number or a text of this program.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote_plus

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from survey.staff import charts, metrics
from survey.staff.figures import Tally
from survey.staff.formats import change_format, percent, signed, two_decimals
from survey.staff.search import Keyword
from survey.staff.trend import Trend

LINE = 14  # pixels from one line of a point's text to the next; the last is above the plot


class Row(NamedTuple):
    """A line of a table: a name, an estimate with its error bar, and how it changed."""

    name: str
    link: str
    estimate: metrics.Estimate | None
    change: metrics.Change | None
    error_bar: charts.ErrorBar | None
    tally: Tally | None = None


@dataclass(frozen=True)
class Part:
    """A group of the NPS with its share."""

    number: int
    label: str
    count: int
    share: metrics.Estimate | None


@dataclass(frozen=True)
class Count:
    """A line of a table of counts, with its share and the length of its bar."""

    label: str
    count: int
    share: float
    length: float
    score: int = 0
    link: str = ""


def plot(chart: charts.Trend) -> SafeString:
    """Return the contents of the SVG of a trend: grid, dates, bars, band, lines, and points that show their text."""
    grid = (f'<line class="grid" x1="0" x2="100%" y1="{tick.at}" y2="{tick.at}"/>' for tick in chart.shares)
    dates = (
        f'<text x="{tick.at}%" y="200" text-anchor="middle" aria-hidden="true">{html.escape(tick.label)}</text>'
        for tick in chart.dates
    )
    bars = "".join(f"M{bar.x} {bar.y}h{bar.width}v{bar.height}h-{bar.width}z" for bar in chart.bars)
    shapes = [f'<path class="count" d="{bars}"/>']
    shapes += (f'<polygon class="band" points="{band}"/>' for band in chart.bands)
    shapes += (f'<polyline class="line before" points="{line}"/>' for line in chart.lines_before)
    shapes += (f'<polyline class="line" points="{line}"/>' for line in chart.lines)
    stretched = (
        f'<svg width="100%" height="208" viewBox="0 0 100 208" preserveAspectRatio="none">{"".join(shapes)}</svg>'
    )
    return mark_safe("\n".join(("".join(grid), "".join(dates), stretched, "".join(map(_point, chart.dots)))))  # noqa: S308


def _point(dot: charts.Dot) -> str:
    first, *others = (html.escape(line) for line in dot.text.split("\n"))
    text = ", ".join((first, *others))
    lower = "".join(f'<tspan x="{dot.x}%" dy="{LINE}">{line}</tspan>' for line in others)
    return (
        f'<g class="point" tabindex="0" role="img" aria-label="{text}"><title>{text}</title>'
        f'<rect x="{dot.left}%" y="0" width="{dot.width}%" height="180"/>'
        f'<circle class="figure" cx="{dot.x}%" cy="{dot.y}" r="3"/>'
        f'<text class="value" x="{dot.x}%" y="{12 - LINE * len(others)}" text-anchor="{dot.anchor}">'
        f"{first}{lower}</text></g>"
    )


def trend_rows(trend: Trend, *, with_year_before: bool) -> SafeString:
    """Return the rows of the table with the same figures as the chart."""
    form = "%Y-%m" if trend.is_monthly else "%Y-%m-%d"
    rows = []
    for point in trend.points:
        csat, year_before = point.csat, point.year_before
        cells = [str(point.submissions), percent(csat.value) if csat else "", _range(csat, percent) if csat else ""]
        if with_year_before:
            cells.append(percent(year_before.value) if year_before else "")
        numbers = "".join(f'<td class="number">{cell}</td>' for cell in cells)
        rows.append(f'<tr><th scope="row">{point.day.strftime(form)}</th>{numbers}</tr>')
    return _joined(rows)


def level_rows(levels: Iterable[Count], address: str) -> SafeString:
    """Return the rows of the distribution, each with a link to the page of this address."""
    return _joined(
        f'<tr><th scope="row" class="level">{_linked(f"{level.score} {level.label}", level, address)}</th>'
        f"{_bar(f'score-{level.score}', level)}</tr>"
        for level in levels
    )


def problem_rows(problems: Iterable[Count], address: str) -> SafeString:
    """Return the rows of the problems, each with a link to the page of this address."""
    return _joined(
        f'<tr><th scope="row">{_linked(problem.label, problem, address)}</th>{_bar("part-1", problem)}</tr>'
        for problem in problems
    )


def _linked(text: str, row: Count, address: str) -> str:
    """Return the text with the row's link, if it counts any."""
    return f'<a href="{address}?{html.escape(row.link)}">{html.escape(text)}</a>' if row.count else html.escape(text)


def part_rows(parts: Iterable[Part]) -> SafeString:
    """Return the rows of the groups of the NPS."""
    return _joined(
        f'<tr><th scope="row" class="keyed"><span class="key part-{part.number}"></span>{html.escape(part.label)}</th>'
        f'<td class="number">{part.count}</td><td class="number">{percent(part.share.value)}'
        f' <span class="range">{_range(part.share, percent)}</span></td></tr>'
        for part in parts
        if part.share
    )


def branch_rows(branches: Sequence[Row], unlisted: int, listed: int) -> SafeString:
    """Return the rows of the branches, with a line for the unlisted ones behind the first listed ones."""
    few = _("few answers")
    few = f' <span class="soft">{html.escape(few)}</span>'
    written = change_format(share=True)
    rows = []
    for row in branches:
        tally, estimate = row.tally or Tally(), row.estimate
        average, nps = tally.average, tally.nps
        name = f'<th scope="row"><a href="?{html.escape(row.link)}">{html.escape(row.name)}</a>'
        rows.append(
            f"<tr>{name}{few if estimate and estimate.is_small else ''}</th>"
            f'<td class="number">{percent(estimate.value) if estimate else "–"}</td>'
            f'<td class="number">{written(row.change)}</td><td class="number">{tally.n}</td>'
            f'<td class="chart">{_interval(row, percent)}</td>'
            f'<td class="number">{two_decimals(average.value) if average else ""}</td>'
            f'<td class="number">{signed(nps.score.value) if nps else ""}</td></tr>'
        )
    if unlisted:
        text = ngettext("%(unlisted)s more branch", "%(unlisted)s more branches", unlisted) % {"unlisted": unlisted}
        rows.insert(listed, f'<tr><td colspan="7" class="soft">{html.escape(text)}</td></tr>')
    return _joined(rows)


def aspect_rows(aspects: Iterable[Row]) -> SafeString:
    """Return the rows of the aspects."""
    written = change_format(decimals=2)
    rows = []
    for row in aspects:
        estimate = row.estimate
        rows.append(
            f'<tr><th scope="row">{html.escape(row.name)}</th><td class="number">{estimate.n if estimate else 0}</td>'
            f'<td class="number">{two_decimals(estimate.value) if estimate else "–"}</td>'
            f'<td class="chart">{_interval(row, two_decimals)}</td>'
            f'<td class="number">{written(row.change)}</td></tr>'
        )
    return _joined(rows)


def keyword_items(keywords: Iterable[Keyword], address: str, query: str) -> SafeString:
    """Return the items of a list of keywords, each with a link to its comments: the address with query and word."""
    start = f"{address}?{html.escape(query)}&amp;" if query else f"{address}?"
    return _joined(
        f'<li class="size-{keyword.size}"><a href="{start}q={quote_plus(keyword.term)}">'
        f'{html.escape(keyword.term)}</a> <span class="soft">{keyword.comments}</span></li>'
        for keyword in keywords
    )


def _bar(name: str, row: Count) -> str:
    """Return the cells with a count's bar, whose class is `name`, the count and its share."""
    return (
        '<td class="chart"><svg viewBox="0 0 200 14" width="100%" height="14" preserveAspectRatio="none"'
        f' aria-hidden="true" focusable="false"><rect class="{name}" x="0" y="0" width="{row.length}" height="14"/>'
        f'</svg></td><td class="number">{row.count}</td><td class="number">{percent(row.share)}</td>'
    )


def _interval(row: Row, form: Callable[[float], str]) -> str:
    """Return the error bar of a row with its range in words."""
    if not (row.estimate and row.error_bar):
        return ""
    return f'{_error_bar(row.error_bar)}<span class="range soft">{_range(row.estimate, form)}</span>'


def _error_bar(bar: charts.ErrorBar) -> str:
    """Return the SVG of an error bar."""
    return (
        f'<svg class="error-bar" viewBox="0 0 {bar.width} 16" width="{bar.width}" height="16" aria-hidden="true"'
        f' focusable="false"><line class="axis" x1="0" y1="8" x2="{bar.width}" y2="8"/><rect class="interval"'
        f' x="{bar.low}" y="5" width="{round(bar.high - bar.low, 1)}" height="6" rx="3"/>'
        f'<circle class="figure" cx="{bar.at}" cy="8" r="4"/></svg>'
    )


def _range(estimate: metrics.Estimate, form: Callable[[float], str]) -> str:
    return f"{form(estimate.low)} – {form(estimate.high)}"


def _joined(rows: Iterable[str]) -> SafeString:
    return mark_safe("".join(rows))  # noqa: S308
