"""Exports: what to take along, in how many files, and who did."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse

from mydjango.http.problems import allow
from survey.models import ExportLog
from survey.staff import exports, selectors
from survey.staff.access import account_of, is_head_office, staff_view, submissions_of
from survey.staff.exports import Cursor
from survey.staff.filters import Filters
from survey.staff.views.overview import cursor_of, form_of, page_context

CSV = "text/csv; charset=utf-8"
NO_FILTERS = ("by", "problem")  # that an export does not have
LOGGED = 20  # exports listed on a page


@allow("GET")
@staff_view
def page(request: HttpRequest) -> HttpResponse:
    """The files that the chosen answers make, and the latest exports: one's own, for head office everybody's."""
    form = form_of(request, *NO_FILTERS)
    filters = form.filters()
    personal = request.GET.get("personal") == "1"
    parts = exports.plan(
        selectors.submissions_by_day(filters), filters, settings.RESPONSE_MAX_BYTES, with_personal_data=personal
    )
    if filters.words and parts:
        # How many answers hold the words is known once they are found: one file, which divides itself if need be.
        parts = [exports.Part(filters.start, filters.end, 0)]
    log, older = _log(request)
    context = page_context(request, form) | {
        "filters": filters,
        "personal": personal,
        "parts": [(part, _link(filters, part, personal)) for part in parts],
        "total": sum(part.submissions for part in parts),
        "with_personal": filters.query_string(personal="1"),
        "without_personal": filters.query_string(),
        "max_bytes": settings.RESPONSE_MAX_BYTES,
        "max_megabytes": settings.RESPONSE_MAX_BYTES / 1_000_000,
        "log": log,
        "older": filters.query_string(personal="1" if personal else "", before=older) if older else "",
    }
    return render(request, "staff/export.html", context)


@allow("GET")
@staff_view
def download(request: HttpRequest) -> HttpResponseBase:
    """One file. Behind a gateway a part that is too large for it is answered with links to smaller ones."""
    form = form_of(request, *NO_FILTERS)
    if form.errors:
        raise Http404
    filters = form.filters()
    personal = request.GET.get("personal") == "1"
    after, until = cursor_of(request, "after"), cursor_of(request, "until")
    rows = exports.lines(submissions_of(request.user), filters, with_personal_data=personal, after=after, until=until)
    entry = exports.log(account_of(request), filters, with_personal_data=personal, after=after, until=until)
    response: HttpResponseBase
    if settings.RESPONSE_MAX_BYTES:
        try:
            text, entry.row_count = exports.within(rows, settings.RESPONSE_MAX_BYTES)
        except exports.TooLarge as error:
            entry.delete()
            return _divided(request, error.cursor)
        entry.save()
        response = HttpResponse(text, content_type=CSV)
    else:
        response = StreamingHttpResponse(exports.counted(entry, rows), content_type=CSV)
    name = f"survey-{filters.start:%Y%m%d}-{filters.end:%Y%m%d}{f'-after-{after.pk}' if after else ''}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _log(request: HttpRequest) -> tuple[list[ExportLog], str]:
    """A page of the exports, newest first, and where the next begins ('' on the last)."""
    log = ExportLog.objects.select_related("user")
    if not is_head_office(request.user):
        log = log.filter(user=request.user.pk)
    if before := request.GET.get("before"):
        try:
            log = log.filter(pk__lt=exports.key_of(before))
        except ValueError:
            raise Http404 from None
    entries = list(log[: LOGGED + 1])
    return entries[:LOGGED], str(entries[LOGGED - 1].pk) if len(entries) > LOGGED else ""


def _divided(request: HttpRequest, at: Cursor) -> HttpResponse:
    halves = []
    for name in ("until", "after"):
        query = request.GET.copy()
        query[name] = str(at)
        halves.append(f"{reverse('dashboard:export_csv')}?{query.urlencode()}")
    context = {"halves": halves}
    return render(request, "staff/export_divided.html", context, status=413)


def _link(filters: Filters, part: exports.Part, personal: bool) -> str:
    query = filters.query_string(
        days="", start=part.start.isoformat(), end=part.end.isoformat(), personal="1" if personal else ""
    )
    return f"{reverse('dashboard:export_csv')}?{query}"
