"""Django's own Chinese sentences address the reader as ours do."""

from __future__ import annotations

from pathlib import Path

import django
import pytest
from babel.messages.pofile import read_po
from django.utils import translation

DJANGO = Path(django.__file__).parent


@pytest.mark.parametrize("part", ["conf", "contrib/auth", "contrib/admin"])
def test_djangos_sentences_say_the_polite_you(part: str) -> None:
    with (DJANGO / part / "locale" / "zh_Hans" / "LC_MESSAGES" / "django.po").open("rb") as file:
        ids = [(message.context, message.id) for message in read_po(file) if message.id]
    with translation.override("zh-hans"):
        shown = [_translated(context, text) for context, text in ids]
    assert len(shown) > 20
    assert [text for text in shown if "你" in text] == []


def _translated(context: str | None, text: str | tuple[str, str]) -> str:
    if isinstance(text, tuple):
        return translation.npgettext(context, *text, 2) if context else translation.ngettext(*text, 2)
    return translation.pgettext(context, text) if context else translation.gettext(text)
