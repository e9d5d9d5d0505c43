"""Template tags of the staff's pages."""

from __future__ import annotations

import pytest
from django.template import Context, Template, TemplateSyntaxError
from django.test.utils import override_script_prefix
from django.utils import translation

LOADED = "{% load i18n figures %}"


def once(text: str) -> Template:
    return Template(f"{LOADED}{{% once_per_language %}}{text}{{% endonce_per_language %}}")


def test_a_heading_is_in_the_language_of_each_page() -> None:
    heading = once("<h1>{% translate 'Overview' %}</h1>")
    written = []
    for language in ("zh-hans", "en", "zh-hans", "en"):
        with translation.override(language):
            written.append(heading.render(Context()))
    assert written == ["<h1>概览</h1>", "<h1>Overview</h1>"] * 2


@pytest.mark.parametrize("text", ["{{ name }}", "{% if name %}x{% endif %}", "{% url 'dashboard:today' %}"])
def test_what_differs_between_pages_is_no_heading(text: str) -> None:
    with pytest.raises(TemplateSyntaxError, match="takes text and translations"):
        once(text)


def test_a_path_has_the_prefix_of_its_request() -> None:
    link = Template(f"{LOADED}{{% path 'dashboard:today' %}}")
    paths = []
    for prefix in ("/", "/release/", "/"):
        with override_script_prefix(prefix):
            paths.append(link.render(Context()))
    assert paths == ["/dashboard/today/", "/release/dashboard/today/", "/dashboard/today/"]
