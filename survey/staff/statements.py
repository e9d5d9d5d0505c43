"""The parts of statements that are written in SQL, since a page sends many and Django takes long to compile each.

Numbers and dates of this program are written into the text, and a language is a parameter: a list of a thousand
branches takes Django longer to compile than MariaDB to read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from django.db import connection

from survey.staff.filters import Filters


def is_in(column: str, values: Iterable[object]) -> str:
    """Return the condition that a column has one of these numbers."""
    return f"{column} IN ({', '.join(map(str, values))})"


def parameters(filters: Filters, parts: int = 1) -> list[str] | None:
    """Return the parameters of a statement that has the conditions of the filters so many times."""
    return [filters.language] * parts if filters.language else None


def conditions(filters: Filters, branches: Collection[int | None] | None = None) -> Iterator[str]:
    """Yield the conditions of the filters on branch, score and language; `branches` replace their own."""
    if branches is not None:
        named = is_in("branch_id", [0, *filter(None, branches)])  # no branch has the key 0
        yield f"({named} OR branch_id IS NULL)" if None in branches else named
    elif filters.without_branch:
        yield "branch_id IS NULL"
    elif filters.branch_ids is not None:
        yield is_in("branch_id", filters.branch_ids or [0])
    if filters.scores:
        yield is_in("satisfaction", filters.scores)
    if filters.language:
        yield "language = %s"


def execute(sql: str, parameters: Sequence[str] | None = None) -> Sequence[Sequence[Any]]:
    """Return the rows of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: Sequence[Sequence[Any]] = cursor.fetchall()
    return rows
