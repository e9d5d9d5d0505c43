"""The context of every page for staff: filters and the badges of the navigation."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest

from survey.staff import submissions
from survey.staff.access import BranchName, may_erase
from survey.staff.filters import FilterForm
from survey.staff.statements import Reading, run


def filter_form(
    request: HttpRequest,
    *without: str,
    any_time: bool = False,
    low_only: bool = False,
    branches: list[BranchName] | None = None,
) -> FilterForm:
    """Return the filters of the query string, except for those that the page is `without`; FilterForm has the options.

    Only `export_form` has the status of the follow-up: its own page has tabs instead.
    """
    return FilterForm(
        request.GET,
        request.user,
        without={*without, "status"},
        any_time=any_time,
        low_only=low_only,
        branches=branches,
    )


def export_form(request: HttpRequest) -> FilterForm:
    """Return every filter."""
    return FilterForm(request.GET, request.user)


def page_context(request: HttpRequest, form: FilterForm) -> dict[str, Any]:
    """Return the context of the base template."""
    return run(read_page_context(request, form))


def read_page_context(request: HttpRequest, form: FilterForm) -> Reading[dict[str, Any]]:
    """Return the context of the base template, for a page that reads it beside its own figures."""
    branches = None if form.is_head_office else [branch.pk for branch in form.branches]
    badges = yield from submissions.count_badges(branches)
    erases = may_erase(request.user)
    return {
        "form": form,
        "carried": urlencode(form.query),
        "is_head_office": form.is_head_office,
        "open_count": badges.open,
        "many": submissions.MANY,
        "may_erase": erases,
        "request_count": badges.erasures if erases else 0,
        "branch_count": len(form.branches),
        "given_up_count": badges.given_up if form.is_head_office else 0,
    }
