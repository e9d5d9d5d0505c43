"""The guests' pages and the API: the survey, the submission, the thanks."""

from __future__ import annotations

from functools import wraps
from json import JSONEncoder
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.utils.cache import patch_cache_control
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from mydjango.http.json_body import MalformedJSON, json_object
from mydjango.http.language import keep_language
from mydjango.http.problems import FORM_TYPES, View, allow, is_browser, is_json, problem, speaks_json
from mydjango.http.unavailable import page_when_unavailable
from survey import chain
from survey.guest import erase_token, services
from survey.guest.blank_page import complete_page
from survey.guest.forms import SubmissionForm
from survey.guest.links import page_url, thanks_path
from survey.guest.visit import ONCE_MORE, VisitForm
from survey.limits import TooManyAttempts
from survey.models import Branch, Submission, parse_reference
from survey.table_number import named_table, query_of

REDISPLAY = "redisplay"  # posted by the language switch: show the form again in the other language, store nothing


def no_store_by_default(view: View) -> View:
    """Add Cache-Control: no-store, unless the view sets the header: no-store would break Back on a redisplayed form.

    Django's never_cache adds four more directives and Expires, for three percent of a submission's CPU.
    """

    @wraps(view)
    def wrapped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        response = view(request, *args, **kwargs)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return wrapped


def page_without_branch_name(request: HttpRequest, code: str = "") -> HttpResponse:
    """Show the survey of a branch whose name cannot be read; a submission waits on the guest's device."""
    if request.method == "POST":
        return redisplay_unvalidated(request)
    return HttpResponse(complete_page(request, Branch(code=code) if code else None, chain.last_kept()))


@page_when_unavailable(page_without_branch_name)
@no_store_by_default
@csrf_exempt  # no session is involved, and nothing is stored
@allow("GET", "POST")
def page(request: HttpRequest, code: str = "") -> HttpResponse:
    """Show the survey, with a code the survey of that branch. A POST redisplays its values in this page's language."""
    branch = Branch.by_code(code) if code else None
    if code and (branch is None or not branch.is_open):
        if speaks_json(request):
            return problem(request, 404, "There is no open branch with this code.")
        return render(request, "guest/no_branch.html", {"branch": branch}, status=404)
    if request.method == "POST":
        return _redisplay(request, SubmissionForm.for_page(branch, named_table(request), _posted_values(request)))
    return HttpResponse(complete_page(request, branch))


@allow("GET")
def page_without_slash(request: HttpRequest, code: str) -> HttpResponse:
    """Redirect a branch's address with a trailing slash to the one without."""
    return redirect(page_url(request, "survey", code), permanent=True)


def _posted_values(request: HttpRequest) -> dict[str, Any]:
    """Return the posted values by field name, not validated."""
    return {field.name: field.data for field in SubmissionForm(request.POST)}


def _redisplay(
    request: HttpRequest,
    form: SubmissionForm,
    visit: VisitForm | None = None,
    *,
    notice: str | Promise = "",
    status: int = 200,
) -> HttpResponse:
    """Render the page with the guest's values, which only the guest's browser may cache."""
    form.ask(chain.current())
    context = {
        "form": form,
        "visit": visit or VisitForm(request.POST).for_redisplay(),
        "notice": notice,
        "table_query": query_of(named_table(request)),
    }
    response = render(request, "guest/page.html", context, status=status)
    patch_cache_control(response, private=True, no_cache=True)
    return response


def redisplay_unvalidated(request: HttpRequest) -> HttpResponse:
    """Redisplay everything that was posted, without the database that validation needs."""
    notice = _("Your answer could not be stored just now. Nothing you typed is lost: please press Send again.")
    return _redisplay(request, SubmissionForm(initial=_posted_values(request)), notice=notice)


def redirect_browsers_to_survey(view: View) -> View:
    """Redirect GET requests of browsers to the survey: without JavaScript this address stays in the address bar."""

    @wraps(view)
    def wrapped(request: HttpRequest) -> HttpResponse:
        if request.method == "GET" and is_browser(request):
            return redirect(page_url(request, "survey"))
        return view(request)

    return wrapped


