"""Links between the guest's pages: the language that the URL names is kept."""

from __future__ import annotations

from urllib.parse import urlencode

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import translation

from mydjango.http.language import PARAMETER, keep_language, short_code

register = template.Library()


@register.simple_tag(takes_context=True)
def page_url(context: template.Context, name: str, **query: str) -> str:
    """The path of a page that has no arguments, with a query and the language that this page's URL names."""
    url = reverse(name)
    return keep_language(context["request"], f"{url}?{urlencode(query)}" if query else url)


@register.inclusion_tag("guest/language.html", takes_context=True)
def language_switch(context: template.Context, form: str = "") -> dict[str, object]:
    """This page in the other languages: with what stands in the form of this id, or else with what was sent to it."""
    request: HttpRequest = context["request"]
    current = translation.get_language()
    others = []
    for code, name in settings.LANGUAGES:
        if code != current:
            parameters = request.GET.copy()
            parameters[PARAMETER] = short_code(code)
            others.append({"code": code, "name": name, "url": f"{request.path}?{parameters.urlencode()}"})
    # Not the visit's key: it may be used up, and the page that comes back makes a new one.
    sent = [(name, value) for name, values in request.POST.lists() if name != "submission_id" for value in values]
    return {"others": others, "sent": sent, "posted": request.method == "POST", "form": form}


@register.filter
def face(score: int | str) -> str:
    """The mouth of a face, as an SVG path in a box of 24 by 24."""
    return {
        "1": "M7.5 17.5Q12 12 16.5 17.5",
        "2": "M8 17Q12 14 16 17",
        "3": "M8 16H16",
        "4": "M8 15Q12 18 16 15",
        "5": "M7 14Q12 20.5 17 14Z",
    }[str(score)]
