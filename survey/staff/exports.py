"""Answers as CSV: a line at a time, the same memory for ten answers and for a million.

A gateway takes no answer over 6 MB, so there an export comes in parts. Parts are made of whole days, by how many
answers each has; a part that turns out too large is not cut off but divided: it says where it can go on.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from survey.models import Branch, ExportLog, FollowUpStatus, Submission
from survey.scales import ASPECTS, Problem, Satisfaction
from survey.staff import search, spreadsheet
from survey.staff.filters import NO_BRANCH, Filters

CHUNK = 1_000  # answers read at once
# Of an answer, as JSON, without and with personal data. The answers of `seed_demo` have 118 and 204: parts planned by
# these are about half full, and comments may be twice as long before a part has to be divided.
BYTES_PER_ROW = {False: 200, True: 400}
CODES_LENGTH = 200  # of a log entry's 500 characters; whatever else is chosen takes fewer than 300
LARGEST_KEY = 2**63 - 1


@dataclass(frozen=True)
class Part:
    """Whole days that go into one file."""

    start: date
    end: date
    submissions: int


@dataclass(frozen=True)
class Cursor:
    """A place in an export: after this answer."""

    local_date: date
    pk: int

    def __str__(self) -> str:
        return f"{self.local_date:%Y-%m-%d}.{self.pk}"

    @classmethod
    def parse(cls, text: str) -> Cursor:
        """The cursor that a link carries; raises ValueError."""
        day, _dot, key = text.partition(".")
        return cls(date.fromisoformat(day), key_of(key))


def key_of(text: str) -> int:
    """The key of a row that a link carries; raises ValueError, also for one that no database can hold."""
    key = int(text)
    if not 0 <= key <= LARGEST_KEY:
        raise ValueError(f"{key} is no key.")
    return key


class TooLarge(Exception):
    """The part is larger than the gateway takes; `cursor` is the last answer that fits."""

    def __init__(self, cursor: Cursor) -> None:
        super().__init__(str(cursor))
        self.cursor = cursor


def plan(by_day: dict[date, int], filters: Filters, max_bytes: int, *, with_personal_data: bool) -> list[Part]:
    """The period packed into parts, oldest first, by its days that have answers; one part where there is no limit."""
    most = max_bytes // BYTES_PER_ROW[with_personal_data] if max_bytes else sum(by_day.values())
    parts: list[Part] = []
    for day, count in by_day.items():
        if parts and parts[-1].submissions + count <= most:
            parts[-1] = Part(parts[-1].start, day, parts[-1].submissions + count)
        else:
            parts.append(Part(day, day, count))
    if parts:
        parts[0] = replace(parts[0], start=filters.start)
        parts[-1] = replace(parts[-1], end=filters.end)
    return parts


def header(with_personal_data: bool) -> list[str]:
    """The names of the columns."""
    columns = [_("reference"), _("received"), _("branch code"), _("branch"), _("satisfaction"), _("answer in words")]
    columns += [_("likelihood to recommend"), *(str(label) for label in ASPECTS.values()), _("what went wrong")]
    columns += [_("language"), _("follow-up")]
    return columns + ([_("comment"), _("name"), _("phone"), _("e-mail")] if with_personal_data else [])


def lines(
    submissions: QuerySet[Submission],
    filters: Filters,
    *,
    with_personal_data: bool,
    after: Cursor | None = None,
    until: Cursor | None = None,
) -> Iterator[tuple[str, Cursor | None]]:
    """The lines of the CSV, oldest first, each with its answer's place (None: the header)."""
    yield spreadsheet.BYTE_ORDER_MARK + spreadsheet.line(header(with_personal_data)), None
    scores = {choice.value: str(choice.label) for choice in Satisfaction}
    statuses = {choice.value: str(choice.label) for choice in FollowUpStatus}
    for row in _rows(submissions, filters, with_personal_data, after, until):
        values = [row["reference"], timezone.localtime(row["created_at"]).strftime("%Y-%m-%d %H:%M:%S")]
        values += [row["branch_code"], row["branch_name"], row["satisfaction"], scores[row["satisfaction"]]]
        values += [row["recommend"], *(row[aspect] for aspect in ASPECTS)]
        values += ["; ".join(problem.label for problem in Problem if row["problems"] & problem), row["language"]]
        values += [statuses.get(row["follow_up_status"], "")]
        if with_personal_data:
            values += [row["comment"], row["name"], row["phone"], row["email"]]
        yield spreadsheet.line(values), Cursor(row["local_date"], row["id"])


