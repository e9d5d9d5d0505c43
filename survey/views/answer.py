"""The guest's side: the page, the answer, the thanks."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import translation
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from mydjango.json_body import MalformedJSON, json_object
from mydjango.problems import allow, is_json, problem, speaks_json
from survey import services
from survey.forms import ResponseForm
from survey.models import Response

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


@never_cache
@allow("GET")
def page(request: HttpRequest) -> HttpResponse:
    """The survey."""
    return render(request, "survey/page.html", {"form": ResponseForm()})


@never_cache
@csrf_exempt
@allow("POST")
def submit(request: HttpRequest) -> HttpResponse:
    """Take an answer as JSON or as a form.

    JSON callers get 201 with `{id, reference}` or a problem that names each field;
    a form gets a redirect to the thanks or the page again, with what was typed and the errors beside their fields.
    """
    if is_json(request.content_type):
        try:
            form = ResponseForm.from_json(json_object(request))
        except MalformedJSON as error:
            return problem(request, 400, str(error))
    elif request.content_type in FORM_TYPES:
        form = ResponseForm(request.POST)
    else:
        return problem(request, 415, "Send the answer as application/json or as a form.")
    if not form.is_valid():
        if speaks_json(request):
            return problem(request, 400, "The answer was not accepted.", errors=form.errors)
        return render(request, "survey/page.html", {"form": form}, status=400)
    response = form.save(commit=False)
    response.language = translation.get_language()
    services.response_submit(response)
    if speaks_json(request):
        return JsonResponse({"id": response.pk, "reference": response.reference}, status=201)
    return redirect("thanks", reference=response.reference)


@never_cache
@allow("GET")
def thanks(request: HttpRequest, reference: str) -> HttpResponse:
    """The thank-you page with the reference of an answer."""
    response = get_object_or_404(Response, reference=reference)
    return render(request, "survey/thanks.html", {"response": response})
