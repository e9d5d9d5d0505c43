"""The parts of statements that are written in SQL, since a page sends many and Django takes long to compile each.

Numbers and dates of this program are written into the text, and a language is a parameter: a list of a thousand
branches takes Django longer to compile than MariaDB to read.

A *reading* is a generator that yields its selects, is sent their rows, and returns what it made of them. `gather` takes
several readings side by side, and `run` sends the selects of all of them as one statement: each statement costs a page
a round trip, and CPU for the wait.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple, TypeVar

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


def parameters(filters: Filters, parts: int = 1) -> list[str]:
    """Return the parameters of a statement that has the conditions of the filters so many times."""
    return [filters.language] * parts if filters.language else []


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


class Select(NamedTuple):
    """Columns, and their source, which is the SQL behind them. A source ends without ORDER BY and without LIMIT."""

    columns: Sequence[str]
    source: str
    parameters: Sequence[Any] = ()


Rows = list[list[Any]]
Result = TypeVar("Result")
Reading = Generator[Sequence[Select], Sequence[Rows], Result]


def gather(*readings: Reading[Any]) -> Reading[list[Any]]:
    """Take readings side by side; return their results in the same order."""
    results: dict[Reading[Any], Any] = {}
    sent: dict[Reading[Any], Sequence[Rows] | None] = dict.fromkeys(readings)
    while True:
        wanted: dict[Reading[Any], Sequence[Select]] = {}
        for reading, rows in sent.items():
            try:
                wanted[reading] = next(reading) if rows is None else reading.send(rows)
            except StopIteration as end:
                results[reading] = end.value
        if not wanted:
            return [results[reading] for reading in readings]
        found = iter((yield [select for selects in wanted.values() for select in selects]))
        sent = {reading: list(islice(found, len(selects))) for reading, selects in wanted.items()}


def run(reading: Reading[Result]) -> Result:
    """Take a reading: send it the rows of its selects until it ends. Return its result."""
    try:
        selects = next(reading)
        while True:
            selects = reading.send(_rows_of(selects))
    except StopIteration as end:
        result: Result = end.value
        return result


def _rows_of(selects: Sequence[Select]) -> list[Rows]:
    """Return the rows of each select, by one statement.

    The database writes a row as a JSON array, which `json` reads in C. PyMySQL would read each value in Python: that
    was a twelfth of the overview's CPU.
    """
    parts = (
        f"SELECT {number} part, JSON_ARRAY({', '.join(select.columns)}) json_row {select.source}"
        for number, select in enumerate(selects)
    )
    found: list[list[str]] = [[] for _select in selects]
    for part, row in execute(" UNION ALL ".join(parts), [value for select in selects for value in select.parameters]):
        found[part].append(row)
    return [json.loads(f"[{','.join(rows)}]") for rows in found]


def execute(sql: str, parameters: Sequence[Any] = ()) -> Sequence[tuple[Any, ...]]:
    """Return the rows of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters or None)
        rows: Sequence[tuple[Any, ...]] = cursor.fetchall()
    return rows
