"""A posted form, read as strictly as JSON (json_body.py): Django puts U+FFFD where bytes are not UTF-8."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from django.http import HttpRequest, HttpResponse

from mydjango.http.problems import FORM_TYPES, problem

REPLACEMENT = "\ufffd"
# A parameter that names its encoding, which RFC 7578 (4.2) forbids: Python keeps the names of unknown ones for good.
_ENCODED_PARAMETER = re.compile(r"^content-[a-z-]+:[^\r\n]*\*=", re.IGNORECASE | re.MULTILINE)


class FormMiddleware:
    """Answer 400 to a form with a name or a value that is not UTF-8, before anything reads it.

    Query strings are let through: some gateways decode them before we see them, and a link that somebody has added a
    parameter to still has to open.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Nothing to do before the view is known."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> HttpResponse | None:
        """The 400, or None."""
        if request.method != "POST" or request.content_type not in FORM_TYPES or is_utf8(request):
            return None
        return problem(request, 400, "The form is not valid UTF-8.")


def is_utf8(request: HttpRequest) -> bool:
    """Whether all names and values of the form are UTF-8. Files need not be text, but no form here takes one."""
    if codecs.lookup(request.encoding or "utf-8").name != "utf-8":
        return False
    is_multipart = request.content_type == "multipart/form-data"
    try:
        sent = (request.body if is_multipart else unquote_to_bytes(request.body)).decode()
    except UnicodeDecodeError:
        return False
    if not is_multipart:
        return True
    if _ENCODED_PARAMETER.search(sent):
        return False
    # A part may be in base64: then its bytes are seen in what Django made of them.
    read = [text for name, values in request.POST.lists() for text in (name, *values)]
    return sum(text.count(REPLACEMENT) for text in read) <= sent.count(REPLACEMENT)
