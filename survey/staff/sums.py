"""Sums of submissions, read from the smallest tables that have them, exact to the last submission.

A counted day (RollupDay) without late submissions comes from a rollup; any other, normally just today, from the
submissions themselves. Which days those are is read first and used in every statement: a timer that counts a day in the
meantime neither doubles nor drops it.

Written in SQL (survey/staff/statements.py): Django takes the CPU of five such statements to compile the sums of one
table, and a page needs them of several.
"""

# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from survey.jobs.months import rollup_key
from survey.scales import ASPECTS, DETRACTORS, PASSIVES, PROMOTERS, SATISFIED_SCORES
from survey.staff.filters import Filters
from survey.staff.statements import Reading, Select, conditions, is_in, parameters, value_if

DAY = timedelta(1)
SCORES = tuple(f"score_{score}" for score in range(1, 6))  # submissions by satisfaction
NPS_GROUPS = ("promoters", "passives", "detractors")
ASPECT_SUMS = tuple(f"{aspect}_{moment}" for aspect in ASPECTS for moment in ("count", "sum", "squares"))
COUNTS = ("satisfied", "submissions")  # the columns of BRANCH_DAYS

SUBMISSIONS, DAYS, CHAIN_DAYS, BRANCH_DAYS, MONTHS = (
    f"survey_{name}" for name in ("response", "dailyrollup", "chainrollup", "branchrollup", "monthrollup")
)


_WITH_SCORE = {f"score_{score}": f"satisfaction = {score}" for score in range(1, 6)}
_WITH_SCORE["satisfied"] = is_in("satisfaction", SATISFIED_SCORES)
_OF_DAYS = {"submissions": "responses", **{name: value_if(test, "responses") for name, test in _WITH_SCORE.items()}}
# By table, what is summed up for a column that the table has not under its name.
_SUMMED: dict[str, dict[str, str]] = {
    SUBMISSIONS: {
        "submissions": "1",
        **{name: value_if(test) for name, test in _WITH_SCORE.items()},
        "promoters": value_if(is_in("recommend", PROMOTERS)),
        "passives": value_if(is_in("recommend", PASSIVES)),
        "detractors": value_if(is_in("recommend", DETRACTORS)),
        **{f"{aspect}_count": value_if(f"{aspect} IS NOT NULL") for aspect in ASPECTS},
        **{f"{aspect}_sum": f"COALESCE({aspect}, 0)" for aspect in ASPECTS},
        **{f"{aspect}_squares": f"COALESCE({aspect} * {aspect}, 0)" for aspect in ASPECTS},
    },
    DAYS: _OF_DAYS,
    CHAIN_DAYS: _OF_DAYS,
    BRANCH_DAYS: {},
    MONTHS: {"submissions": "responses", "satisfied": " + ".join(f"score_{score}" for score in SATISFIED_SCORES)},
}


class Key(NamedTuple):
    """What rows are grouped by; `{day}` is the column with the date."""

    value: str
    group: str


BY_DAY = Key("SUBSTR({day}, 1, 10)", "{day}")
BY_MONTH = Key("SUBSTR({day}, 1, 7)", "SUBSTR({day}, 1, 7)")
BY_BRANCH = Key("branch_id", "branch_id")


@dataclass(frozen=True)
class Calendar:
    """Which tables have the days of a period."""

    live: frozenset[date]  # neither counted nor free of late submissions: read from the submissions
    months: dict[date, frozenset[date]]  # by `MonthRollup.month`, the days of its sums
    unsummed: frozenset[date]  # counted, but in neither ChainRollup nor BranchRollup: normally days without submissions


def calendar(first: date, last: date) -> Reading[Calendar]:
    """Return the calendar of a period, from one row a month."""
    period = f"local_date BETWEEN '{first}' AND '{last}'"
    is_unsummed = (
        f"is_late = 0 AND NOT EXISTS (SELECT 1 FROM {CHAIN_DAYS} sums"
        " WHERE sums.local_date = days.local_date AND sums.counted_at = days.counted_at)"
    )
    columns = (
        "SUBSTR(MIN(local_date), 1, 10)",
        "SUBSTR(MAX(local_date), 1, 10)",
        "COUNT(*)",
        "SUM(is_late)",
        f"SUM({value_if('summed_at = counted_at')})",
        "SUBSTR(MIN(summed_until), 1, 10)",
        f"SUM({value_if(is_unsummed)})",
    )
    of_months = f"FROM survey_rollupday days WHERE {period} GROUP BY SUBSTR(local_date, 1, 7)"
    [rows] = yield [Select(columns, of_months)]
    counted: set[date] = set()
    months: dict[date, frozenset[date]] = {}
    by_day = []  # sources of single days, where the row of a month does not tell which days are counted
    is_any_unsummed = False
    for low, high, n, late, summed, until, unsummed in rows:
        begin, end = date.fromisoformat(low), date.fromisoformat(high)
        of_month = frozenset(days_between(begin, end))
        if not late and n == len(of_month):
            counted |= of_month
        else:
            by_day.append(f"FROM survey_rollupday WHERE is_late = 0 AND local_date BETWEEN '{begin}' AND '{end}'")
        if not late and n == summed == end.day and until == high:
            months[rollup_key(begin, end)] = of_month
        is_any_unsummed |= unsummed > 0
    if is_any_unsummed:
        by_day.append(f"FROM survey_rollupday days WHERE {period} AND {is_unsummed}")
    found = (yield [Select(["SUBSTR(local_date, 1, 10)"], source) for source in by_day]) if by_day else []
    days = [{date.fromisoformat(day) for (day,) in rows} for rows in found]
    unsummed_days = days.pop() if is_any_unsummed else set()
    counted.update(*days)
    return Calendar(frozenset(days_between(first, last) - counted), months, frozenset(unsummed_days & counted))


