"""Render the survey page with placeholders, from an empty request, so that nothing of a guest is in the text."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, QueryDict
from django.template.loader import render_to_string
from django.utils import translation

from mydjango.http.language import PARAMETER
from survey.chain import CORE, Chain, KeptBrand
from survey.guest.forms import SubmissionForm
from survey.guest.opening import placeholder
from survey.guest.visit import VisitForm
from survey.models import Branch


def render(language: str, is_named: bool, has_branch: bool, chain: Chain = CORE) -> str:
    """Return the page's HTML with placeholders, with the questions of the chain."""
    request = HttpRequest()
    request.method = "GET"
    if is_named:
        request.GET = QueryDict(f"{PARAMETER}={language}")
    name = placeholder("branch_name")
    branch = Branch(code=placeholder("branch"), name=name, name_en=name) if has_branch else None
    form = SubmissionForm.for_page(branch, placeholder("table_number") if branch else "")
    context = {
        "form": form,
        "branch_code": branch.code if branch else "",
        "table_query": placeholder("table_query") if branch else "",
        "visit": VisitForm(initial={field: placeholder(field) for field in ("submission_id", "started")}),
        "photos_switch": placeholder("photos_switch"),
        "brand": KeptBrand(),  # and in its place
        "brand_mark": placeholder("brand"),
        "language_urls": {code: placeholder(code) for code, _name in settings.LANGUAGES},
    }
    with translation.override(language):
        form.ask(chain)
        return render_to_string("guest/page.html", context, request)
