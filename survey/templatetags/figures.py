"""Template tags and filters of the staff's pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _

from survey.staff import formats

if TYPE_CHECKING:  # a guest's page imports every library of tags
    from datetime import datetime

    from survey.models import Submission
    from survey.staff.filters import Filters

register = template.Library()


for function in (formats.percent, formats.two_decimals, formats.signed):
    register.filter(function)
register.simple_tag(formats.figure_change)


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
