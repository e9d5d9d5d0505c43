"""Branches and their cards with the QR code."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from mydjango.operations.public_url import absolute_url
from survey.models import Branch
from survey.staff.access import branches_of, head_office_view, staff_view
from survey.staff.accounts import BranchForm
from survey.staff.views.overview import form_of, page_context


class Card(NamedTuple):
    """What a card shows: the QR code of the branch's link as an SVG path in a square of this width."""

    branch: Branch
    link: str
    width: float
    path: str


@staff_view
def branches(request: HttpRequest) -> HttpResponse:
    """The branches one may see, with their links and cards."""
    form = form_of(request)
    return render(
        request,
        "staff/branches.html",
        page_context(request, form) | {"branches": [(branch, link_of(request, branch)) for branch in form.branches]},
    )


@head_office_view
def edit(request: HttpRequest, code: str | None = None) -> HttpResponse:
    """Add a branch or change one."""
    branch = get_object_or_404(Branch, code=code) if code else None
    form = BranchForm(request.POST or None, instance=branch)
    if request.method == "POST" and form.is_valid():
        saved = form.save()
        messages.success(request, _("%(branch)s is saved.") % {"branch": saved.local_name})
        return redirect("dashboard:branches")
    context = page_context(request, form_of(request)) | {"branch_form": form, "branch": branch}
    return render(request, "staff/branch.html", context, status=400 if form.errors else 200)


@staff_view
def card(request: HttpRequest, code: str) -> HttpResponse:
    """A card for the tables, to print."""
    return _print(request, [get_object_or_404(branches_of(request.user), code=code)])


@staff_view
def cards(request: HttpRequest) -> HttpResponse:
    """The cards of every branch in business that one may see, one a page."""
    return _print(request, branches_of(request.user).filter(is_open=True))


def _print(request: HttpRequest, chosen: Iterable[Branch]) -> HttpResponse:
    context = {"cards": [_card(branch, link_of(request, branch)) for branch in chosen]}
    return render(request, "staff/table_cards.html", context)


def _card(branch: Branch, link: str) -> Card:
    import segno  # here alone

    # Error correction Q: a quarter may be scratched or stained, as on a table.
    modules = segno.make(link, error="q", micro=False)
    width, _height = modules.symbol_size(border=4)
    path = "".join(
        f"M{column},{row}h1v1h-1z"
        for row, line in enumerate(modules.matrix_iter(border=4))
        for column, dark in enumerate(line)
        if dark
    )
    return Card(branch, link, width, path)


def link_of(request: HttpRequest, branch: Branch) -> str:
    """The short link of a branch, as it stands on its card."""
    return absolute_url(request, f"/s/{branch.code}")