def _rows(
    submissions: QuerySet[Submission], filters: Filters, personal: bool, after: Cursor | None, until: Cursor | None
) -> Iterator[dict[str, Any]]:
    """Answers in chunks, day by day: each chunk is a short walk along an index, wherever it starts."""
    columns = ["id", "reference", "created_at", "local_date", "satisfaction", "recommend", *ASPECTS, "problems"]
    columns += ["language", "follow_up_status", *(["comment", "name", "phone", "email"] if personal else [])]
    day = max(filters.start, after.local_date) if after else filters.start
    last = min(filters.end, until.local_date) if until else filters.end
    wanted = search.rarest_first(filters) if filters.words else []
    while day <= last:
        pk = after.pk if after and after.local_date == day else 0
        of_day = submissions.filter(filters.where(), local_date=day)
        if filters.words:
            of_day = search.search(of_day, replace(filters, start=day, end=day), wanted)
        of_day = of_day.order_by("id")
        if until and until.local_date == day:
            of_day = of_day.filter(pk__lte=until.pk)
        while chunk := list(
            of_day.filter(pk__gt=pk).values(*columns, branch_code=F("branch__code"), branch_name=F("branch__name"))[
                :CHUNK
            ]
        ):
            yield from chunk
            pk = chunk[-1]["id"]
            if len(chunk) < CHUNK:
                break
        day += timedelta(1)


def within(rows: Iterator[tuple[str, Cursor | None]], max_bytes: int) -> tuple[str, int]:
    """The whole part as text and its number of answers; raises TooLarge where it would not pass the gateway.

    Counted as the JSON that is returned, where a Chinese character takes six bytes.
    """
    text: list[str] = []
    size = 0
    last: Cursor | None = None
    for line, cursor in rows:
        size += len(json.dumps(line)) - 2
        if size > max_bytes and last is not None:
            raise TooLarge(last)
        text.append(line)
        last = cursor
    return "".join(text), len(text) - 1


def chosen(filters: Filters, *, after: Cursor | None = None, until: Cursor | None = None) -> str:
    """What is exported, as the log has it: as chosen, not as asked for, so that nothing in a link can hide it.

    A branch manager's branches are named without being chosen. Free text comes last.
    """
    query = dict(filters.query)
    names: dict[str, object] = {"start": filters.start, "end": filters.end}
    names |= {"branch": _branch_codes(filters), "score": query.get("score"), "language": query.get("language")}
    names |= {"after": after, "until": until, "q": filters.words}
    return " ".join(f"{name}={value}" for name, value in names.items() if value)


def _branch_codes(filters: Filters) -> str:
    """The codes of the branches, with commas and no more than the log has room for; '' for the whole chain."""
    if filters.without_branch:
        return NO_BRANCH
    if filters.branch_ids is None:
        return ""
    codes = Branch.objects.filter(pk__in=filters.branch_ids).values_list("code", flat=True)
    shown = textwrap.shorten(" ".join(codes), CODES_LENGTH, placeholder=" …", break_on_hyphens=False)
    return shown.replace(" ", ",")


def log(
    user: User, filters: Filters, *, with_personal_data: bool, after: Cursor | None = None, until: Cursor | None = None
) -> ExportLog:
    """Write down, before the first line leaves, who exports what."""
    text = chosen(filters, after=after, until=until)
    return ExportLog.objects.create(user=user, filters=text, with_personal_data=with_personal_data)


def counted(entry: ExportLog, rows: Iterator[tuple[str, Cursor | None]]) -> Iterator[str]:
    """The lines; at the end, also of a download that was broken off, how many answers went out is written down."""
    count = 0
    try:
        for line, cursor in rows:
            yield line
            count += cursor is not None
    finally:
        ExportLog.objects.filter(pk=entry.pk).update(row_count=count)
