"""Submissions one by one: comments, low scores to follow up, and the page of one."""

from __future__ import annotations

from datetime import timedelta
from itertools import zip_longest

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from mydjango.http.problems import allow
from survey import photos
from survey.models import COMMENT_MAX_LENGTH, FollowUpStatus, Submission, parse_reference
from survey.staff import closing, pagination, search, submissions
from survey.staff.access import account_of, staff_view, submissions_of
from survey.staff.closing import ClosingTime, ClosingTimes
from survey.staff.figures import LISTED
from survey.staff.filters import MAX_DAYS, MINE, STATUSES, FilterForm, Filters
from survey.staff.follow_up import FollowUpForm, OwnerForm, assign, follow_up
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
        rows = submissions.with_own_values(submissions.matching(part)).exclude(comment="").prefetch_related("branch")
        return search.find(rows, part, terms) if filters.words else rows.order_by("-local_date", "-id")

    page, last = pagination.first_page(submissions.newest(commented, filters, PER_PAGE + 1, before), PER_PAGE)
    context = page_context(request, form) | {
        "filters": filters,
        "submissions": page,
        "rows": list(zip_longest(page, page[1:])),
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
    if status not in STATUSES:
        raise Http404
    # The open ones are few, however old; the number of the others only grows.
    is_queue = status in (FollowUpStatus.OPEN, MINE)
    form = filter_form(request, "q", any_time=is_queue, low_only=True)
    filters = form.filters().with_status(status, request.user)
    before = pagination.from_query(request, "before", Cursor.parse)
    times = closing.closing_times(filters)

    def low_scores(part: Filters) -> QuerySet[Submission]:
        rows = submissions.matching(part).order_by("-local_date", "-id")
        return submissions.with_own_values(rows).prefetch_related("branch", "follow_up_owner")

    if is_queue:
        queue = submissions.with_own_values(submissions.queue(filters)).prefetch_related("branch", "follow_up_owner")
        rows = list(pagination.newer_than(queue, before)[: PER_PAGE + 1])
    else:
        rows = submissions.newest(low_scores, filters, PER_PAGE + 1, before)
    page, last = pagination.first_page(rows, PER_PAGE)
    context = page_context(request, form) | {
        "filters": filters,
        "submissions": page,
        "rows": list(zip_longest(page, page[1:])),  # each with the one below it
        "this_query": filters.query_string(status=status, before=str(before or "")),
        "export_query": _export_query(filters, status, page[0] if page and before is None else None),
        "closing": times,
        "closing_rows": _closing_rows(form, times),
        "list_query": filters.query_string(status=status),
        "older": filters.query_string(status=status, before=str(Cursor.of(last))) if last else "",
        "is_first": before is None,
        "status": status,
        "note_max_length": COMMENT_MAX_LENGTH,
        "statuses": [(value, label, filters.query_string(status=value)) for value, label in STATUSES.items()],
    }
    return render(request, "staff/follow_up.html", context)


def _export_query(filters: Filters, status: str, first: Submission | None) -> str:
    """Return the query string of an export of the list, whose period needs ends; `first` begins the queue, if known."""
    if not filters.is_any_time:
        return filters.query_string(status=status)
    today = timezone.localdate()
    first = first or submissions.queue(filters).first()
    start = max(first.local_date if first else today, today - timedelta(MAX_DAYS - 1))
    return filters.query_string(status=status, start=start.isoformat(), end=today.isoformat())


def _closing_rows(form: FilterForm, times: ClosingTimes) -> list[tuple[str, ClosingTime]]:
    """Return the branches that solved cases, the slowest first, of very many the LISTED slowest."""
    names: dict[int | None, str] = {branch.pk: branch.local_name for branch in form.branches}
    names[None] = _("Without a branch")
    rows = [(names[key], time) for key, time in times.by_branch.items()]
    return sorted(rows, key=lambda row: -row[1].median_hours)[:LISTED]


@staff_view
def detail(request: HttpRequest, reference: str) -> HttpResponse:
    """Show a submission with its notes; store a posted note and status."""
    visible = submissions_of(request.user).select_related("branch", "follow_up_owner")
    submission = get_object_or_404(visible, reference=parse_reference(reference))
    is_comment = request.GET.get("list") == "comments"
    list_form = filter_form(request, any_time=not is_comment)
    of_list = request.GET.get("status", "")
    # The next one is open, whatever the status of the list; but somebody's own cases come before those of others.
    filters = list_form.filters().with_status(MINE if of_list == MINE else "", request.user)
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
            if submission.follow_up_status != FollowUpStatus.SOLVED or shown == FollowUpStatus.SOLVED:
                messages.success(request, _("Saved."))
                return redirect(_list_url(request) or request.get_full_path())
            messages.success(request, _("%(reference)s is solved.") % {"reference": submission.reference})
            is_queue = not is_comment and of_list in ("", FollowUpStatus.OPEN, MINE)
            following = submissions.next_open(filters, submission) if is_queue else None
            return redirect(_list_url(request) or _page_url(request, following or submission))
    context = page_context(request, list_form) | {
        "submission": submission,
        "owner_form": OwnerForm(submission) if submission.is_low else None,
        "list_page": "dashboard:comments" if is_comment else "dashboard:follow_up",
        "list_query": filters.query_string(status=of_list),
        "this_query": request.GET.urlencode(),
        "next_open": submissions.next_open(filters, submission),
        "note_form": form,
        "notes": submission.notes.select_related("author"),
        "aspects": submission.aspect_list,
        "photos": photos.view_urls(submission),
    }
    return render(request, "staff/submission.html", context, status=400 if form.errors else 200)


@allow("POST")
@staff_view
def owner(request: HttpRequest, reference: str) -> HttpResponse:
    """Give a case to the posted owner, and return to the list or to the submission."""
    cases = submissions_of(request.user).exclude(follow_up_status="").select_related("branch")
    submission = get_object_or_404(cases, reference=parse_reference(reference))
    form = OwnerForm(submission, request.POST)
    if form.is_valid():
        try:
            assign(submission, form.cleaned_data["owner"], form.cleaned_data["shown"])
        except ValidationError as error:
            form.add_error(None, error)
        else:
            messages.success(request, _("Saved."))
    for errors in form.errors.values():
        messages.error(request, str(errors[0]))
    return redirect(_list_url(request) or _page_url(request, submission))


def _page_url(request: HttpRequest, submission: Submission) -> str:
    """Return the page of a submission with the list of this request."""
    query = request.GET.urlencode()
    return reverse("dashboard:submission", args=[submission.reference]) + (f"?{query}" if query else "")


def _list_url(request: HttpRequest) -> str:
    """Return the list that the form was on, at the card that follows; '' if it was on the submission's own page."""
    if request.POST.get("page") != "list":
        return ""
    card = parse_reference(request.POST.get("next", ""))
    return f"{reverse('dashboard:follow_up')}?{request.GET.urlencode()}{'#' if card else ''}{card}"
