"""Template tags and filters of the staff's pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

if TYPE_CHECKING:  # a guest's page imports every library of tags
    from datetime import datetime

    from survey.models import Submission
    from survey.staff.charts import ErrorBar
    from survey.staff.comparison import Cell
    from survey.staff.filters import Filters
    from survey.staff.metrics import Change, Estimate

register = template.Library()


@register.filter
def percent(share: float) -> str:
    """Format a share: 0.823 becomes 82.3%."""
    return f"{100 * share:.1f}%"


@register.filter
def two_decimals(value: float) -> str:
    """Format an average."""
    return f"{value:.2f}"


@register.filter
def points(share: float) -> str:
    """Format the change of a share in percentage points, with its sign."""
    return signed(100 * share)


@register.filter
def signed(value: float, decimals: int = 1) -> str:
    """Format a number with its sign: +, the minus sign U+2212, or ± for zero."""
    text = f"{abs(value):.{decimals}f}"
    if float(text) == 0:
        return f"±{text}"
    return f"{'+' if value > 0 else '−'}{text}"


@register.simple_tag
def figure_change(change: Change | None, decimals: int = 1, share: bool = False) -> str:
    """Return the HTML of a change; that of a share is in percentage points.

    A function, as is `error_bar`: a template takes ten times the CPU (survey/staff/markup.py).
    """
    if change is None:
        return mark_safe('<span class="soft">–</span>')
    text = f"{points(change.value)} {escape(_('pp'))}" if share else signed(change.value, decimals)  # percentage points
    if not change.is_clear:
        hint = f'<span class="visually-hidden"> {escape(_("(chance may explain it)"))}</span>'
        return mark_safe(f'<span class="change unclear">{text}{hint}</span>')  # noqa: S308
    return mark_safe(f'<span class="change {"up" if change.value > 0 else "down"}">{text}</span>')  # noqa: S308


@register.filter
def whole_percent(share: float) -> str:
    """Format a share without decimals: 0.823 becomes 82%."""
    return f"{100 * share:.0f}%"


@register.simple_tag
def estimate(found: Estimate | None, share: bool) -> str:
    """Return the HTML of a figure and its range; a share is in percent."""
    if found is None:
        return "–"
    value, low, high = (f"{100 * x:.1f}%" if share else f"{x:.2f}" for x in (found.value, found.low, found.high))
    return format_html('{} <span class="range">{} – {}</span>', value, low, high)


@register.simple_tag
def compared_cell(cell: Cell) -> str:
    """Return the HTML of a table's cell: a figure, its range, and a mark where it differs from the others."""
    text = estimate(cell.estimate, cell.column.is_share)
    if not cell.tone or cell.difference is None:
        return format_html('<td class="number">{}</td>', text)
    is_up = cell.difference.value > 0
    hint = _("worse than the others") if cell.tone == "worse" else _("better than the others")
    return format_html(
        '<td class="number {}"><span class="mark" aria-hidden="true">{}</span> {}'
        '<span class="visually-hidden"> {}</span></td>',
        cell.tone,
        "▲" if is_up else "▼",
        text,
        hint,
    )


@register.simple_tag
def compared_difference(cell: Cell) -> str:
    """Return the HTML of a difference with its range."""
    difference = cell.difference
    if difference is None:
        return format_html('<span class="soft">{}</span>', "–")
    factor, decimals = (100, 1) if cell.column.is_share else (1, 2)
    value, low, high = (signed(factor * x, decimals) for x in (difference.value, difference.low, difference.high))
    unit = f" {_percentage_points()}" if cell.column.is_share else ""
    return format_html(
        '<span class="{}">{}{}</span> <span class="range">{} – {}</span>',
        cell.tone or "unclear",
        value,
        unit,
        low,
        high,
    )


def _percentage_points() -> str:
    return _("pp")


@register.simple_tag
def error_bar(bar: ErrorBar) -> str:
    """Return the SVG of an error bar."""
    return mark_safe(  # noqa: S308
        f'<svg class="error-bar" viewBox="0 0 {bar.width} 16" width="{bar.width}" height="16" aria-hidden="true"'
        f' focusable="false"><line class="axis" x1="0" y1="8" x2="{bar.width}" y2="8"/><rect class="interval"'
        f' x="{bar.low}" y="5" width="{round(bar.high - bar.low, 1)}" height="6" rx="3"/>'
        f'<circle class="figure" cx="{bar.at}" cy="8" r="4"/></svg>'
    )


@register.simple_tag
def case_state(submission: Submission) -> str:
    """Return the HTML of the owner of a case and of its due time, or of the time when it was solved."""
    owner = submission.follow_up_owner
    words = _("Owner: %(name)s") % {"name": owner.first_name or owner.username} if owner else _("No owner")
    due_at, closed_at = submission.follow_up_due_at, submission.follow_up_closed_at
    if closed_at:
        return format_html("{} · {}", words, _("solved %(time)s") % {"time": _minute(closed_at)})
    if submission.is_overdue and due_at:
        text = _("overdue since %(time)s") % {"time": _minute(due_at)}
        return format_html('{} · <strong class="overdue">{}</strong>', words, text)
    if due_at and submission.follow_up_status == "open":
        return format_html("{} · {}", words, _("due by %(time)s") % {"time": _minute(due_at)})
    return words


def _minute(instant: datetime) -> str:
    return f"{timezone.localtime(instant):%Y-%m-%d %H:%M}"


@register.simple_tag
def query_of(filters: Filters, **changes: str) -> str:
    """Return the query string of the filters with changes."""
    return filters.query_string(**changes)
