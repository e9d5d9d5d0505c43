"""Links between the guests' pages, which keep the language, the branch and the table of the visit."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import get_script_prefix, reverse

from mydjango.http.language import keep_language
from survey.table_number import named_table, query_of

PARAMETER = "branch"
CODE = re.compile(r"[-\w]{1,32}", re.ASCII)


def named_branch(request: HttpRequest) -> str:
    """Return the branch's code in a page's query or a posted form, '' without one; the branch may not exist."""
    code = request.GET.get(PARAMETER) or request.POST.get(PARAMETER, "")
    return code if CODE.fullmatch(code) else ""


def thanks_path(reference: str) -> str:
    """Return the path of a submission's thank-you page. reverse() returns the same, but takes a cold start 2 ms."""
    return f"{get_script_prefix()}thanks/{reference}"


def page_url(request: HttpRequest, name: str, branch: str = "", table_query: str = "", **query: str) -> str:
    """Return the path of a page by its name, with the given query, and the branch, table and language of the visit.

    The link to the survey leads to the page of the branch. Without a branch there is no table.
    """
    branch = branch or named_branch(request)
    url = reverse(name)
    # A code needs no encoding. The kept page's placeholders must not get one (survey/guest/blank_page.py).
    text = urlencode(query) + f"&{PARAMETER}={branch}" * bool(branch)
    if branch and name == "survey":
        url, text = reverse("branch-survey", args=[branch]), ""
    if branch:
        text += table_query or query_of(named_table(request))
    return keep_language(request, f"{url}?{text.lstrip('&')}" if text else url)
