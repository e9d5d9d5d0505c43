"""Template tags and filters of the staff's pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.template.base import TextNode
from django.templatetags.i18n import TranslateNode
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from survey.staff import formats
from survey.staff.paths import path

if TYPE_CHECKING:  # a guest's page imports every library of tags
    from datetime import datetime

    from django.forms import Form
    from django.template.base import Parser, Token

    from survey.models import Submission
    from survey.staff.comparison import Cell
    from survey.staff.filters import Filters
    from survey.staff.metrics import Estimate

register = template.Library()


for function in (formats.percent, formats.two_decimals, formats.signed, formats.points):
    register.filter(function)
register.simple_tag(formats.figure_change)
register.simple_tag(path)


@register.filter
def whole_percent(share: float) -> str:
    """Format a share without decimals: 0.823 becomes 82%."""
    return f"{100 * share:.0f}%"


@register.simple_tag
def estimate(found: Estimate | None, share: bool) -> str:
    """Return the HTML of a figure and its range; a share is in percent, a sign that the range does not repeat."""
    if found is None:
        return "–"
    factor, decimals, unit = (100, 1, "%") if share else (1, 2, "")
    value, low, high = (f"{factor * x:.{decimals}f}" for x in (found.value, found.low, found.high))
    return format_html('{}{} <span class="range">{} – {}</span>', value, unit, low, high)


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
    value, low, high = (
        formats.signed(factor * x, decimals) for x in (difference.value, difference.low, difference.high)
    )
    unit = format_html(' <span class="unit">{}</span>', _("pp")) if cell.column.is_share else ""
    return format_html(
        '<span class="{}">{}{}</span> <span class="range">{} – {}</span>',
        cell.tone or "unclear",
        value,
        unit,
        low,
        high,
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
def filter_fields(form: Form, without: str = "") -> SafeString:
    """Return the HTML of the fields of a form, each with its label and its first error, except for one.

    A template takes twice the CPU.
    """
    fields = []
    for field in form:
        if field.name == without:
            continue
        errors = field.errors
        error = f'<p class="error" id="{field.auto_id}_error">{escape(errors[0])}</p>' if errors else ""
        fields.append(
            f'<div class="filter{" invalid" if errors else ""}">'
            f'<label for="{field.id_for_label}">{escape(field.label)}</label>{field}{error}</div>'
        )
    return mark_safe("".join(fields))  # noqa: S308


class OncePerLanguage(template.Node):
    """Text and translations, which depend on nothing but the language: a process renders them once for each."""

    def __init__(self, nodelist: template.NodeList) -> None:
        self.nodelist = nodelist
        self.texts: dict[str | None, SafeString] = {}

    def render(self, context: template.Context) -> SafeString:
        """Return the text in the current language."""
        language = get_language()
        if language not in self.texts:
            self.texts[language] = self.nodelist.render(template.Context())
        return self.texts[language]


@register.tag
def once_per_language(parser: Parser, token: Token) -> OncePerLanguage:
    """Keep what stands between this tag and `endonce_per_language`: headings took a thirtieth of the overview's CPU."""
    nodelist = parser.parse(("endonce_per_language",))
    parser.delete_first_token()
    for node in nodelist:
        if not isinstance(node, TextNode | TranslateNode):
            raise template.TemplateSyntaxError(f"once_per_language takes text and translations, not {node!r}.")
    return OncePerLanguage(nodelist)


@register.simple_tag(takes_context=True)
def navigation(context: template.Context) -> SafeString:
    """Return the HTML of the links between the pages."""
    from survey.staff.navigation import items  # a guest's page imports every library of tags

    return items(context)


@register.simple_tag
def query_of(filters: Filters, **changes: str) -> str:
    """Return the query string of the filters with changes."""
    return filters.query_string(**changes)
