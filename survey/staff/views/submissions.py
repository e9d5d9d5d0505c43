"""Answers one by one: comments, low scores to follow up, and everything about one."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from mydjango.http.problems import allow
from survey.models import FollowUpStatus, Submission, parse_reference
from survey.staff import search, selectors
from survey.staff.access import account_of, staff_view, submissions_of
from survey.staff.exports import Cursor
from survey.staff.follow_up import FollowUpForm, follow_up
from survey.staff.views.overview import cursor_of, form_of, page_context

PER_PAGE = 30


@allow("GET")
@staff_view
def comments(request: HttpRequest) -> HttpResponse:
    """Comments of the chosen answers, newest first; with words, those that have all of them."""
    form = form_of(request, "by")
    filters = form.filters()
    chosen = selectors.submissions(filters).exclude(comment="").select_related("branch")
    before = cursor_of(request, "before")
    if filters.words:
        place = (before.local_date, before.pk) if before else None
        found = search.search(chosen, filters, search.rarest_first(filters), place)
    else:
        found = _older_than(chosen, before).order_by("-local_date", "-id")
    page, older = _page(found)
    context = page_context(request, form) | {
        "filters": filters,
        "submissions": page,
        "list_query": filters.query_string(list="comments"),
        "older": filters.query_string(before=older) if older else "",
        "is_first": before is None,
    }
    return render(request, "staff/comments.html", context)


@allow("GET")
@staff_view
def follow_up_list(request: HttpRequest) -> HttpResponse:
    """Low scores with their status: open ones unless another is asked for, these of any time unless one is chosen."""
    status = request.GET.get("status", FollowUpStatus.OPEN.value)
    if status not in ("all", *FollowUpStatus.values):
        raise Http404
    # What waits is few and never too old; the others only grow.
    form = form_of(request, "by", "q", any_time=status == FollowUpStatus.OPEN, low_only=True)
    filters = form.filters()
    before = cursor_of(request, "before")
    found = selectors.low_scores(filters, "" if status == "all" else status)
    page, older = _page(_older_than(found, before))
    context = page_context(request, form) | {
        "filters": filters,
        "submissions": page,
        "list_query": filters.query_string(status=status),
        "older": filters.query_string(status=status, before=older) if older else "",
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
    """One answer with what was done about it; a posted form adds to that."""
    submissions = submissions_of(request.user).select_related("branch")
    submission = get_object_or_404(submissions, reference=parse_reference(reference))
    form = FollowUpForm(submission, request.POST if request.method == "POST" else None)
    if form.is_valid():
        status, shown = form.cleaned_data.get("status", ""), form.cleaned_data.get("shown", "")
        # As it was sent where the form has no such field: its page may be older than the erasure.
        text = form.cleaned_data.get("text", request.POST.get("text", ""))
        try:
            follow_up(submission, author=account_of(request), status=status, text=text, shown=shown)
        except ValidationError as error:
            form.refuse(error, submission.follow_up_status)
        else:
            messages.success(request, _("Saved."))
            return redirect(request.get_full_path())
    is_comment = request.GET.get("list") == "comments"
    filter_form = form_of(request, any_time=not is_comment)
    filters = filter_form.filters()
    status = request.GET.get("status", "")
    context = page_context(request, filter_form) | {
        "submission": submission,
        "list_page": "dashboard:comments" if is_comment else "dashboard:follow_up",
        "list_query": filters.query_string(status=status),
        "this_query": request.GET.urlencode(),
        "next_open": selectors.next_open(filters, submission),
        "note_form": form,
        "notes": submission.notes.select_related("author"),
        "aspects": submission.aspect_list,
    }
    return render(request, "staff/submission.html", context, status=400 if form.errors else 200)


def _older_than(found: QuerySet[Submission], before: Cursor | None) -> QuerySet[Submission]:
    """What comes after the answer that the page before ended with, in a list that is newest first."""
    return selectors.older_than(found, before.local_date, before.pk) if before else found


def _page(found: QuerySet[Submission]) -> tuple[list[Submission], str]:
    """The first answers, and where the next page begins ('' on the last)."""
    page = list(found[: PER_PAGE + 1])
    if len(page) <= PER_PAGE:
        return page, ""
    last = page[PER_PAGE - 1]
    return page[:PER_PAGE], str(Cursor(last.local_date, last.pk))
