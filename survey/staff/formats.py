"""How figures are written."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

if TYPE_CHECKING:  # a guest's page imports every library of tags, and those of staff this module
    from survey.staff.metrics import Change


def percent(share: float) -> str:
    """Format a share: 0.823 becomes 82.3%."""
    return f"{100 * share:.1f}%"


def two_decimals(value: float) -> str:
    """Format an average."""
    return f"{value:.2f}"


def points(share: float) -> str:
    """Format the change of a share in percentage points, with its sign."""
    return signed(100 * share)


def signed(value: float, decimals: int = 1) -> str:
    """Format a number with its sign: +, the minus sign U+2212, or ± for zero."""
    text = f"{abs(value):.{decimals}f}"
    if float(text) == 0:
        return f"±{text}"
    return f"{'+' if value > 0 else '−'}{text}"


def figure_change(change: Change | None, decimals: int = 1, share: bool = False) -> str:
    """Return the HTML of a change; that of a share is in percentage points.

    A function: a template takes ten times the CPU (survey/staff/markup.py).
    """
    if change is None:
        return mark_safe('<span class="soft">–</span>')
    text = signed(change.value, decimals)
    if share:
        unit = _("pp")  # percentage points
        text = f"{points(change.value)} {html.escape(unit)}"
    if not change.is_clear:
        hint = _("(chance may explain it)")
        hint = f'<span class="visually-hidden"> {html.escape(hint)}</span>'
        return mark_safe(f'<span class="change unclear">{text}{hint}</span>')  # noqa: S308
    return mark_safe(f'<span class="change {"up" if change.value > 0 else "down"}">{text}</span>')  # noqa: S308
