"""Refuse posted forms that are not UTF-8, as json_body.py refuses such JSON: Django would put U+FFFD there."""

from __future__ import annotations

import codecs
import re
from urllib.parse import unquote_to_bytes

from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin

from mydjango.http.problems import FORM_TYPES, problem

REPLACEMENT = "\ufffd"
# A parameter with an encoding, which RFC 7578 (4.2) forbids: Python keeps the names of unknown encodings for ever.
# Compiled when such a form comes, not for the first request of an instance.
_ENCODED_PARAMETER = r"(?im)^content-[a-z-]+:[^\r\n]*\*="


class FormMiddleware(MiddlewareMixin):
    """Return 400 for a form with a name or a value that is not UTF-8, before the view reads it.

    Query strings are not validated: some gateways decode them first, and a link must open whatever was added to it.
    """

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponse | None:
        if request.method != "POST" or request.content_type not in FORM_TYPES or is_utf8(request):
            return None
        return problem(request, 400, "The form is not valid UTF-8.")


def is_utf8(request: HttpRequest) -> bool:
    """Whether all names and values of the form are UTF-8, files included: no form here takes one."""
    if codecs.lookup(request.encoding or "utf-8").name != "utf-8":
        return False
    is_multipart = request.content_type == "multipart/form-data"
    try:
        sent = (request.body if is_multipart else unquote_to_bytes(request.body)).decode()
    except UnicodeDecodeError:
        return False
    if not is_multipart:
        return True
    if re.search(_ENCODED_PARAMETER, sent):
        return False
    # The bytes of a part in base64 show only in the text that Django decoded.
    decoded = [text for name, values in request.POST.lists() for text in (name, *values)]
    return sum(text.count(REPLACEMENT) for text in decoded) <= sent.count(REPLACEMENT)
