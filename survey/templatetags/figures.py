"""How figures are written."""

from __future__ import annotations

from django import template
from django.utils.formats import number_format

from survey.filters import Filters
from survey.metrics import Change

register = template.Library()


@register.filter
def percent(share: float | None) -> str:
    """0.823 as 82.3%."""
    return "" if share is None else f"{number_format(100 * share, decimal_pos=1)}%"


@register.filter
def points(share: float) -> str:
    """A change of a share in percentage points, with its sign."""
    return signed(100 * share)


@register.filter
def signed(value: float) -> str:
    """A change with its sign, one decimal; the typographic minus."""
    text = number_format(abs(value), decimal_pos=1)
    if float(f"{abs(value):.1f}") == 0:
        return f"±{text}"
    return f"{'+' if value > 0 else '−'}{text}"


@register.filter
def direction(change: Change) -> str:
    """The class of a change: up, down, or unclear where chance may explain it."""
    if not change.is_clear:
        return "unclear"
    return "up" if change.value > 0 else "down"


@register.filter
def minus(value: float, other: float) -> float:
    """The difference; an SVG rectangle has a width, not an end."""
    return round(value - other, 1)


@register.simple_tag
def query_of(filters: Filters, **changes: str) -> str:
    """The query string of the filters with some set anew."""
    return filters.query_string(**changes)
