"""Tags of the guests' pages: the visit's hidden fields, links that keep the language of the URL, the brand, faces."""

from __future__ import annotations

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils import translation
from django.utils.html import format_html
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _

from mydjango.http.language import url_in_language
from survey import chain
from survey.chain import KeptBrand
from survey.guest import links, opening

register = template.Library()


@register.inclusion_tag("guest/visit_fields.html", takes_context=True)
def visit_fields(context: template.Context) -> dict[str, object]:
    """Render the hidden fields of the context's `visit`, and the status line."""
    return {"visit": context["visit"]}


@register.simple_tag(takes_context=True)
def page_url(context: template.Context, name: str, **query: str) -> str:
    """Return the path of a page with a query, and with language, branch and table of this page.

    The context has `branch_code` and `table_query`, unless this page's URL names branch and table or there are none.
    """
    branch, table = context.get("branch_code") or "", context.get("table_query") or ""
    return links.page_url(context["request"], name, branch, table, **query)


@register.simple_tag(takes_context=True)
def photos_switch(context: template.Context) -> str:
    """Return whether the page's script shows the photo field: `on` or ''; in a kept page its placeholder."""
    return context.get("photos_switch") or opening.photos_switch()


@register.inclusion_tag("guest/language.html", takes_context=True)
def language_switch(context: template.Context, form: str = "") -> dict[str, object]:
    """Render links to this page in the other languages.

    Each keeps the values of the form with the given id, or else the values posted to this page. The context may have
    `language_urls` by language, for a page that is kept without its address.
    """
    request: HttpRequest = context["request"]
    current = translation.get_language()
    urls = context.get("language_urls") or {code: url_in_language(request, code) for code, _name in settings.LANGUAGES}
    others = [{"code": code, "name": name, "url": urls[code]} for code, name in settings.LANGUAGES if code != current]
    # Without the visit's key, which may be used up: the redisplayed page gets a new one.
    sent = [(name, value) for name, values in request.POST.lists() if name != "submission_id" for value in values]
    return {"others": others, "sent": sent, "posted": request.method == "POST", "form": form}


def _brand(context: template.Context) -> KeptBrand:
    """Return the context's brand, or else what this process keeps: an error page makes no query."""
    is_error_page = "status" in context
    return context.get("brand") or (chain.last_kept() if is_error_page else chain.current()).brand


@register.simple_tag(takes_context=True)
def stylesheet(context: template.Context) -> str:
    """Return the URL of survey.css, in the colours of the chain."""
    plain = static("survey/survey.css")
    return _brand(context).stylesheet(plain) or plain


@register.simple_tag(takes_context=True)
def brand_mark(context: template.Context) -> str:
    """Return the HTML of the chain's logo or name."""
    return mark_safe(context.get("brand_mark") or _brand(context).mark(translation.get_language() or ""))  # noqa: S308


@register.simple_tag
def staff_title() -> str:
    """Return the HTML of the chain's logo or name, or else of the survey, for the pages of staff."""
    brand = chain.current().brand
    name = brand.local_name or _("Guest survey")
    return format_html('<img src="{}" alt="{}">', brand.logo, name) if brand.logo else name


@register.simple_tag
def brand_colors() -> str:
    """Return the link to the chain's colours, for the pages of staff."""
    url = chain.current().brand.stylesheet()
    return format_html('<link rel="stylesheet" href="{}">', url) if url else ""


@register.simple_tag
def chain_name() -> str:
    """Return the name of the chain in the current language; '' without any."""
    return chain.current().brand.local_name


@register.filter
def face(score: int | str) -> str:
    """Return the mouth of a score's face as an SVG path, for a view box of 24 by 24."""
    return {
        "1": "M7 18Q12 10.5 17 18Z",
        "2": "M8 16.5Q12 14 16 16.5",
        "3": "M8 16H16",
        "4": "M8 15Q12 18 16 15",
        "5": "M7 14Q12 20.5 17 14Z",
    }[str(score)]
