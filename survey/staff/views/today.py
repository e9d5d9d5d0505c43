"""Today: the first page after login."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from mydjango.http.problems import allow
from survey.staff import metrics, today
from survey.staff.access import staff_view
from survey.staff.views.page import filter_form, page_context


@allow("GET")
@staff_view
def page(request: HttpRequest) -> HttpResponse:
    """Show yesterday and today, open cases, branches that changed and the newest comments."""
    form = filter_form(request)
    now = timezone.now()
    everything = today.everything(form.branches, form.is_head_office)
    context = page_context(request, form) | {
        "summary": today.summary(everything, form.branches, now),
        "comments": today.newest_comments(everything, timezone.localdate(now)),
        "small_sample": metrics.SMALL_SAMPLE,
        "long": today.LONG,
    }
    return render(request, "staff/today.html", context)
