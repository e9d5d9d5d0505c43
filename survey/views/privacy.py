"""The guest's data: what the chain does with them, and how a guest has them erased."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from mydjango.language import keep_language
from mydjango.problems import allow
from survey import retention, throttle
from survey.consent import CONSENT_VERSION
from survey.forms import ErasureForm
from survey.views.answer import REDISPLAY


@allow("GET")
def notice(request: HttpRequest) -> HttpResponse:
    """The privacy notice, with its version and how long data are kept."""
    context = {
        "version": CONSENT_VERSION,
        "days": settings.RETENTION_DAYS,
        "chain": settings.CHAIN_NAME,
        "contact": settings.PRIVACY_CONTACT,
    }
    return render(request, "survey/privacy.html", context)


@never_cache
@csrf_exempt  # no session is involved: the reference is the secret
@allow("GET", "POST")
def erase(request: HttpRequest) -> HttpResponse:
    """Ask for reference and phone number; erase the personal data of the answer that has both."""
    if request.method != "POST":
        form = ErasureForm(initial={"reference": request.GET.get("reference", "")})
        return render(request, "survey/erase.html", {"form": form})
    form = ErasureForm(request.POST)
    if form.is_valid() and REDISPLAY not in request.POST:
        reference, phone = form.cleaned_data["reference"], form.cleaned_data["phone"]
        try:
            # Whoever knows a reference, as staff do, must not find the phone number by trying.
            throttle.count_attempt("erasure", reference, request.META.get("REMOTE_ADDR", ""))
        except throttle.TooManyAttempts as error:
            form.add_error(None, error.sentence)
            page = render(request, "survey/erase.html", {"form": form}, status=429)
            page["Retry-After"] = str(error.retry_after)
            return page
        if retention.erase_for_guest(reference, phone):
            return redirect(keep_language(request, reverse("erased")))
        # One sentence for every reason: it must not tell whose phone number or which reference was right.
        form.add_error(None, _("There is no answer with this reference and phone number. Please check both."))
    return render(request, "survey/erase.html", {"form": form}, status=200 if REDISPLAY in request.POST else 400)


@allow("GET")
def erased(request: HttpRequest) -> HttpResponse:
    """Say that it is done: a page of its own, which can be read in the other language and loaded again."""
    return render(request, "survey/erased.html")
