"""The language of a page: the URL may name it (`?lang=en`), else the browser's preference decides.

The URL and not a cookie: a link can be shared or printed on a card in two languages, and a cookie would need consent.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin

PARAMETER = "lang"


def named_language(request: HttpRequest) -> str | None:
    """Return the code, as in LANGUAGES, that the URL names; None without one that is supported."""
    try:
        return translation.get_supported_language_variant(request.GET.get(PARAMETER, ""))
    except LookupError:
        return None


def short_code(language: str) -> str:
    """Return the code for a URL: `zh` for `zh-hans`."""
    return language.partition("-")[0]


def keep_language(request: HttpRequest, url: str) -> str:
    """Add the language that the request's URL names, if any, to a URL of this site."""
    language = named_language(request)
    if language is None:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode({PARAMETER: short_code(language)})}"


def url_in_language(request: HttpRequest, language: str) -> str:
    """Return the path and query of this request in another language."""
    parameters = request.GET.copy()
    parameters[PARAMETER] = short_code(language)
    return f"{request.path}?{parameters.urlencode()}"


def without_language(url: str) -> str:
    """Remove the language from a URL."""
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != PARAMETER]
    return urlunsplit(parts._replace(query=urlencode(kept)))


class LanguageMiddleware(MiddlewareMixin):
    """Activate the URL's language, else the browser's. Django's LocaleMiddleware looks for it in the path instead."""

    def process_request(self, request: HttpRequest) -> None:
        language = named_language(request) or translation.get_language_from_request(request)
        translation.activate(language)
        request.LANGUAGE_CODE = language

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        patch_vary_headers(response, ("Accept-Language",))
        response.headers.setdefault("Content-Language", request.LANGUAGE_CODE)
        return response
