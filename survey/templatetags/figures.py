"""Template filters that format figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template

if TYPE_CHECKING:  # a guest's page imports every library of tags
    from survey.staff.filters import Filters
    from survey.staff.metrics import Change

register = template.Library()


@register.filter
def percent(share: float) -> str:
    """Format a share: 0.823 becomes 82.3%."""
    return f"{100 * share:.1f}%"


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


@register.filter
def direction(change: Change) -> str:
    """Return the CSS class of a change: up, down, or unclear if chance may explain it."""
    if not change.is_clear:
        return "unclear"
    return "up" if change.value > 0 else "down"


@register.filter
def minus(value: float, other: float) -> float:
    """Subtract `other`, for the width of an SVG rectangle."""
    return round(value - other, 1)


@register.simple_tag
def query_of(filters: Filters, **changes: str) -> str:
    """Return the query string of the filters with changes."""
    return filters.query_string(**changes)
