"""Links between the guests' pages, which keep the language and the branch of the visit."""

from __future__ import annotations

import re
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from mydjango.http.language import keep_language

PARAMETER = "branch"
CODE = re.compile(r"[-\w]{1,32}", re.ASCII)


def named_branch(request: HttpRequest) -> str:
    """Return the branch's code in a page's query or a posted form, '' without one; the branch may not exist."""
    code = request.GET.get(PARAMETER) or request.POST.get(PARAMETER, "")
    return code if CODE.fullmatch(code) else ""


def page_url(request: HttpRequest, name: str, branch: str = "", **query: str) -> str:
    """Return the path of a page by its name, with the given query, the branch and the language of the request's URL.

    The link to the survey leads to the page of the branch.
    """
    branch = branch or named_branch(request)
    if branch and name == "survey":
        return keep_language(request, reverse("branch-survey", args=[branch]))
    # A code needs no encoding. The kept page's placeholder must not get one (survey/guest/blank_page.py).
    parameters = [urlencode(query)] * bool(query) + [f"{PARAMETER}={branch}"] * bool(branch)
    url = reverse(name)
    return keep_language(request, f"{url}?{'&'.join(parameters)}" if parameters else url)
