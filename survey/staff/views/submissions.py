"""Submissions one by one: comments, low scores to follow up, and the page of one."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from mydjango.http.problems import allow
from survey.models import FollowUpStatus, Submission, parse_reference
from survey.staff import pagination, search, submissions
from survey.staff.access import account_of, staff_view, submissions_of
from survey.staff.filters import Filters
from survey.staff.follow_up import FollowUpForm, follow_up
from survey.staff.pagination import Cursor
from survey.staff.views.page import filter_form, page_context

PER_PAGE = 30


@allow("GET")
@staff_view
def comments(request: HttpRequest) -> HttpResponse:
    """List comments, newest first; with search words, those that have all of them."""
    form = filter_form(request)
    filters = form.filters()
    before = pagination.from_query(request, "before", Cursor.parse)
    terms = search.rarest_first(filters)

    def commented(part: Filters) -> QuerySet[Submission]:
        rows = submissions.matching(part).exclude(comment="").prefetch_related("branch")
        return search.find(rows, part, terms) if filters.words else rows.order_by("-local_date", "-id")

    page, last = pagination.first_page(submissions.newest(commented, filters, PER_PAGE + 1, before), PER_PAGE)
    context = page_context(request, form) | {
        "filters": filters,
        "submissions": page,
        "list_query": filters.query_string(list="comments"),
        "older": filters.query_string(before=str(Cursor.of(last))) if last else "",
        "is_first": before is None,
    }
    return render(request, "staff/comments.html", context)


@allow("GET")
@staff_view
def follow_up_list(request: HttpRequest) -> HttpResponse:
    """List low scores with a status, newest first; by default the open ones of any time, the longest waiting first."""
    status = request.GET.get("status", FollowUpStatus.OPEN.value)
    if status not in ("all", *FollowUpStatus.values):
        raise Http404
    # The open ones are few, however old; the number of the others only grows.
    form = filter_form(request, "q", any_time=status == FollowUpStatus.OPEN, low_only=True)
    filters = form.filters()
    before = pagination.from_query(request, "before", Cursor.parse)

    def low_scores(part: Filters) -> QuerySet[Submission]:
        return submissions.low_scores(part, "" if status == "all" else status).prefetch_related("branch")

    if status == FollowUpStatus.OPEN:
        queue = submissions.queue(filters).prefetch_related("branch")
        rows = list(pagination.newer_than(queue, before)[: PER_PAGE + 1])
    else:
        rows = submissions.newest(low_scores, filters, PER_PAGE + 1, before)
    page, last = pagination.first_page(rows, PER_PAGE)
    context = page_context(request, form) | {
        "filters": filters,
        "submissions": page,
        "list_query": filters.query_string(status=status),
        "older": filters.query_string(status=status, before=str(Cursor.of(last))) if last else "",
        "is_first": before is None,
        "status": status,
        "statuses": [
            (value, label, filters.query_string(status=value))
            for value, label in (*FollowUpStatus.choices, ("all", _("all")))
        ],
    }
    return render(request, "staff/follow_up.html", context)


@staff_view
def detail(request: HttpRequest, reference: str) -> HttpResponse:
    """Show a submission with its notes; store a posted note and status."""
    visible = submissions_of(request.user).select_related("branch")
    submission = get_object_or_404(visible, reference=parse_reference(reference))
    form = FollowUpForm(submission, request.POST if request.method == "POST" else None)
    if form.is_valid():
        status, shown = form.cleaned_data.get("status", ""), form.cleaned_data.get("shown", "")
        # The form has no such field for an erased submission, but a page older than the erasure sends it.
        text = form.cleaned_data.get("text", request.POST.get("text", ""))
        try:
            follow_up(submission, author=account_of(request), status=status, text=text, shown=shown)
        except ValidationError as error:
            form.refuse(error, submission.follow_up_status)
        else:
            messages.success(request, _("Saved."))
            return redirect(request.get_full_path())
    is_comment = request.GET.get("list") == "comments"
    list_form = filter_form(request, any_time=not is_comment)
    filters = list_form.filters()
    status = request.GET.get("status", "")
    context = page_context(request, list_form) | {
        "submission": submission,
        "list_page": "dashboard:comments" if is_comment else "dashboard:follow_up",
        "list_query": filters.query_string(status=status),
        "this_query": request.GET.urlencode(),
        "next_open": submissions.next_open(filters, submission),
        "note_form": form,
        "notes": submission.notes.select_related("author"),
        "aspects": submission.aspect_list,
    }
    return render(request, "staff/submission.html", context, status=400 if form.errors else 200)
