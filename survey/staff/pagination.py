"""Keyset pagination: a page starts behind the last row of the page before it, so that new rows never shift it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import NamedTuple, TypeVar

from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest

from survey.models import Submission

LARGEST_KEY = 2**63 - 1
Row = TypeVar("Row")
Parsed = TypeVar("Parsed")


class Cursor(NamedTuple):
    """The position of a submission in lists by local date and primary key."""

    local_date: date
    pk: int

    def __str__(self) -> str:
        return f"{self.local_date:%Y-%m-%d}.{self.pk}"

    @classmethod
    def of(cls, submission: Submission) -> Cursor:
        """Return the position of a submission."""
        return cls(submission.local_date, submission.pk)

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """Return the cursor that `str()` wrote. Raises ValueError."""
        day, _dot, key = text.partition(".")
        return cls(date.fromisoformat(day), parse_key(key))


def parse_key(text: str) -> int:
    """Return a primary key. Raises ValueError, also for a number that no database column can hold."""
    key = int(text)
    if not 0 <= key <= LARGEST_KEY:
        raise ValueError(f"{key} is no key.")
    return key


def from_query(request: HttpRequest, name: str, parse: Callable[[str], Parsed]) -> Parsed | None:
    """Return the parsed parameter of the query string, or None without it. Raises Http404 for a malformed one."""
    text = request.GET.get(name)
    try:
        return parse(text) if text else None
    except ValueError:
        raise Http404 from None


def older_than(submissions: QuerySet[Submission, Row], cursor: Cursor | None) -> QuerySet[Submission, Row]:
    """Return the submissions behind the cursor in a list that is newest first; all of them without a cursor."""
    if cursor is None:
        return submissions
    day, pk = cursor
    # The last condition repeats the first so that the database walks an index by date.
    return submissions.filter(Q(local_date__lt=day) | Q(local_date=day, pk__lt=pk), local_date__lte=day)


def newer_than(submissions: QuerySet[Submission, Row], cursor: Cursor | None) -> QuerySet[Submission, Row]:
    """Return the submissions behind the cursor in a list that is oldest first; all of them without a cursor."""
    if cursor is None:
        return submissions
    day, pk = cursor
    return submissions.filter(Q(local_date__gt=day) | Q(local_date=day, pk__gt=pk), local_date__gte=day)


def first_page(rows: list[Row], size: int) -> tuple[list[Row], Row | None]:
    """Return the first `size` of rows that were read with one more, and the last of these if more rows follow."""
    return rows[:size], rows[size - 1] if len(rows) > size else None
