"""The Chinese texts are complete, compiled, and set as Chinese is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.conf import settings

FOLDER = Path(settings.BASE_DIR) / "survey" / "locale" / "zh_Hans" / "LC_MESSAGES"
# ASCII punctuation that stands beside a Chinese character: it should be its full-width form.
HALF_WIDTH = re.compile(r"[\u4e00-\u9fff]\s?[,.?!:;()]|[,.?!:;()]\s?[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def source() -> Catalog:
    with (FOLDER / "django.po").open("rb") as file:
        return read_po(file, locale="zh_Hans")


def texts(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string)


def test_every_text_is_translated(source: Catalog) -> None:
    assert len(source) > 100
    assert [message.id for message in source if message.id and (message.fuzzy or not all(texts(message)))] == []


def test_what_is_compiled_is_what_is_written(source: Catalog) -> None:
    with (FOLDER / "django.mo").open("rb") as file:
        compiled = {_key(message): message.string for message in read_mo(file) if message.id}
    # A compiled catalogue has the singular as a list of one where the source has a tuple.
    written = {_key(message): message.string for message in source if message.id}
    assert {key: list(text) for key, text in compiled.items()} == {key: list(text) for key, text in written.items()}


def test_chinese_has_full_width_punctuation(source: Catalog) -> None:
    half = [
        text for message in source if message.id for text in texts(message) if HALF_WIDTH.search(_without_tags(text))
    ]
    assert half == []
    everything = "".join(text for message in source if message.id for text in texts(message))
    assert all(sign in everything for sign in "\uff0c\uff1f\uff01\uff1a\uff1b\u3002")


def test_placeholders_survive_translation(source: Catalog) -> None:
    for message in source:
        if message.id:
            original = message.id[-1] if isinstance(message.id, tuple) else message.id
            for text in texts(message):
                assert set(re.findall(r"%\(\w+\)[sd]", text)) == set(re.findall(r"%\(\w+\)[sd]", original)), text


def _without_tags(text: str) -> str:
    return re.sub(r"<[^>]*>|%\(\w+\)[sd]", "", text)


def _key(message: Message) -> tuple[str | None, ...]:
    context = message.context
    if isinstance(context, bytes):  # as read_mo has it
        context = context.decode()
    return (context, *((message.id,) if isinstance(message.id, str) else message.id))


def test_no_text_is_translated_inside_of_an_f_string() -> None:
    """The collection of texts does not see such a one, so that its translation would go."""
    folders = (Path(settings.BASE_DIR) / name for name in ("survey", "mydjango"))
    sources = [path for folder in folders for path in folder.rglob("*.py")]
    assert len(sources) > 100
    found = [path for path in sources if re.search(r"\{(?:_|n?gettext(?:_lazy)?)\(", path.read_text(encoding="utf-8"))]
    assert found == []
