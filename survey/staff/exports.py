"""Submissions as CSV, line by line, in the same memory for ten submissions and for a million.

A gateway carries no response over 6 MB, so there an export comes in parts of whole days, planned by the number of
submissions of each day. A part that turns out too large is not cut off: TooLarge says where to divide it.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Count, F, Func, IntegerField, QuerySet, Sum, Value
from django.db.models.functions import Replace
from django.utils import timezone, translation
from django.utils.text import get_valid_filename
from django.utils.translation import gettext as _

from survey.chain import ASPECT, PROBLEM, KeptQuestion, current
from survey.models import Branch, ExportLog, FollowUpStatus, Submission
from survey.models.question import own_values
from survey.models.submission import is_ticked
from survey.scales import ASPECTS, Satisfaction
from survey.staff import search, spreadsheet
from survey.staff.filters import NO_BRANCH, FilterForm, Filters
from survey.staff.pagination import Cursor
from survey.staff.submissions import narrowed

CHUNK = 1_000  # submissions read at once
# Bytes of a submission as JSON, without and with personal data. Those of `seed_demo` take 118 and 204, so planned parts
# are about half full, and comments may be twice as long before a part has to be divided.
BYTES_PER_ROW = {False: 200, True: 400}
# The same of a file that is sent while it is read, whose size nobody can know before: most_bytes() assumes as much of
# the columns that it does not measure.
STREAMED_BYTES_PER_ROW = {False: 400, True: 800}
PERSONAL_DATA = ("comment", "name", "phone", "email")
CODES_LENGTH = 160  # characters of a log entry's 500; the other filters take fewer than 340


@dataclass(frozen=True)
class Export:
    """The content of one file; `after` and `until` divide a part that is too large."""

    filters: Filters
    with_personal_data: bool
    after: Cursor | None = None
    until: Cursor | None = None


@dataclass(frozen=True)
class Part:
    """The whole days of one file."""

    start: date
    end: date
    submissions: int


class Octets(Func):
    """The bytes of a text in UTF-8."""

    function = "OCTET_LENGTH"
    output_field = IntegerField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:  # noqa: ANN401  (Django's signature)
        return self.as_sql(compiler, connection, template="LENGTH(CAST(%(expressions)s AS BLOB))", **extra)


class TooLarge(Exception):
    """Raised for a part that the gateway does not carry; `cursor` is the last submission that fits."""

    def __init__(self, cursor: Cursor) -> None:
        super().__init__(str(cursor))
        self.cursor = cursor


def plan(
    by_day: dict[date, int], filters: Filters, max_bytes: int, *, with_personal_data: bool, streams: bool = False
) -> list[Part]:
    """Pack the period into parts, oldest first; without a limit (`max_bytes` is 0) into one.

    `by_day` has the number of submissions of each day that has any, oldest first.
    """
    per_row = (STREAMED_BYTES_PER_ROW if streams else BYTES_PER_ROW)[with_personal_data]
    most = max_bytes // per_row if max_bytes else sum(by_day.values())
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


def header(with_personal_data: bool, own_aspects: Sequence[KeptQuestion] = ()) -> list[str]:
    """Return the names of the columns in the active language. Those of head office's own aspects come last."""
    labels = {question.key: question.local_label for question in current().all(ASPECT)}
    columns = [_("reference"), _("received"), _("branch code"), _("branch"), _("satisfaction"), _("answer in words")]
    columns += [
        _("likelihood to recommend"),
        *(labels.get(name, str(label)) for name, label in ASPECTS.items()),
        _("what went wrong"),
    ]
    columns += [_("table or receipt"), _("language"), _("follow-up"), _("owner"), _("due"), _("solved at")]
    columns += [_("comment"), _("name"), _("phone"), _("e-mail")] if with_personal_data else []
    return columns + [question.local_label for question in own_aspects]


def lines(submissions: QuerySet[Submission], export: Export) -> Iterator[tuple[str, Cursor | None]]:
    """Yield the lines of the CSV, oldest first, each with the cursor of its submission (None: the header)."""
    start = spreadsheet.BYTE_ORDER_MARK
    for values, cursor in table(submissions, export):
        yield start + spreadsheet.line(values), cursor
        start = ""


