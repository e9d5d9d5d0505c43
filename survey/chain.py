"""What head office has set for its chain, as this process keeps it: the questions of the survey, and the brand.

Read at most once a minute, by every kind of request. `GET /` needs it before anything else of the database, so it is
read and kept without Django's models (mydjango/cold_start/bare_query.py). While the database is away, what was read
last goes on, or else what a new installation starts with.

To keep more of the chain, add a field to `Chain` and read it in `_read`.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Collection
from functools import lru_cache
from html import escape
from typing import NamedTuple

from django.conf import settings
from django.db import Error
from django.urls import get_script_prefix
from django.utils.translation import get_language, override

from mydjango.cold_start import bare_query

logger = logging.getLogger(__name__)

# The hash that collectstatic puts into the name of a file; a development server serves files without one.
STATIC_HASH, UNHASHED = re.compile(r"\.([0-9a-f]{12})\."), "0" * 12
LIFE = 60  # seconds until a change that another process made shows here
ASPECT, PROBLEM = "aspect", "problem"  # the kinds of survey.models.Question, which this module does not import
# The names in survey/scales.py, whose import takes Django's models; a test compares them.
CORE_KEYS = {
    ASPECT: ("taste", "variety", "hygiene", "service", "atmosphere", "value"),
    PROBLEM: ("taste", "sold_out", "cold", "dirty", "unfriendly", "waiting", "expensive", "other"),
}
OWN = "own-"  # begins the field of an aspect of head office's own; its key follows

BRAND = "brand"  # in the place of a kind
STATEMENT = f"""
SELECT q.id, q.kind, q.key, q.label, q.label_en, q.is_retired, q.position, '' FROM survey_question q
UNION ALL SELECT 0, '{BRAND}', b.color, b.name, b.name_en, 0, 0, b.logo FROM survey_brand b
ORDER BY 2, 7, 1
"""  # noqa: S608


def text_in(language: str, chinese: str, english: str) -> str:
    """Return the text in a language; an English one that is missing is the Chinese one."""
    return chinese if language.startswith("zh") else english or chinese


class KeptQuestion(NamedTuple):
    """An aspect or a problem that the survey asks about."""

    id: int  # 0: of the core, which has no rows before head office changes any
    kind: str
    key: str
    label: str
    label_en: str
    is_retired: bool = False

    @property
    def local_label(self) -> str:
        """The label in the current language."""
        return self.label_in(get_language() or "")

    def label_in(self, language: str) -> str:
        """Return the label in a language."""
        return text_in(language, self.label, self.label_en)

    @property
    def field(self) -> str:
        """The name of an aspect's field in forms."""
        return self.key if self.is_core else OWN + self.key

    @property
    def is_core(self) -> bool:
        """Whether the values are in columns of Submission, not in rows of QuestionValue."""
        return self.key in CORE_KEYS[self.kind]


class KeptBrand(NamedTuple):
    """The name, colour and logo of the chain, each '' where head office has set none."""

    name: str = ""
    name_en: str = ""
    color: str = ""  # #rrggbb
    logo: str = ""  # a data URI

    def name_in(self, language: str) -> str:
        """Return the name in a language; '' where neither head office nor CHAIN_NAME gives one."""
        return text_in(language, self.name, self.name_en) or settings.CHAIN_NAME

    @property
    def local_name(self) -> str:
        """The name in the current language."""
        return self.name_in(get_language() or "")

    def stylesheet(self, of_survey: str = "") -> str:
        """Return the path of the colours, with the rules of survey.css if its URL is given; '' without a colour.

        The colour and the hash of survey.css are in the path, so that any process serves it, with or without the
        database, and browsers keep it. One file, since a guest's page makes few requests.
        """
        if not self.color:
            return ""
        hashed = STATIC_HASH.search(of_survey)
        version = f"-{hashed[1] if hashed else UNHASHED}" if of_survey else ""
        return f"{get_script_prefix()}brand/{self.color.lstrip('#')}{version}.css"

    def mark(self, language: str) -> str:
        """Return the HTML of the logo, or else of the name; '' without both."""
        name = escape(self.name_in(language))
        if self.logo:
            return f'<p class="chain"><img src="{escape(self.logo)}" alt="{name}"></p>'
        return f'<p class="chain">{name}</p>' if name else ""


