"""The links between the staff's pages, written in Python: a template took five percent of the overview's CPU."""

from __future__ import annotations

import html
from functools import cache
from typing import NamedTuple

from django.template import Context
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from survey.staff.paths import path


class Link(NamedTuple):
    """A link, with the names of the values that it takes from the page's context."""

    view: str
    label: str
    query: tuple[str, ...] = ()  # the first value that is not empty goes with the link
    badge: str = ""  # the value of a count, which is shown unless it is 0
    badge_label: str = ""
    condition: str = ""  # the value without which the link is left out


FILTERS = ("carried",)
LINKS = (
    Link("dashboard:today", gettext_noop("Today"), FILTERS),
    Link("dashboard:overview", gettext_noop("Overview"), FILTERS),
    Link("dashboard:compare", gettext_noop("Compare"), FILTERS),
    Link("dashboard:comments", gettext_noop("Comments"), FILTERS),
    Link("dashboard:follow_up", gettext_noop("Follow-up"), FILTERS, "open_count", gettext_noop("open")),
    Link("dashboard:export", gettext_noop("Export"), ("export_query", "carried")),
    Link("dashboard:branches", gettext_noop("Branches")),
    Link("dashboard:erasures", gettext_noop("Erasures"), (), "request_count", gettext_noop("waiting"), "may_erase"),
    Link("dashboard:questions", gettext_noop("Questions"), condition="is_head_office"),
    Link("dashboard:robots", gettext_noop("Robots"), (), "given_up_count", gettext_noop("given up"), "is_head_office"),
    Link("dashboard:staff", gettext_noop("Staff"), condition="is_head_office"),
    Link("dashboard:brand", gettext_noop("Brand"), condition="is_head_office"),
    Link("admin:index", gettext_noop("Records"), condition="is_head_office"),
)


def items(context: Context) -> SafeString:
    """Return the HTML of the list's items, from a page's context."""
    page, written = context["request"].resolver_match.view_name, []
    for link, text, badge_label in _links(get_language()):
        if link.condition and not context[link.condition]:
            continue
        query = next(filter(None, map(context.get, link.query)), "")
        href = f"{html.escape(path(link.view))}{'?' if query else ''}{html.escape(query)}"
        current = ' aria-current="page"' if link.view == page else ""
        written.append(f'<li><a href="{href}"{current}>{text}{_badge(link, context, badge_label)}</a></li>')
    return mark_safe("\n".join(written))  # noqa: S308


def _badge(link: Link, context: Context, label: str) -> str:
    count = context[link.badge] if link.badge else 0
    if not count:
        return ""
    number = f"{count}+" if (link.badge, count) == ("open_count", context["many"]) else str(count)
    return f' <span class="badge">{number}<span class="visually-hidden"> {label}</span></span>'


@cache
def _links(language: str) -> list[tuple[Link, str, str]]:
    """Return each link with its text and the label of its badge in the current language, escaped."""
    return [
        (link, html.escape(_(link.label)), html.escape(_(link.badge_label)) if link.badge else "") for link in LINKS
    ]
