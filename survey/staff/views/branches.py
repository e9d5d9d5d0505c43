"""Branches and their cards with the QR code."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from mydjango.http.function_kind import carries_bytes
from mydjango.http.problems import allow
from survey.models import Branch
from survey.staff import pagination
from survey.staff.access import BranchName, branches_of, head_office_view, staff_view
from survey.staff.branches import BranchForm, TablesForm, card_of, card_png, link_of
from survey.staff.views.page import filter_form, page_context

CARDS = 100  # on a page; each takes 11 ms of a core, and a function has a tenth of one
Item = TypeVar("Item")


@allow("GET")
@staff_view
def branches(request: HttpRequest) -> HttpResponse:
    """List the branches that the user may see, with their links and cards."""
    listed = list(branches_of(request.user))
    form = filter_form(request, branches=[BranchName(branch.pk, branch.code, branch.local_name) for branch in listed])
    links = [(branch, link_of(request, branch)) for branch in listed]
    context = page_context(request, form) | {"branches": links, "has_image": carries_bytes(request)}
    return render(request, "staff/branches.html", context)


@head_office_view
def edit(request: HttpRequest, code: str | None = None) -> HttpResponse:
    """Add or change a branch."""
    branch = get_object_or_404(Branch, code=code) if code else None
    form = BranchForm(request.POST or None, instance=branch)
    if request.method == "POST" and form.is_valid():
        saved = form.save()
        messages.success(request, _("%(branch)s is saved.") % {"branch": saved.local_name})
        return redirect("dashboard:branches")
    context = page_context(request, filter_form(request)) | {"branch_form": form, "branch": branch}
    return render(request, "staff/branch.html", context, status=400 if form.errors else 200)


@allow("GET")
@staff_view
def card(request: HttpRequest, code: str) -> HttpResponse:
    """Show the card of one branch for printing."""
    branch = get_object_or_404(branches_of(request.user), code=code)
    return render(request, "staff/table_cards.html", {"cards": [card_of(request, branch)]})


@allow("GET")
@staff_view
def card_image(request: HttpRequest, code: str) -> HttpResponse:
    """Send the QR code of one branch as PNG, where this kind of function carries bytes."""
    branch = get_object_or_404(branches_of(request.user), code=code)
    if not carries_bytes(request):
        raise Http404
    headers = {"Content-Disposition": f'attachment; filename="{branch.code}.png"'}
    return HttpResponse(card_png(request, branch), content_type="image/png", headers=headers)


@allow("GET")
@staff_view
def tables(request: HttpRequest, code: str) -> HttpResponse:
    """Ask for a range of tables of one branch, and show their cards for printing, one a page, in parts of CARDS."""
    branch = get_object_or_404(branches_of(request.user), code=code)
    form = TablesForm(request.GET if "first" in request.GET else None, initial={"first": 1, "last": 20})
    parts, current = _parts(request, form.tables)
    context = {
        "branch": branch,
        "tables_form": form,
        "cards": [card_of(request, branch, table) for table in parts[current - 1]],
        "parts": [(part[0], part[-1]) for part in parts if part],
        "current": current,
        "query": urlencode({name: request.GET.get(name, "") for name in form.fields}),
    }
    return render(request, "staff/table_cards.html", context, status=400 if form.errors else 200)


@allow("GET")
@staff_view
def cards(request: HttpRequest) -> HttpResponse:
    """Show the cards of the open branches that the user may see for printing, one a page, in parts of CARDS."""
    parts, current = _parts(request, list(branches_of(request.user).filter(is_open=True)))
    context = {
        "cards": [card_of(request, branch) for branch in parts[current - 1]],
        "parts": [(part[0].code, part[-1].code) for part in parts if part],
        "current": current,
    }
    return render(request, "staff/table_cards.html", context)


def _parts(request: HttpRequest, items: list[Item]) -> tuple[list[list[Item]], int]:
    """Return the items in parts of CARDS, at least one, and the number of the chosen part. Raises Http404."""
    parts = [items[start : start + CARDS] for start in range(0, len(items), CARDS)] or [[]]
    current = pagination.from_query(request, "part", int) or 1
    if not 1 <= current <= len(parts):
        raise Http404
    return parts, current