def days_between(first: date, last: date) -> set[date]:
    """Return the days from the first to the last; none where the last is before the first."""
    return set(map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1)))


def read(
    filters: Filters,
    tables: Calendar,
    periods: Sequence[Collection[date]],
    columns: Sequence[str],
    key: Key | None = None,
    branches: Collection[int | None] | None = None,
) -> Reading[list[tuple[int, Any, list[int]]]]:
    """Return the number of each of the periods, given by their days, with a key and the sums of the columns.

    The filters' own period does not count; of their branches, only `branches` are read. Summed as doubles, which hold
    integers up to 2**53: MariaDB would sum integers as decimals, which takes it a third longer.
    """
    parts = []
    for number, days in enumerate(periods):
        for table, day, is_of_part, sign in _tables(filters, tables, set(days), columns, key):
            values = [f"{number} period", f"{key.value.format(day=day) if key else 'NULL'} group_key"]
            values += [f"SUM({sign}1e0 * ({_SUMMED[table].get(column, column)})) sum_{column}" for column in columns]
            where = " AND ".join([is_of_part, *conditions(filters, branches)])
            group = f" GROUP BY {_group(table, key).format(day=day)}" if key else ""
            parts.append(f"SELECT {', '.join(values)} FROM {table} WHERE {where}{group}")
    if not parts:
        return []
    # The database adds up a row in less time than it takes here to read it.
    totals = ("period", "group_key", *(f"SUM(sum_{column})" for column in columns))
    source = f"FROM ({' UNION ALL '.join(parts)}) tables GROUP BY period, group_key"
    [rows] = yield [Select(totals, source, parameters(filters, len(parts)))]
    # NULL, without a key: there is no row; 0: all of a month's rows are of days without.
    return [(number, value, [int(total) for total in sums]) for number, value, *sums in rows if any(sums)]


def _group(table: str, key: Key) -> str:
    """Return what to group by: a month by its column, in whose order MariaDB reads the rows."""
    return "{day}" if table == MONTHS and key == BY_MONTH else key.group


def _tables(
    filters: Filters, tables: Calendar, days: set[date], columns: Sequence[str], key: Key | None
) -> Iterator[tuple[str, str, str, str]]:
    """Yield the tables that have these days, with the column and the condition of the day, and the sign of their sums.

    Of a month most of whose days are asked for, the whole month counts, and its other days are subtracted.
    """
    live = days & tables.live
    counted = days - live
    subtracted: set[date] = set()
    of_chain = filters.is_whole_chain and key != BY_BRANCH
    table = CHAIN_DAYS if of_chain else DAYS
    if not (of_chain or filters.scores or filters.language):
        months = []
        for month, of_month in tables.months.items() if key != BY_DAY else ():
            others = of_month - counted
            if 2 * len(others) < len(of_month):
                months.append(month)
                subtracted |= others
                counted -= of_month
        if months:
            yield MONTHS, "month", is_in("month", (f"'{month}'" for month in months)), ""
        if set(columns) <= set(COUNTS):
            table = BRANCH_DAYS
    for part, sign in ((counted, ""), (subtracted, "-")):
        unsummed = part & tables.unsummed if table != DAYS else set()
        for name, of_table in ((table, part - unsummed), (DAYS, unsummed)):
            if of_table:
                yield name, "local_date", within("local_date", of_table), sign
    if live:
        yield SUBMISSIONS, "local_date", within("local_date", live), ""


def within(column: str, days: Iterable[date]) -> str:
    """Return the condition that a column has one of these days, as ranges."""
    ranges: list[list[date]] = []
    for day in sorted(days):
        if ranges and day - ranges[-1][-1] == DAY:
            ranges[-1][1:] = [day]
        else:
            ranges.append([day])
    return "(" + " OR ".join(f"{column} BETWEEN '{days[0]}' AND '{days[-1]}'" for days in ranges) + ")"
