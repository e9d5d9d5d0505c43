"""The parts of statements that are written in SQL, since a page sends many and Django takes long to compile each.

Numbers and dates of this program are written into the text, and a language is a parameter: a list of a thousand
branches takes Django longer to compile than MariaDB to read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from django.db import connection

from survey.staff.filters import Filters, are_many

# MariaDB puts a longer list into a temporary table (in_predicate_conversion_threshold): a row takes a fifth longer.
LONGEST_LIST = 999


def is_in(column: str, values: Iterable[object]) -> str:
    """Return the condition that a column has one of these numbers."""
    return f"{column} IN ({', '.join(map(str, values))})"


def value_if(condition: str, value: str = "1") -> str:
    """Return the value where the condition holds, 0 elsewhere."""
    return f"CASE WHEN {condition} THEN {value} ELSE 0 END"


def parameters(filters: Filters, parts: int = 1) -> list[str] | None:
    """Return the parameters of a statement that has the conditions of the filters so many times."""
    return [filters.language] * parts if filters.language else None


def conditions(filters: Filters, branches: Collection[int | None] | None = None) -> Iterator[str]:
    """Yield the conditions of the filters on branch, score and language; `branches` replace their own."""
    if branches is not None:
        named = of_branches([0, *filter(None, branches)])  # no branch has the key 0
        yield f"({named} OR branch_id IS NULL)" if None in branches else named
    elif filters.without_branch:
        yield "branch_id IS NULL"
    elif filters.branch_ids is not None:
        yield of_branches(filters.branch_ids or [0])
    if filters.scores:
        yield is_in("satisfaction", filters.scores)
    if filters.language:
        yield "language = %s"


def of_branches(branches: Collection[int]) -> str:
    """Return the condition for rows of these branches.

    `+ 0` keeps MariaDB from the indexes by branch, in which it would look up each of many branches in turn: that takes
    three times as long.
    """
    if not are_many(branches):
        return is_in("branch_id", branches)
    keys = list(branches)
    lists = (keys[first : first + LONGEST_LIST] for first in range(0, len(keys), LONGEST_LIST))
    return f"({' OR '.join(is_in('branch_id + 0', part) for part in lists)})"


def submissions_of(filters: Filters) -> str:
    """Return the table of submissions, for FROM.

    For the whole chain and for many branches, the text names the index by day and score, since MariaDB 10.11 sometimes
    takes an index without the score.
    """
    by_day = filters.is_whole_chain or filters.has_many_branches
    force = " FORCE INDEX (response_period)" if by_day and connection.vendor == "mysql" else ""
    return f"survey_response{force}"


def execute(sql: str, parameters: Sequence[Any] | None = None) -> Sequence[tuple[Any, ...]]:
    """Return the rows of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
    return rows
