"""The links between the staff's pages, written in Python: a template took five percent of the overview's CPU."""

from __future__ import annotations

import html
from functools import lru_cache
from typing import NamedTuple

from django.template import Context
from django.urls import get_script_prefix, reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop


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
    paths, page = _paths(get_script_prefix()), context["request"].resolver_match.view_name
    written = []
    for link in LINKS:
        if link.condition and not context[link.condition]:
            continue
        query = next(filter(None, map(context.get, link.query)), "")
        href = f"{paths[link.view]}{'?' if query else ''}{html.escape(query)}"
        current = ' aria-current="page"' if link.view == page else ""
        text = html.escape(_(link.label)) + _badge(link, context)
        written.append(f'<li><a href="{href}"{current}>{text}</a></li>')
    return mark_safe("\n".join(written))  # noqa: S308


def _badge(link: Link, context: Context) -> str:
    count = context[link.badge] if link.badge else 0
    if not count:
        return ""
    number = f"{count}+" if (link.badge, count) == ("open_count", context["many"]) else str(count)
    label = f'<span class="visually-hidden"> {html.escape(_(link.badge_label))}</span>'
    return f' <span class="badge">{number}{label}</span>'


@lru_cache(maxsize=8)  # a client may have chosen the prefix
def _paths(prefix: str) -> dict[str, str]:
    """Return the paths of the links behind a prefix, which reverse() adds."""
    return {link.view: html.escape(reverse(link.view)) for link in LINKS}
