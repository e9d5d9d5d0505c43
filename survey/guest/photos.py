"""Photos of guests: the field that the page's script loads, and the permission to upload one."""

from __future__ import annotations

from json import JSONEncoder

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from mydjango.http.json_body import MalformedJSON, json_object
from mydjango.http.problems import allow, is_json, problem
from survey import limits, photos


class UploadForm(forms.Form):
    """The photo that a guest wants to upload: its type, and its size in bytes."""

    type = forms.ChoiceField(choices=[(kind, kind) for kind in photos.SUFFIXES])
    size = forms.IntegerField(min_value=1, max_value=photos.MAX_BYTES)

    def clean_size(self) -> int:
        """Refuse digits in a string, as the description of the API does."""
        if isinstance(self.data["size"], str):
            raise forms.ValidationError(_("This must be a whole number."))
        return int(self.cleaned_data["size"])


@never_cache
@csrf_exempt  # no session is involved
@allow("GET", "POST")
def upload(request: HttpRequest) -> HttpResponse:
    """Return the HTML that the photo field lacks, its list and its texts.

    A POST of `{type, size}` gets 201 with `{key, url}`. The URL takes one PUT of exactly this type and size within
    fifteen minutes. The submission names the key.
    """
    if not photos.is_on():
        raise Http404
    if request.method != "POST":
        return render(request, "guest/photos.html", {"most": photos.MAX_PHOTOS, "bytes": photos.MAX_BYTES})
    if not is_json(request.content_type):
        return problem(request, 415, "Send the photo's type and size as application/json.")
    try:
        form = UploadForm(json_object(request))
    except MalformedJSON as error:
        return problem(request, 400, str(error))
    if not form.is_valid():
        return problem(request, 400, _("The photo was not accepted."), errors=form.errors)
    try:
        limits.count_upload(request.META.get("REMOTE_ADDR", ""))
    except limits.TooManyAttempts as error:
        return problem(request, 429, error.message, headers={"Retry-After": str(error.retry_after)})
    key, url = photos.permit_upload(form.cleaned_data["type"], form.cleaned_data["size"])
    return JsonResponse({"key": key, "url": url}, JSONEncoder, status=201)


@csrf_exempt  # the signature is the permission
@allow("GET", "PUT")
def stored_file(request: HttpRequest, key: str) -> HttpResponse:
    """Store or return a photo where a folder is in the place of a bucket, by a signed URL alone."""
    from mydjango.object_storage.folder import Folder  # no guest of a function needs it

    where = photos.storage() if photos.is_on() else None
    if not isinstance(where, Folder):
        raise Http404
    return where.serve(request, key)
