"""The language of a page, which its URL may name: `?lang=en`."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils import translation

PARAMETER = "lang"


def named_language(request: HttpRequest) -> str | None:
    """The language that the URL names, as in LANGUAGES; None when it names none, or one that there is not."""
    try:
        return translation.get_supported_language_variant(request.GET.get(PARAMETER, ""))
    except LookupError:
        return None


def short_code(language: str) -> str:
    """What stands in the URL: `zh` for `zh-hans`."""
    return language.partition("-")[0]


def keep_language(request: HttpRequest, url: str) -> str:
    """A URL of ours, in the language that this request's URL names; unchanged when it names none."""
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
    """A URL that names no language."""
    parts = urlsplit(url)
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != PARAMETER]
    return urlunsplit(parts._replace(query=urlencode(kept)))


class LanguageMiddleware(LocaleMiddleware):
    """Django's choice of a language by the browser's preference, and before it the URL's.

    The URL, not a cookie: a link can be shared, printed on a card in two languages, and no consent to a cookie is due.
    """

    def process_request(self, request: HttpRequest) -> None:
        """Activate the language."""
        language = named_language(request)
        if language is None:
            super().process_request(request)
            return
        translation.activate(language)
        request.LANGUAGE_CODE = language
