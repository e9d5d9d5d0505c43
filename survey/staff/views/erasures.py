"""Erasures by staff: guests' requests, the erasure of one submission, and the log of both."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from mydjango.http.problems import allow
from survey.guest import erasure
from survey.models import ErasureLog, ErasureRequest, parse_reference
from survey.staff.access import account_of, eraser_view, submissions_of
from survey.staff.views.page import filter_form, page_context

LOGGED = 20  # entries of the page; Django's admin lists all


@allow("GET")
@eraser_view
def requests(request: HttpRequest) -> HttpResponse:
    """List the waiting requests, oldest first, and the latest erasures."""
    visible = submissions_of(request.user)
    log = ErasureLog.objects.filter(submission__in=visible).select_related("submission", "user")
    context = page_context(request, filter_form(request)) | {
        "waiting": erasure.waiting(visible).select_related("branch"),
        "log": log[:LOGGED],
    }
    return render(request, "staff/erasures.html", context)


@eraser_view
def erase(request: HttpRequest, reference: str) -> HttpResponse:
    """Ask for confirmation; on POST erase the submission or decline its guest's request."""
    submission = get_object_or_404(
        submissions_of(request.user).select_related("branch"), reference=parse_reference(reference)
    )
    if request.method == "POST" and request.POST.get("decision") == "erase":
        if erasure.erase_by_staff(submission, account_of(request)):
            messages.success(request, _("Erased."))
        else:
            messages.info(request, _("It had been erased before."))
        return redirect("dashboard:submission", submission.reference)
    if request.method == "POST" and request.POST.get("decision") == "decline":
        if erasure.decline(submission, account_of(request)):
            messages.success(request, _("The request is declined."))
        else:
            messages.info(request, _("The request does not wait any more."))
        return redirect("dashboard:erasures")
    context = page_context(request, filter_form(request)) | {
        "submission": submission,
        "asked": ErasureRequest.objects.filter(submission=submission).first(),
    }
    return render(request, "staff/erase.html", context, status=400 if request.method == "POST" else 200)