def table(submissions: QuerySet[Submission], export: Export) -> Iterator[tuple[list[Any], Cursor | None]]:
    """Yield the rows, oldest first, each with the cursor of its submission (None: the header).

    The words are Chinese whatever the reader's language, so that files of two colleagues fit together.
    """
    with translation.override("zh-hans"):  # not around a yield: the language belongs to the whole thread
        own_aspects = [question for question in current().own if question.kind == ASPECT]
        columns = header(export.with_personal_data, own_aspects)
        scores = {choice.value: str(choice.label) for choice in Satisfaction}
        statuses = {choice.value: str(choice.label) for choice in FollowUpStatus}
        problems = [(question, question.local_label) for question in current().all(PROBLEM)]
    yield columns, None
    for row in _rows(submissions, export):
        values = [row["reference"], _local_time(row["created_at"])]
        values += [row["branch_code"], row["branch_name"], row["satisfaction"], scores[row["satisfaction"]]]
        values += [row["recommend"], *(row[aspect] for aspect in ASPECTS)]
        values += [
            "；".join(label for problem, label in problems if is_ticked(problem, row["problems"], row["own"])),
            row["table_number"],
            row["language"],
        ]
        values += [statuses.get(row["follow_up_status"], ""), row["owner_name"] or row["owner_username"]]
        values += [_local_time(row["follow_up_due_at"]), _local_time(row["follow_up_closed_at"])]
        values += [row[name] for name in PERSONAL_DATA if export.with_personal_data]
        values += [row["own"].get(question.id) for question in own_aspects]
        yield values, Cursor(row["local_date"], row["id"])


def _local_time(instant: datetime | None) -> str:
    return timezone.localtime(instant).strftime("%Y-%m-%d %H:%M:%S") if instant else ""


def _rows(submissions: QuerySet[Submission], export: Export) -> Iterator[dict[str, Any]]:
    """Read submissions in chunks, day by day: each chunk is a short walk along an index, wherever it starts."""
    columns = ["id", "reference", "created_at", "local_date", "satisfaction", "recommend", *ASPECTS, "problems"]
    columns += ["language", "follow_up_status", "follow_up_due_at", "follow_up_closed_at", "table_number"]
    columns += PERSONAL_DATA if export.with_personal_data else ()
    filters, after, until = export.filters, export.after, export.until
    day = max(filters.start, after.local_date) if after else filters.start
    last = min(filters.end, until.local_date) if until else filters.end
    terms = search.rarest_first(filters) if filters.words else []
    while day <= last:
        pk = after.pk if after and after.local_date == day else 0
        of_day = narrowed(submissions.filter(filters.where(), local_date=day), filters)
        if filters.words:
            of_day = search.find(of_day, replace(filters, start=day, end=day), terms)
        of_day = of_day.order_by("id")
        if until and until.local_date == day:
            of_day = of_day.filter(pk__lte=until.pk)
        rows = of_day.values(
            *columns,
            branch_code=F("branch__code"),
            branch_name=F("branch__name"),
            owner_name=F("follow_up_owner__first_name"),
            owner_username=F("follow_up_owner__username"),
        )
        while chunk := list(rows.filter(pk__gt=pk)[:CHUNK]):
            own = own_values([row["id"] for row in chunk])
            yield from ({**row, "own": own.get(row["id"], {})} for row in chunk)
            pk = chunk[-1]["id"]
            if len(chunk) < CHUNK:
                break
        day += timedelta(1)


