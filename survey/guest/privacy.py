"""The privacy notice, and the pages on which guests have their data erased."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from mydjango.http.problems import allow
from survey import chain, limits, photos
from survey.guest import erase_token, erasure
from survey.guest.consent import CONSENT_VERSION
from survey.guest.forms import ErasureForm
from survey.guest.links import page_url
from survey.guest.views import REDISPLAY
from survey.models import Submission, parse_reference


@allow("GET")
def notice(request: HttpRequest) -> HttpResponse:
    """Show the privacy notice."""
    context = {
        "version": CONSENT_VERSION,
        "days": settings.RETENTION_DAYS,
        "chain": chain.current().brand.local_name,
        "contact": settings.PRIVACY_CONTACT,
        "photos": photos.is_on(),
        "platform_logs_pages": bool(settings.PLATFORM),
    }
    return render(request, "guest/privacy.html", context)


@never_cache
@csrf_exempt  # no session is involved: the token is the secret, and staff decide on requests
@allow("GET", "POST")
def erase(request: HttpRequest) -> HttpResponse:
    """Erase a submission with its token, or store a request by reference and phone number. GET never erases."""
    if request.method != "POST":
        form = ErasureForm(initial={"reference": request.GET.get("reference", "")})
        return render(request, "guest/erase.html", {"form": form})
    if "token" in request.POST:
        return _erase_with_token(request, request.POST.get("reference", ""), request.POST["token"])
    return _request_erasure(request, ErasureForm(request.POST))


def _erase_with_token(request: HttpRequest, reference: str, token: str) -> HttpResponse:
    """Show the confirmation page, whose form adds `confirmed`; then erase."""
    submission = Submission.objects.filter(reference=parse_reference(reference)).first()
    if submission is not None and submission.erased_at:  # a second tap, after the token was erased too
        return redirect(page_url(request, "erased"))
    if submission is None or not erase_token.erases(token, submission):
        notice = _("This page cannot erase the answer. You can ask our staff to do it here.")
        context = {"form": ErasureForm(initial={"reference": reference}), "notice": notice}
        return render(request, "guest/erase.html", context, status=_redisplay_status(request))
    if "confirmed" not in request.POST or REDISPLAY in request.POST:
        return render(request, "guest/erase_confirm.html", {"submission": submission, "erase_token": token})
    erasure.erase_by_guest(submission)
    return redirect(page_url(request, "erased"))


def _request_erasure(request: HttpRequest, form: ErasureForm) -> HttpResponse:
    """Store a request for the staff; the response does not depend on whether the details match."""
    if not form.is_valid() or REDISPLAY in request.POST:
        return render(request, "guest/erase.html", {"form": form}, status=_redisplay_status(request))
    reference, phone = form.cleaned_data["reference"], form.cleaned_data["phone"]
    try:
        # Against floods of requests, and against guessing phone numbers.
        limits.count_attempt("erasure", reference, request.META.get("REMOTE_ADDR", ""))
    except limits.TooManyAttempts as error:
        form.add_error(None, error.message)
        page = render(request, "guest/erase.html", {"form": form}, status=429)
        page["Retry-After"] = str(error.retry_after)
        return page
    erasure.request_erasure(reference, phone)
    return redirect(page_url(request, "erasure-requested"))


def _redisplay_status(request: HttpRequest) -> int:
    """Return 200 for a page that only changes its language, 400 for a page with an error."""
    return 200 if REDISPLAY in request.POST else 400


@allow("GET")
def requested(request: HttpRequest) -> HttpResponse:
    """Tell the guest that staff decide; the page is the same for right and wrong details."""
    return render(request, "guest/erasure_requested.html")


@allow("GET")
def erased(request: HttpRequest) -> HttpResponse:
    """Confirm the erasure on a page of its own, which survives a reload and a change of the language."""
    return render(request, "guest/erased.html")
