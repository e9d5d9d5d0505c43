"""The stylesheet in the chain's colours, which needs no database: its path names the colour."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.templatetags.static import static

from mydjango.http.problems import allow
from survey import palette
from survey.chain import STATIC_HASH

FILE = "survey/survey.css"
NAME = re.compile(r"([0-9a-f]{6})(?:-([0-9a-f]{12}))?")  # the colour, and the hash of survey.css
FOR_YEARS, FOR_A_DAY, FOR_A_MINUTE = (
    "public, max-age=31536000, immutable",
    "public, max-age=86400",
    "public, max-age=60",
)


@allow("GET")
def stylesheet(request: HttpRequest, name: str) -> HttpResponse:
    """Return the rules of a colour, behind those of survey.css if the path has its hash (KeptBrand.stylesheet).

    Browsers keep it for years, unless another release, which a deployment replaces, names its own hash.
    """
    named = NAME.fullmatch(name)
    if named is None:
        raise Http404
    color, version = named.groups()
    rules, life = palette.css(f"#{color}"), FOR_A_DAY
    if version:
        text, present = survey_css()
        rules, life = text + rules, FOR_YEARS if version == present else FOR_A_MINUTE
    return HttpResponse(rules, content_type="text/css; charset=utf-8", headers={"Cache-Control": life})


@lru_cache(maxsize=1)
def survey_css() -> tuple[str, str]:
    """Return the text of survey.css, and the hash in its collected name; '' before `collectstatic`."""
    url = static(FILE)
    hashed = STATIC_HASH.search(url)
    if hashed is None:
        from django.contrib.staticfiles import finders

        return Path(str(finders.find(FILE))).read_text("utf-8"), ""
    return (Path(settings.STATIC_ROOT, FILE).parent / Path(urlsplit(url).path).name).read_text("utf-8"), hashed[1]
