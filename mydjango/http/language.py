"""The language of a page: the URL may name it (`?lang=en`), then a member of staff's choice, then the browser.

The URL and not a cookie for guests: a link can be shared or printed on a card in two languages, and a cookie would need
consent.
"""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin
from django.utils.translation.trans_real import parse_accept_lang_header

from mydjango.cold_start.deferred_apps import populate_apps

PARAMETER = "lang"
Response = TypeVar("Response", bound=HttpResponseBase)


def preferred_language(request: HttpRequest) -> str:
    """Return the code, as in LANGUAGES, of the request's page. The cookie is that of the staff's language button.

    Django's get_language_from_request looks for the catalogs of all apps, for which it needs the models. No two of
    LANGUAGES are variants of one language, so the first part of a code decides.
    """
    tags = [tag for tag, _quality in parse_accept_lang_header(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))]
    chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    given = filter(None, [request.GET.get(PARAMETER, ""), chosen, *tags])
    return next(filter(None, map(_supported, given)), settings.LANGUAGE_CODE)


def named_language(request: HttpRequest) -> str | None:
    """Return the code, as in LANGUAGES, that the URL names; None without one that is supported."""
    return _supported(request.GET.get(PARAMETER, ""))


def _supported(tag: str) -> str | None:
    """Return the code of a language tag in any variant, as `zh-hans` for `zh-CN`; None for other languages."""
    return next((code for code, _name in settings.LANGUAGES if short_code(code) == short_code(tag.lower())), None)


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
    """Activate the preferred language. Django's LocaleMiddleware looks for it in the path instead."""

    def process_request(self, request: HttpRequest) -> None:
        populate_apps()  # each may have translations
        request.LANGUAGE_CODE = preferred_language(request)
        translation.activate(request.LANGUAGE_CODE)

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        return mark_language(response, request.LANGUAGE_CODE)


def mark_language(response: Response, language: str) -> Response:
    """Add the response's language, and that it depends on the browser's."""
    patch_vary_headers(response, ("Accept-Language",))
    response.headers.setdefault("Content-Language", language)
    return response
