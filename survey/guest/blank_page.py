"""The survey page before anything is typed: rendered once for each language, then completed for each guest.

Rendering takes some 65 widget templates for values that are the same for every guest, a hundred times the CPU of the
smallest Django view (`python -m benchmarks.warm`). Therefore the page is rendered with placeholders for whatever
differs, and that text is kept in the process. Nothing of a request is in it: the request that it is rendered with is
an empty one.
"""

from __future__ import annotations

import re
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.template.loader import render_to_string
from django.urls import get_script_prefix
from django.utils import translation
from django.utils.html import escape

from mydjango.http.language import PARAMETER, named_language, url_in_language
from survey.guest.forms import SubmissionForm
from survey.guest.visit import VisitForm, new_visit
from survey.models import Branch

KEPT_PAGES = (
    24  # about 25 KB each: one for each language, with and without a branch, and for each of a gateway's path prefixes
)
LONGEST_PREFIX = 100  # characters; a page with a longer one is not kept, since a client may have chosen it
MARK = "\ufdd0"  # a noncharacter of Unicode, which stands for nothing in any text
PLACEHOLDER = re.compile(f"{MARK}([^{MARK}]+){MARK}")


def render_blank_page(request: HttpRequest, branch: Branch | None) -> str:
    """Return the HTML of a new visit's page, for a branch or the whole chain, in the current language."""
    prefix = get_script_prefix()
    is_kept = not settings.DEBUG and len(prefix) <= LONGEST_PREFIX  # with DEBUG, templates change
    render = _render_with_placeholders if is_kept else _render_with_placeholders.__wrapped__
    page = render(translation.get_language() or "", named_language(request), prefix, branch is not None)
    values = {
        **new_visit(),
        **{code: url_in_language(request, code) for code, _name in settings.LANGUAGES},
        "branch": branch.code if branch else "",
        "branch_name": branch.local_name if branch else "",
    }
    return PLACEHOLDER.sub(lambda placeholder: escape(values[placeholder[1]]), page)


@lru_cache(maxsize=KEPT_PAGES)
def _render_with_placeholders(language: str, named: str | None, _prefix: str, has_branch: bool) -> str:
    """Render the page in a language.

    `named` is the language in the page's URL, which its links keep. `_prefix` is the path before ours: `reverse` and
    `static` read it for themselves.
    """
    request = HttpRequest()
    request.method = "GET"
    if named:
        request.GET = QueryDict(f"{PARAMETER}={named}")
    name = _placeholder("branch_name")
    branch = Branch(code=_placeholder("branch"), name=name, name_en=name) if has_branch else None
    context = {
        "form": SubmissionForm.for_page(branch),
        "branch_code": branch.code if branch else "",
        "visit": VisitForm(initial={field: _placeholder(field) for field in ("submission_id", "started")}),
        "language_urls": {code: _placeholder(code) for code, _name in settings.LANGUAGES},
    }
    with translation.override(language):
        return render_to_string("guest/page.html", context, request)


def _placeholder(name: str) -> str:
    return f"{MARK}{name}{MARK}"