@page_when_unavailable(redisplay_unvalidated)
@no_store_by_default
@csrf_exempt
@redirect_browsers_to_survey
@allow("POST")
def submit(request: HttpRequest) -> HttpResponse:
    """Store a submission sent as JSON or as a form.

    JSON callers get 201 with `{id, reference}`, or problem+json with the errors of each field. A form gets a redirect
    to the thank-you page, or the page again with its values and errors.
    """
    if is_json(request.content_type):
        try:
            values = json_object(request)
        except MalformedJSON as error:
            return problem(request, 400, str(error))
        visit = VisitForm.from_json(request, values)
        form = SubmissionForm.from_json(values)
    elif request.content_type in FORM_TYPES:
        visit = VisitForm.from_form(request)
        form = SubmissionForm(request.POST)
        if REDISPLAY in request.POST:
            return _redisplay(request, form, visit.for_redisplay())
    else:
        return problem(request, 415, "Send the answer as application/json or as a form.")
    return _validate_and_store(request, form, visit)


def _validate_and_store(request: HttpRequest, form: SubmissionForm, visit: VisitForm) -> HttpResponse:
    if form.errors or visit.errors:
        detail = _("The answer was not accepted.")
        notice = ONCE_MORE if not form.errors else ""
        errors = {**form.errors, **visit.errors}
        return _error_response(request, 400, detail, form, visit.for_redisplay(), notice=notice, errors=errors)
    if seconds := visit.seconds_to_wait():
        return _error_response(request, 429, str(ONCE_MORE), form, visit.for_redisplay(), retry_after=seconds)
    submission = form.submission()
    submission.language = translation.get_language()
    if submission.branch and _is_too_late(submission.branch, visit):
        detail = _("%(name)s no longer takes answers.") % {"name": submission.branch.local_name}
        return _error_response(request, 400, detail, form, visit.for_redisplay(), errors={"branch": [detail]})
    try:
        submitted = services.submission_create(
            submission,
            content=form.cleaned_data,
            own_values=form.own_values(),
            key=visit.key,
            address=request.META.get("REMOTE_ADDR", ""),
        )
    except services.KeyReused:
        detail = _("Another answer was already sent from this page. To send this one too, press Send once more.")
        return _error_response(request, 422, detail, form, visit.for_redisplay(new_key=True))
    except TooManyAttempts as error:
        detail = _("Very many answers come from here at the moment. Please try again later; nothing you typed is lost.")
        return _error_response(request, 429, detail, form, visit.for_redisplay(), retry_after=error.retry_after)
    return _success_response(request, submitted)


def _is_too_late(branch: Branch, visit: VisitForm) -> bool:
    """Return whether the branch was closed when the page was opened, unless the submission is a retry."""
    if branch.is_open or services.is_stored(visit.key):
        return False
    return branch.closed_at is None or not visit.was_opened_before(branch.closed_at)


def _error_response(
    request: HttpRequest,
    status: int,
    detail: str,
    form: SubmissionForm,
    visit: VisitForm,
    *,
    notice: str | Promise = "",
    retry_after: int = 0,
    **members: object,
) -> HttpResponse:
    """Return problem+json with the given members for JSON callers, the redisplayed page for browsers."""
    if speaks_json(request):
        response = problem(request, status, detail, headers=None, **members)
    else:
        response = _redisplay(request, form, visit, notice=notice or ("" if form.errors else detail), status=status)
    if retry_after:
        response["Retry-After"] = str(retry_after)
    return response


def _success_response(request: HttpRequest, submitted: services.Submitted) -> HttpResponse:
    """Return 201 for JSON callers, a redirect to the thank-you page for browsers; a retry gets the same."""
    submission = submitted.submission
    path = thanks_path(submission.reference)
    thanks_url = keep_language(request, path)
    response: HttpResponse
    if speaks_json(request):
        members = {"id": submission.pk, "reference": submission.reference}
        if submitted.erase_token:
            members["erase_token"] = submitted.erase_token
        response = JsonResponse(members, JSONEncoder, status=201)  # Django's own imports its serializers
        response["Location"] = thanks_url
    else:
        response = redirect(thanks_url)
    if submitted.erase_token:
        erase_token.set_cookie(submitted.erase_token, path, response)
    if submitted.replayed:
        response["Idempotent-Replayed"] = "true"
    return response


@never_cache
@allow("GET")
def thanks(request: HttpRequest, reference: str) -> HttpResponse:
    """Thank for a submission; the guest's own browser gets the button that erases it.

    Staff know the reference too, so the button depends on the cookie.
    """
    submission = get_object_or_404(Submission.objects.select_related("branch"), reference=parse_reference(reference))
    token = erase_token.from_cookie(request, submission)
    context = {
        "submission": submission,
        "branch_code": submission.branch.code if submission.branch else "",
        "table_query": query_of(submission.table_number),
        "erase_token": token,
        "erase_days": erase_token.COOKIE_LIFE.days,
    }
    return render(request, "guest/thanks.html", context)
