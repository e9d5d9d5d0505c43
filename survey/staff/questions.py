"""The questions of the survey, as head office edits them.

The table is empty until the first change, which stores the questions of a new installation too. Nothing is ever
deleted: submissions and figures refer to questions, also to those that have retired.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import Http404
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from survey import chain
from survey.chain import ASPECT, PROBLEM
from survey.guest.fields import TEXT_ERRORS
from survey.models import Question
from survey.models.question import KEY_MAX_LENGTH, LABEL_MAX_LENGTH
from survey.scales import Problem
from survey.staff.access import User

logger = logging.getLogger(__name__)

MOST_ASKED = {ASPECT: 10, PROBLEM: 12}  # a guest has twenty seconds, and an aspect adds 700 bytes to the page
MOST = 60  # questions of both kinds, with the retired ones: each process reads them once a minute
RESERVED_KEYS = ("add",)  # /dashboard/questions/aspect/add/


class QuestionForm(forms.Form):
    """The labels of a question."""

    label = forms.CharField(
        label=gettext_lazy("Chinese label"), max_length=LABEL_MAX_LENGTH, error_messages=TEXT_ERRORS
    )
    label_en = forms.CharField(
        label=gettext_lazy("English label"),
        max_length=LABEL_MAX_LENGTH,
        required=False,
        help_text=gettext_lazy("Without one, guests who read English see the Chinese label."),
        error_messages=TEXT_ERRORS,
    )

    def __init__(self, kind: str, question: chain.KeptQuestion | None, data: Mapping[str, Any] | None = None) -> None:
        self.kind, self.question = kind, question
        initial = {"label": question.label, "label_en": question.label_en} if question else None
        super().__init__(data, initial=initial)

    def clean_label(self) -> str:
        return self._unused("label")

    def clean_label_en(self) -> str:
        return self._unused("label_en")

    def _unused(self, name: str) -> str:
        label: str = self.cleaned_data[name]
        others = (
            other for other in chain.current().asked(self.kind) if not self.question or other.key != self.question.key
        )
        if label and label.casefold() in {getattr(other, name).casefold() for other in others}:
            raise ValidationError(_("Guests are asked this already."))
        return label


class TooMany(Exception):
    """Raised when no more questions of a kind fit; the message says so in the current language."""


def find(kind: str, key: str) -> chain.KeptQuestion:
    """Return a question, also a retired one. Raises Http404."""
    for question in chain.current().all(kind):
        if question.key == key:
            return question
    raise Http404


def add(kind: str, label: str, label_en: str, user: User) -> None:
    """Ask another question, after the others. Raises TooMany."""
    with transaction.atomic():
        rows = _locked_rows()
        _require_room(kind, rows)
        if len(rows) >= MOST:
            raise TooMany(_("There are %(count)s questions already, with the retired ones.") % {"count": len(rows)})
        key = _new_key(kind, label_en, {row.key for row in rows})
        position = 1 + max((row.position for row in rows if row.kind == kind), default=0)
        asked = [row for row in rows if row.kind == kind and not row.is_retired]
        if kind == PROBLEM and asked and asked[-1].key == Problem.OTHER.slug:  # "Something else" stays last
            Question.objects.filter(pk=asked[-1].pk).update(position=position + 1)
        Question.objects.create(kind=kind, key=key, label=label, label_en=label_en, position=position)
    _changed("added", kind, key, user)


def rename(kind: str, key: str, label: str, label_en: str, user: User) -> None:
    """Change the labels of a question."""
    with transaction.atomic():
        _locked_rows()
        Question.objects.filter(kind=kind, key=key).update(label=label, label_en=label_en)
    _changed("renamed", kind, key, user)


def retire(kind: str, key: str, user: User) -> None:
    """Ask a question no longer. What guests gave to it stays."""
    with transaction.atomic():
        _locked_rows()
        Question.objects.filter(kind=kind, key=key).update(is_retired=True)
    _changed("retired", kind, key, user)


def ask_again(kind: str, key: str, user: User) -> None:
    """Ask a retired question again. Raises TooMany."""
    with transaction.atomic():
        rows = _locked_rows()
        if any(row.key == key and row.kind == kind and row.is_retired for row in rows):
            _require_room(kind, rows)
        Question.objects.filter(kind=kind, key=key).update(is_retired=False)
    _changed("asked_again", kind, key, user)


def move(kind: str, key: str, place: int, user: User) -> None:
    """Give a question a place, from 0, among those that guests are asked; a repeated request changes nothing."""
    with transaction.atomic():
        of_kind = [row for row in _locked_rows() if row.kind == kind]
        asked = [row for row in of_kind if not row.is_retired]
        moved = [row for row in asked if row.key == key]
        if moved:
            asked.remove(moved[0])
            asked.insert(max(0, place), moved[0])
        for position, row in enumerate([*asked, *(row for row in of_kind if row.is_retired)]):
            row.position = position
        Question.objects.bulk_update(of_kind, ["position"])
    _changed("moved", kind, key, user)


def _locked_rows() -> list[Question]:
    """Return all questions in their order, locked; store those of a new installation first, if there are none."""
    rows = Question.objects.select_for_update().order_by("kind", "position", "id")
    if not rows.exists():
        Question.objects.bulk_create(
            (
                Question(kind=kept.kind, key=kept.key, label=kept.label, label_en=kept.label_en, position=position)
                for position, kept in enumerate(chain.core())
            ),
            ignore_conflicts=True,  # of two first changes at once
        )
    return list(rows)


def _require_room(kind: str, rows: list[Question]) -> None:
    asked = sum(row.kind == kind and not row.is_retired for row in rows)
    if asked >= MOST_ASKED[kind]:
        raise TooMany(_("Guests are asked %(count)s already. Retire one first.") % {"count": asked})


def _new_key(kind: str, label_en: str, used: set[str]) -> str:
    """Return a key for forms and JSON: the English label as a slug, or the kind, with a number where it is in use."""
    words = slugify(label_en).strip("-_")
    longest = words[: KEY_MAX_LENGTH - 3]  # with room for a number
    stem = (longest if longest == words else longest.rpartition("-")[0] or longest) or kind
    taken = {*used, *RESERVED_KEYS, *(question.key for question in chain.core())}
    candidates = (stem if number == 1 else f"{stem}-{number}" for number in range(1, MOST + len(taken) + 2))
    return next(key for key in candidates if key not in taken)


def _changed(change: str, kind: str, key: str, user: User) -> None:
    chain.forget()
    logger.info("questions.changed", extra={"change": change, "kind": kind, "key": key, "user": user.pk})
