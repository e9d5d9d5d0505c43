"""The survey page before anything is typed: one text for each language, completed for each guest.

Rendering takes some 65 widget templates for values that are the same for every guest, a hundred times the CPU of the
smallest Django view (`python -m benchmarks.warm`). Therefore the page is rendered with placeholders for whatever
differs (blank_page_rendering.py): when the package is made, or else once in the process.

A fresh instance responds to `GET /` from the package without importing forms, models and templates, which are more
than half of its time (docs/coldstart.md). Questions that head office has changed are put into it once (asked_page.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import get_script_prefix

from mydjango.cold_start.deferred_apps import populate_apps
from mydjango.http.language import mark_language, named_language, preferred_language, url_in_language
from survey.chain import CORE, Chain, current
from survey.guest.asked_page import with_questions
from survey.guest.opening import PLACEHOLDER, new_visit, photos_switch
from survey.table_number import named_table, query_of

if TYPE_CHECKING:
    from survey.models import Branch

STYLESHEET = re.compile(r'href="([^"]*/survey/survey(?:\.[0-9a-f]+)?\.css)"')
# About 25 KB each: one for each language, with and without a branch, and for each of a gateway's path prefixes. Those
# with questions that have changed since are the first to go.
KEPT_PAGES = 24
LONGEST_PREFIX = 100  # characters; a page with a longer one is not kept, since a client may have chosen it


def complete_page(request: HttpRequest, branch: Branch | None = None, chain: Chain | None = None) -> str:
    """Return the HTML of a new visit's page, for a branch or the whole chain, with the present questions or these."""
    prefix = get_script_prefix()
    is_kept = not settings.DEBUG and len(prefix) <= LONGEST_PREFIX  # with DEBUG, templates change
    text_of = _page_text if is_kept else _page_text.__wrapped__
    language, is_named = preferred_language(request), named_language(request) is not None
    chain = chain or current()
    page = text_of(language, is_named, prefix, branch is not None, chain._replace(brand=CORE.brand))
    if chain.brand.color:
        page = STYLESHEET.sub(lambda link: f'href="{chain.brand.stylesheet(link[1])}"', page, count=1)
    table = named_table(request) if branch else ""
    values = {
        **new_visit(),
        **{code: url_in_language(request, code) for code, _name in settings.LANGUAGES},
        "photos_switch": photos_switch(),
        "branch": branch.code if branch else "",
        "branch_name": branch.local_name if branch else "",
        "table_number": table,
        "table_query": query_of(table),
    }
    html = {name: escape(value) for name, value in values.items()} | {"brand": chain.brand.mark(language)}
    return PLACEHOLDER.sub(lambda match: html[match[1]], page)


@lru_cache(maxsize=KEPT_PAGES)
def _page_text(language: str, is_named: bool, prefix: str, has_branch: bool, chain: Chain) -> str:
    """Return the page with placeholders, from the package or rendered now.

    `is_named`: the page's URL names the language, and so do its links. `prefix` is the path before ours, which
    `reverse` and `static` read for themselves.
    """
    file = packaged_page(language, is_named, has_branch)
    if prefix == "/" and not settings.DEBUG and file.is_file():
        text = file.read_text("utf-8")
        page = text if chain == CORE else with_questions(text, chain, language)
        if page is not None:
            return page
    populate_apps()
    from survey.guest.blank_page_rendering import render  # imports models, forms and templates

    return render(language, is_named, has_branch, chain)


def packaged_page(language: str, is_named: bool, has_branch: bool) -> Path:
    """Return the file of a page in the package, which a development tree does not have."""
    name = f"{language}{'-named' if is_named else ''}{'-branch' if has_branch else ''}.html"
    return Path(settings.BLANK_PAGES, name)


class BlankPageMiddleware:
    """Respond to `GET /` with the packaged page. Without one, the view of that URL responds, with the same page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.is_packaged = Path(settings.BLANK_PAGES).is_dir() and not settings.DEBUG

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not self.is_packaged or request.path != "/" or request.method not in ("GET", "HEAD"):
            return self.get_response(request)
        response = HttpResponse(complete_page(request), headers={"Cache-Control": "no-store"})
        return mark_language(response, preferred_language(request))
