"""How figures are written."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

if TYPE_CHECKING:  # a guest's page imports every library of tags, and those of staff this module
    from collections.abc import Callable

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


def change_format(decimals: int = 1, share: bool = False) -> Callable[[Change | None], str]:
    """Return the function that writes a change as HTML; that of a share is in percentage points.

    The rows of a table share it, and with it the translations. A template takes ten times the CPU
    (survey/staff/markup.py).
    """
    pp, hint = _("pp"), _("(chance may explain it)")  # pp: percentage points
    unit = f" {html.escape(pp)}" if share else ""
    factor = 100 if share else 1
    unclear = f'<span class="visually-hidden"> {html.escape(hint)}</span>'

    def write(change: Change | None) -> str:
        if change is None:
            return '<span class="soft">–</span>'
        text = f"{signed(factor * change.value, decimals)}{unit}"
        if not change.is_clear:
            return f'<span class="change unclear">{text}{unclear}</span>'
        return f'<span class="change {"up" if change.value > 0 else "down"}">{text}</span>'

    return write


def figure_change(change: Change | None, decimals: int = 1, share: bool = False) -> SafeString:
    """Return the HTML of a single change (`change_format`)."""
    return mark_safe(change_format(decimals, share)(change))  # noqa: S308
