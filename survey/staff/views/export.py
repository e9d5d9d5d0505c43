"""The page of exports with its log, and their files."""

from __future__ import annotations

from urllib.parse import quote

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse

from mydjango.http.function_kind import carries_bytes, is_web_function
from mydjango.http.problems import allow
from survey.models import ExportLog
from survey.staff import exports, figures, pagination
from survey.staff.access import account_of, is_head_office, staff_view, submissions_of
from survey.staff.filters import Filters
from survey.staff.pagination import Cursor
from survey.staff.statements import run
from survey.staff.views.page import export_form, page_context

CSV = "text/csv; charset=utf-8"
LOGGED = 20  # exports listed on a page


@allow("GET")
@staff_view
def page(request: HttpRequest) -> HttpResponse:
    """Link the files of the export, and list the latest exports: the user's own, to head office those of everybody."""
    form = export_form(request)
    filters = form.filters()
    personal = request.GET.get("personal") == "1"
    parts = exports.plan(
        run(figures.submissions_by_day(filters)),
        filters,
        settings.RESPONSE_MAX_BYTES,
        with_personal_data=personal,
        streams=is_web_function(request),
    )
    is_narrowed = filters.words or filters.problem or filters.own_problem or filters.status or filters.table_number
    if parts and is_narrowed:
        # The number of matches is unknown before the search: one file, which divides itself if need be.
        parts = [exports.Part(filters.start, filters.end, 0)]
    log, last = _log(request)
    context = page_context(request, form) | {
        "filters": filters,
        "personal": personal,
        "parts": [(part, _link("csv", filters, part, personal)) for part in parts],
        "workbooks": [(part, _link("xlsx", filters, part, personal)) for part in parts if carries_bytes(request)],
        "is_counted": not is_narrowed,
        "total": sum(part.submissions for part in parts),
        "with_personal": filters.query_string(personal="1"),
        "without_personal": filters.query_string(),
        "max_bytes": settings.RESPONSE_MAX_BYTES,
        "max_megabytes": settings.RESPONSE_MAX_BYTES / 1_000_000,
        "log": [(entry, exports.readable(entry.filters, form)) for entry in log],
        "older": filters.query_string(personal="1" if personal else "", before=str(last.pk)) if last else "",
    }
    return render(request, "staff/export.html", context)


@allow("GET")
@staff_view
def download(request: HttpRequest) -> HttpResponseBase:
    """Send one file; instead of one that is too large for the gateway, a page with links to two smaller ones."""
    export, limit = _export(request), settings.RESPONSE_MAX_BYTES
    submissions = submissions_of(request.user)
    streams = not limit or (is_web_function(request) and exports.most_bytes(submissions, export) <= limit)
    rows = exports.lines(submissions, export)
    entry = exports.log(account_of(request), export)
    response: HttpResponseBase
    if streams:
        rows = exports.below(rows, limit)
        response = StreamingHttpResponse(exports.counted(entry, rows), content_type=CSV)
    else:
        try:
            text, entry.row_count = exports.within(rows, limit)
        except exports.TooLarge as error:
            entry.delete()
            return _divided(request, error.cursor)
        entry.save()
        response = HttpResponse(text, content_type=CSV)
    response["Content-Disposition"] = _attachment(exports.file_name(export))
    return response


@allow("GET")
@staff_view
def download_workbook(request: HttpRequest) -> HttpResponseBase:
    """Send one file as XLSX where this kind of function carries bytes, or a page with links to two smaller ones."""
    if not carries_bytes(request):
        raise Http404
    from survey.staff import workbook

    export = _export(request)
    entry = exports.log(account_of(request), export)
    rows = exports.table(submissions_of(request.user), export)
    try:
        file, entry.row_count = workbook.write(rows, settings.RESPONSE_MAX_BYTES)
    except exports.TooLarge as error:
        entry.delete()
        return _divided(request, error.cursor)
    entry.save()
    response = StreamingHttpResponse(workbook.parts(file), content_type=workbook.MEDIA_TYPE)
    response["Content-Disposition"] = _attachment(exports.file_name(export, ".xlsx"))
    return response


def _attachment(name: str) -> str:
    return f"attachment; filename*=utf-8''{quote(name)}"


def _export(request: HttpRequest) -> exports.Export:
    """Return what a link of the page names. Raises Http404 for a link that no page made."""
    form = export_form(request)
    if form.errors:
        raise Http404
    after, until = (pagination.from_query(request, name, Cursor.parse) for name in ("after", "until"))
    return exports.Export(form.filters(), request.GET.get("personal") == "1", after, until)


def _log(request: HttpRequest) -> tuple[list[ExportLog], ExportLog | None]:
    """Return a page of the log, newest first, and its last entry if older ones follow."""
    log = ExportLog.objects.select_related("user")
    if not is_head_office(request.user):
        log = log.filter(user=request.user.pk)
    before = pagination.from_query(request, "before", pagination.parse_key)
    if before is not None:
        log = log.filter(pk__lt=before)
    return pagination.first_page(list(log[: LOGGED + 1]), LOGGED)


def _divided(request: HttpRequest, at: Cursor) -> HttpResponse:
    halves = []
    for name in ("until", "after"):
        query = request.GET.copy()
        query[name] = str(at)
        halves.append(f"{request.path}?{query.urlencode()}")
    return render(request, "staff/export_divided.html", {"halves": halves}, status=413)


def _link(kind: str, filters: Filters, part: exports.Part, personal: bool) -> str:
    query = filters.query_string(
        days="", start=part.start.isoformat(), end=part.end.isoformat(), personal="1" if personal else ""
    )
    return f"{reverse(f'dashboard:export_{kind}')}?{query}"