class Chain(NamedTuple):
    """What head office has set. Without questions, the core is asked: the aspects and problems of survey/scales.py."""

    questions: tuple[KeptQuestion, ...] = ()
    brand: KeptBrand = KeptBrand()

    def asked(self, kind: str) -> list[KeptQuestion]:
        """Return the questions of a kind that guests are asked, in their order."""
        return [question for question in self.all(kind) if not question.is_retired]

    @property
    def own(self) -> list[KeptQuestion]:
        """The questions that are not of the core, retired ones too. No two have one key."""
        return [question for question in self.questions if not question.is_core]

    def all(self, kind: str) -> list[KeptQuestion]:
        """Return the questions of a kind in their order, with the retired ones."""
        return [question for question in self.questions or core() if question.kind == kind]


class _Kept(NamedTuple):
    chain: Chain
    read_at: float  # on the monotonic clock

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() - self.read_at < LIFE


CORE = Chain()
_kept: _Kept | None = None
_reading = threading.Lock()


def current() -> Chain:
    """Return what head office has set, at most LIFE seconds ago while the database is there.

    One thread reads; the others meanwhile go on with what is kept, and wait only where nothing is.
    """
    kept = _kept
    if kept and kept.is_fresh:
        return kept.chain
    if not _reading.acquire(blocking=kept is None):
        return last_kept()
    try:
        if not (_kept and _kept.is_fresh):
            keep(_read())
        return last_kept()
    finally:
        _reading.release()


def own_questions(keys: Collection[str]) -> dict[str, KeptQuestion]:
    """Return head office's own questions with these keys, retired ones too; other keys are left out.

    A key that is unknown here may be of a question that another process has just added: then read again.
    """
    before = _kept
    found = _own_questions(current(), keys)
    if len(found) < len(keys) and _kept is before:
        forget()
        found = _own_questions(current(), keys)
    return found


def _own_questions(chain: Chain, keys: Collection[str]) -> dict[str, KeptQuestion]:
    return {question.key: question for question in chain.own if question.key in keys}


def last_kept() -> Chain:
    """Return what was read last, or else the core: for a page that is shown since the database is away."""
    return _kept.chain if _kept else CORE


def keep(chain: Chain) -> None:
    """Keep this from now on, for LIFE seconds."""
    global _kept
    _kept = _Kept(chain, time.monotonic())


def forget() -> None:
    """Have the next call of `current` read again. Call it after a change is committed."""
    global _kept
    with _reading:  # a reading that began before the change must not be kept after it
        if _kept:
            _kept = _kept._replace(read_at=float("-inf"))


def _read() -> Chain:
    try:
        rows = bare_query.fetch(STATEMENT)
    except Error as error:
        # Away, or not migrated yet. The next attempt is in a minute: each may take seconds.
        logger.warning("chain.unread", extra={"error": type(error).__name__})
        return last_kept()
    brand, questions = KeptBrand(), []
    for *question, _position, logo in rows:
        key, kind, code, label, label_en, is_retired = question
        if kind == BRAND:
            brand = KeptBrand(label, label_en, code, logo)
        else:
            questions.append(KeptQuestion(key, kind, code, label, label_en, bool(is_retired)))
    return Chain(tuple(questions), brand)


@lru_cache(maxsize=1)
def core() -> tuple[KeptQuestion, ...]:
    """Return the questions of a new installation, with the labels of the translations."""
    from survey.scales import ASPECTS, PROBLEM_LABELS

    def label(text: object, language: str) -> str:
        with override(language):
            return str(text)

    labels = [(ASPECT, name, text) for name, text in ASPECTS.items()]
    labels += [(PROBLEM, problem.slug, text) for problem, text in PROBLEM_LABELS.items()]
    return tuple(KeptQuestion(0, kind, key, label(text, "zh-hans"), label(text, "en")) for kind, key, text in labels)
