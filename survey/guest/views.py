"""The guest's side: the page, the answer, the thanks."""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.cache import add_never_cache_headers, patch_cache_control
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from mydjango.http.json_body import MalformedJSON, json_object
from mydjango.http.language import keep_language
from mydjango.http.problems import FORM_TYPES, View, allow, is_browser, is_json, problem, speaks_json
from mydjango.http.unavailable import page_when_unavailable
from survey.guest import erase_token, services
from survey.guest.forms import SubmissionForm
from survey.guest.visit import ONCE_MORE, VisitForm
from survey.limits import TooManyAttempts
from survey.models import Branch, Submission, parse_reference

REDISPLAY = "redisplay"  # beside what was sent: the page's language was switched, show it again and store nothing


def kept_for_back(view: View) -> View:
    """never_cache, but for a page with what was typed: without a copy of its own a browser cannot go back to one."""

    @wraps(view)
    def never_cached(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if "Cache-Control" not in response:
            add_never_cache_headers(response)
        return response

    return never_cached


@kept_for_back
@csrf_exempt  # no session is involved, and nothing is stored
@allow("GET", "POST")
def page(request: HttpRequest, code: str = "") -> HttpResponse:
    """The survey; with a code the survey of that branch. Posted, it comes back as it was typed, in this language."""
    branch = Branch.of_code(code) if code else None
    if code and (branch is None or not branch.is_open):
        if speaks_json(request):
            return problem(request, 404, "There is no open branch with this code.")
        return render(request, "guest/no_branch.html", {"branch": branch}, status=404)
    if request.method == "POST":
        context = {
            "form": SubmissionForm.for_page(branch, typed=_typed(request)),
            "visit": VisitForm(request.POST).again(),
        }
        return _typed_page(request, context)
    return render(request, "guest/page.html", {"form": SubmissionForm.for_page(branch)})


@allow("GET")
def page_without_slash(request: HttpRequest, code: str) -> HttpResponse:
    """A branch's address as some type it."""
    return redirect(keep_language(request, reverse("branch-survey", args=[code])), permanent=True)


def _typed(request: HttpRequest) -> dict[str, Any]:
    """What was sent by field, nothing of it validated."""
    blank = SubmissionForm()
    return {
        name: field.widget.value_from_datadict(request.POST, request.FILES, blank.add_prefix(name))
        for name, field in blank.fields.items()
    }


def _typed_page(request: HttpRequest, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """The page with what was typed, which the guest's browser alone may keep."""
    response = render(request, "guest/page.html", context, status=status)
    patch_cache_control(response, private=True, no_cache=True)
    return response


def page_as_typed(request: HttpRequest) -> HttpResponse:
    """The page with everything that was sent, nothing of it validated: for when there is no database to ask."""
    notice = _("Your answer could not be stored just now. Nothing you typed is lost: please press Send again.")
    context = {
        "form": SubmissionForm(initial=_typed(request)),
        "visit": VisitForm(request.POST).again(),
        "notice": notice,
    }
    return _typed_page(request, context)


def opened_as_survey(view: View) -> View:
    """Show a browser that opens this address the survey: without JavaScript it stands in the address bar."""

    @wraps(view)
    def open_survey(request: HttpRequest) -> HttpResponse:
        if request.method == "GET" and is_browser(request):
            return redirect(keep_language(request, reverse("survey")))
        return view(request)

    return open_survey


@page_when_unavailable(page_as_typed)
@kept_for_back
@csrf_exempt
@opened_as_survey
@allow("POST")
def submit(request: HttpRequest) -> HttpResponse:
    """Take an answer as JSON or as a form.

    JSON callers get 201 with `{id, reference}` or a problem that names each field;
    a form gets a redirect to the thanks or the page again, with what was typed and the errors beside their fields.
    """
    if is_json(request.content_type):
        try:
            values = json_object(request)
        except MalformedJSON as error:
            return problem(request, 400, str(error))
        visit = VisitForm.of_json(request, values)
        form = SubmissionForm.from_json(values)
    elif request.content_type in FORM_TYPES:
        visit = VisitForm.of_form(request)
        form = SubmissionForm(request.POST)
        if REDISPLAY in request.POST:
            return _typed_page(request, {"form": form, "visit": visit.again()})
    else:
        return problem(request, 415, "Send the answer as application/json or as a form.")
    return _accept(request, form, visit)


def _accept(request: HttpRequest, form: SubmissionForm, visit: VisitForm) -> HttpResponse:
    """Store the answer, or say why not."""
    if form.errors or visit.errors:
        detail = _("The answer was not accepted.")
        notice = ONCE_MORE if not form.errors else ""
        errors = {**form.errors, **visit.errors}
        return _refuse(request, 400, detail, form, visit.again(), notice=notice, errors=errors)
    if seconds := visit.seconds_to_wait():
        return _refuse(request, 429, str(ONCE_MORE), form, visit.again(), retry_after=seconds)
    submission = form.save(commit=False)
    submission.language = translation.get_language()
    try:
        submitted = services.submission_create(
            submission, content=form.cleaned_data, key=visit.key, address=request.META.get("REMOTE_ADDR", "")
        )
    except services.KeyReused:
        detail = _("Another answer was already sent from this page. To send this one too, press Send once more.")
        return _refuse(request, 422, detail, form, visit.again(new_key=True))
    except TooManyAttempts as error:
        detail = _("Very many answers come from here at the moment. Please try again later; nothing you typed is lost.")
        return _refuse(request, 429, detail, form, visit.again(), retry_after=error.retry_after)
    return _thank(request, submitted)


def _refuse(
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
    """An error: a problem for JSON callers, for people the page as they left it."""
    if speaks_json(request):
        headers = {"Retry-After": str(retry_after)} if retry_after else None
        return problem(request, status, detail, headers=headers, **members)
    context = {"form": form, "visit": visit, "notice": notice or ("" if form.errors else detail)}
    response = _typed_page(request, context, status=status)
    if retry_after:
        response["Retry-After"] = str(retry_after)
    return response


def _thank(request: HttpRequest, submitted: services.Submitted) -> HttpResponse:
    """201 for JSON callers, the thank-you page for people; the same for a retry as for the first attempt."""
    submission = submitted.submission
    thanks_url = keep_language(request, reverse("thanks", args=[submission.reference]))
    response: HttpResponse
    if speaks_json(request):
        members = {"id": submission.pk, "reference": submission.reference}
        if submitted.erase_token:
            members["erase_token"] = submitted.erase_token
        response = JsonResponse(members, status=201)
        response["Location"] = thanks_url
    else:
        response = redirect(thanks_url)
    if submitted.erase_token:
        erase_token.hand_over(submitted.erase_token, submission, response)
    if submitted.replayed:
        response["Idempotent-Replayed"] = "true"
    return response


@never_cache
@allow("GET")
def thanks(request: HttpRequest, reference: str) -> HttpResponse:
    """The thank-you page of a submission; for its guest's browser with the button that erases it.

    Staff know the reference too, so nothing here depends on it alone.
    """
    submission = get_object_or_404(Submission, reference=parse_reference(reference))
    token = erase_token.token_of(request, submission)
    context = {"submission": submission, "erase_token": token, "erase_days": erase_token.COOKIE_LIFE.days}
    return render(request, "guest/thanks.html", context)
