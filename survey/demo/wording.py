"""Sentences that guests and staff of the demo write, read from wording.json.

A sentence lists the dishes that fit it and the problems it reports, so that comments agree with the scores.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from survey.scales import Problem


class Sentence(NamedTuple):
    """A sentence with `{dish}` and `{person}` to fill in, the dishes that fit it, and the problems it reports."""

    text: str
    dishes: list[str]
    problems: Problem


_DATA: dict[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))


def _sentence(text: str, dishes: str = "", problems: list[str] | None = None) -> Sentence:
    return Sentence(text, _DATA["dishes"].get(dishes, []), Problem(sum(Problem[name] for name in problems or [])))


PEOPLE: list[str] = _DATA["people"]
SURNAMES: str = _DATA["surnames"]
ENGLISH_NAMES: list[str] = _DATA["english_names"]
CALLED: str = _DATA["notes"]["called"]
MEASURES: dict[Problem, str] = {Problem[name]: text for name, text in _DATA["notes"]["measures"].items()}
SENTENCES: dict[str, dict[str, list[Sentence]]] = {
    language: {tone: [_sentence(**entry) for entry in entries] for tone, entries in by_tone.items()}
    for language, by_tone in _DATA["sentences"].items()
}
