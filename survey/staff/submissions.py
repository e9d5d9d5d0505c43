"""Lists of submissions: those that match the filters, and the low scores to follow up."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Any, NamedTuple, TypeVar

from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.lookups import GreaterThan
from django.utils import timezone

from survey import chain
from survey.models import FollowUpStatus, QuestionValue, RobotMessage, Submission
from survey.staff import statements
from survey.staff.filters import ANY_STATUS, Filters
from survey.staff.pagination import Cursor, newer_than, older_than
from survey.staff.statements import Reading, Select

Row = TypeVar("Row")
MANY = 1_000  # open low scores counted for the badge, which then reads "1000+"


def matching(filters: Filters) -> QuerySet[Submission]:
    """Return the submissions that match the filters, except for their words, which `search` looks up."""
    submissions = Submission.objects.filter(filters.where(), local_date__range=(filters.start, filters.end))
    return narrowed(submissions, filters)


def narrowed(submissions: QuerySet[Submission], filters: Filters) -> QuerySet[Submission]:
    """Return the submissions that have the filters' problem, table, status and owner; all of them without any."""
    if filters.problem:
        submissions = submissions.filter(GreaterThan(F("problems").bitand(filters.problem), 0))
    if filters.own_problem:
        named = QuestionValue.objects.filter(submission=OuterRef("pk"), question=filters.own_problem)
        submissions = submissions.filter(Exists(named))
    if filters.status == ANY_STATUS:
        submissions = submissions.filter(follow_up_status__in=FollowUpStatus.values)
    elif filters.status:
        submissions = submissions.filter(follow_up_status=filters.status)
    if filters.owner_id is not None:
        submissions = submissions.filter(follow_up_owner=filters.owner_id)
    if filters.table_number:
        submissions = submissions.filter(table_number=filters.table_number)
    return submissions


def with_own_values(submissions: QuerySet[Submission]) -> QuerySet[Submission]:
    """Return the submissions of a list, which reads the values of own questions for all of them, if there are any."""
    return submissions.prefetch_related("question_values") if chain.current().own else submissions


def newest(
    select: Callable[[Filters], QuerySet[Submission, Row]], filters: Filters, size: int, before: Cursor | None = None
) -> list[Row]:
    """Return the first `size` rows, behind `before`, of `select(filters)`, a query whose rows come newest first.

    No index has the order of several branches; many are found soon enough in that of the whole chain. For several, the
    query is run for the last day, the 3 days before it, the 9 before those and so on, without a LIMIT, with which
    MariaDB would read the whole chain. Nor may it join the branches, whose submissions MariaDB would then read from the
    first day on.
    """
    if before:
        filters = replace(filters, end=min(filters.end, before.local_date))
    rows: list[Row] = []
    for part in _parts(filters):
        missing = size - len(rows)
        if filters.has_several_branches:
            rows += islice(older_than(select(part), before).iterator(chunk_size=missing), missing)
        else:
            rows += older_than(select(part), before)[:missing]
        if len(rows) == size:
            break
    return rows


def newest_parts(filters: Filters, columns: str, condition: str, size: int) -> Iterator[tuple[str, list[str]]]:
    """Yield statements, with their parameters, for columns of the newest submissions, in parts as `newest` reads them.

    They have the filters' branches, scores and language; other filters do not count. Stop at `size` rows: a single
    part has no more, the last one of several may have.
    """
    limit = "" if filters.has_several_branches else f" ORDER BY local_date DESC LIMIT {size}"
    for part in _parts(filters):
        period = f"local_date BETWEEN '{part.start}' AND '{part.end}'"
        where = " AND ".join([period, condition, *statements.conditions(part)])
        table = statements.submissions_of(part)
        yield f"SELECT {columns} FROM {table} WHERE {where}{limit}", statements.parameters(part)  # noqa: S608


def newest_rows(filters: Filters, columns: str, condition: str, size: int) -> list[tuple[Any, ...]]:
    """Return the columns of the newest `size` submissions of `newest_parts`; of several branches there may be more."""
    rows: list[tuple[Any, ...]] = []
    for sql, parameters in newest_parts(filters, columns, condition, size):
        rows += statements.execute(sql, parameters)
        if len(rows) >= size:
            break
    return rows


def newest_ids(filters: Filters, condition: str, size: int) -> tuple[str, list[str]]:
    """Return SQL of the ids of `newest_rows`, for IN, with its parameters.

    It is a subquery, or of several branches the numbers.
    """
    if filters.has_several_branches:
        ids = [pk for (pk,) in newest_rows(filters, "id", condition, size)]
        return ", ".join(map(str, ids or [0])), []
    [(sql, parameters)] = newest_parts(filters, "id", condition, size)
    return f"SELECT id FROM ({sql}) newest", parameters  # noqa: S608  (IN itself takes no LIMIT)


def _parts(filters: Filters) -> Iterator[Filters]:
    """Yield filters for the parts of a period in which `newest` looks, the newest first."""
    if not filters.has_several_branches:
        yield filters
        return
    days, start, end = 1, min(filters.end, timezone.localdate()), filters.end
    while end >= filters.start:
        part = replace(filters, start=max(filters.start, start), end=end)
        yield part
        days, end = 3 * days, part.start - timedelta(1)
        start = end - timedelta(days - 1)


def queue(filters: Filters) -> QuerySet[Submission]:
    """Return the open low scores, the longest waiting first."""
    return matching(replace(filters, status=FollowUpStatus.OPEN)).order_by("local_date", "id")


def next_open(filters: Filters, current: Submission) -> Submission | None:
    """Return the open low score behind the current one in the queue, or else the first; None if no other is open."""
    others = queue(filters).exclude(pk=current.pk)
    return newer_than(others, Cursor.of(current)).first() or others.first()


def count_open(submissions: QuerySet[Submission]) -> int:
    """Return the number of open low scores, at most MANY."""
    return submissions.filter(follow_up_status=FollowUpStatus.OPEN).order_by()[:MANY].count()


class Badges(NamedTuple):
    """Counts in the navigation: open low scores, at most MANY, erasures to decide on, robots' messages given up."""

    open: int
    erasures: int
    given_up: int


def count_badges(branches: Collection[int] | None) -> Reading[Badges]:
    """Return the counts for these branches, of all for None.

    In SQL: two statements that Django compiles took a tenth of a page's CPU.
    """
    visible = "" if branches is None else f" AND {statements.is_in('branch_id', branches or [0])}"
    is_open = f"follow_up_status = '{FollowUpStatus.OPEN}'{visible}"
    given_up = f"status = '{RobotMessage.Status.FAILED}' AND kind <> '{RobotMessage.Kind.TEST}'"
    low = f"(SELECT COUNT(*) FROM (SELECT 1 FROM survey_response WHERE {is_open} LIMIT {MANY}) low)"  # noqa: S608
    requests = f"""(
        SELECT COUNT(DISTINCT response_id) FROM survey_erasurerequest request
        JOIN survey_response submission ON submission.id = request.response_id WHERE erased_at IS NULL{visible}
    )"""  # noqa: S608
    messages = f"(SELECT COUNT(*) FROM survey_robotmessage WHERE {given_up})"  # noqa: S608
    [[row]] = yield [Select((low, requests, messages), "")]
    return Badges(*row)