def within(rows: Iterator[tuple[str, Cursor | None]], max_bytes: int) -> tuple[str, int]:
    """Return the whole part as text, and its number of submissions. Raises TooLarge.

    Counts the bytes of the JSON that the handler returns, where a Chinese character takes six.
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


def most_bytes(submissions: QuerySet[Submission], export: Export) -> int:
    """Return a size that the CSV stays below, by one statement: of all submissions of the days, whatever else narrows.

    Measures what guests wrote, where a quotation mark takes two bytes.
    """
    filters, after, until = export.filters, export.after, export.until
    start, end = after.local_date if after else filters.start, until.local_date if until else filters.end
    days = submissions.filter(filters.where(), local_date__range=(start, end))
    names = PERSONAL_DATA if export.with_personal_data else ()
    sums = {f"text_of_{name}": Sum(Octets(Replace(name, Value('"'), Value('""')))) for name in names}
    totals = days.aggregate(rows=Count("pk"), **sums)
    rows = int(totals.pop("rows")) + 1  # the header
    return rows * STREAMED_BYTES_PER_ROW[False] + sum(int(octets or 0) for octets in totals.values())


def below(rows: Iterator[tuple[str, Cursor | None]], max_bytes: int) -> Iterator[tuple[str, Cursor | None]]:
    """Pass the lines on. Raises TooLarge where they pass the limit after all, which breaks the download off.

    A browser reports that, where the platform might end the file without a word.
    """
    size = 0
    for line, cursor in rows:
        size += len(line.encode())
        if max_bytes and cursor and size > max_bytes:
            raise TooLarge(cursor)
        yield line, cursor


def describe(export: Export) -> str:
    """Return the filters for the log: those that took effect, so that no parameter of a link can hide them.

    A branch manager's branches are named without being chosen. Free text comes last, so that it can be erased.
    """
    filters, query = export.filters, dict(export.filters.query)
    names: dict[str, object] = {"start": filters.start, "end": filters.end}
    names |= {"branch": _branch_codes(filters)}
    names |= {name: query.get(name) for name in ("score", "problem", "status", "language")}
    names |= {"table": filters.table_number}
    names |= {"after": export.after, "until": export.until}
    described = " ".join(f"{name}={value}" for name, value in names.items() if value)
    return described + (ExportLog.BEFORE_WORDS + filters.words if filters.words else "")


def readable(description: str, form: FilterForm) -> str:
    """Return a description of the log in the words of the form, in the active language."""
    names, _separator, words = description.partition(ExportLog.BEFORE_WORDS)
    values = dict(name.split("=", 1) for name in names.split())
    texts = [f"{values.pop('start')} – {values.pop('end')}"] if "start" in values else []
    for name, value in values.items():
        labels = dict(getattr(form.fields.get(name), "choices", ()))
        texts += [str(labels.get(part, part)) for part in value.split(",")]
    return " · ".join([*texts, *([f"“{words}”"] if words else [])])


def file_name(export: Export, suffix: str = ".csv") -> str:
    """Return the name of a file, which says what it has: "survey-20260101-20260131-north-low-cold.csv"."""
    filters, query = export.filters, dict(export.filters.query)
    parts = ["survey", f"{filters.start:%Y%m%d}", f"{filters.end:%Y%m%d}"]
    parts += ["without-branch"] if filters.without_branch else [query.get("branch", "")]
    parts += [query.get(name, "") for name in ("score", "problem", "status", "language")]
    parts += [filters.table_number, filters.words]
    parts += ["personal" if export.with_personal_data else "", f"after-{export.after.pk}" if export.after else ""]
    return get_valid_filename("-".join(filter(None, parts))) + suffix


def _branch_codes(filters: Filters) -> str:
    """Return the codes of the branches, as many as the log has room for; '' for the whole chain."""
    if filters.without_branch:
        return NO_BRANCH
    if filters.branch_ids is None:
        return ""
    codes = Branch.objects.filter(pk__in=filters.branch_ids).values_list("code", flat=True)
    shown = textwrap.shorten(" ".join(codes), CODES_LENGTH, placeholder=" …", break_on_hyphens=False)
    return shown.replace(" ", ",")


def log(user: User, export: Export) -> ExportLog:
    """Log who exports what, before the first line is sent."""
    personal = export.with_personal_data
    return ExportLog.objects.create(user=user, filters=describe(export), with_personal_data=personal)


def counted(entry: ExportLog, rows: Iterator[tuple[str, Cursor | None]]) -> Iterator[str]:
    """Yield the lines, and log at the end, also of an aborted download, how many submissions were sent."""
    count = 0
    try:
        for line, cursor in rows:
            yield line
            count += cursor is not None
    finally:
        ExportLog.objects.filter(pk=entry.pk).update(row_count=count)
