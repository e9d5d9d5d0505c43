"""Compare branches: with all others, with one other, and by hour and weekday."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dates import WEEKDAYS
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from mydjango.http.problems import allow
from survey.staff import comparison, hours, metrics
from survey.staff.access import BranchName, staff_view
from survey.staff.comparison import Cell, Column
from survey.staff.figures import LISTED, Tally
from survey.staff.filters import NO_BRANCH, FilterForm, Filters
from survey.staff.statements import gather, run
from survey.staff.trend import FEWEST
from survey.staff.views.page import filter_form, page_context

MOST_CHOSEN = 2
STEPS = (-0.1, -0.03, 0.03, 0.1)  # differences of CSAT between the shades of the hours
WITHOUT = ("score", "problem", "language", "table", "q")
# Django's own are as long as the names in Chinese: seven of them do not fit a phone.
SHORT_WEEKDAYS = (
    pgettext_lazy("weekday", "Mon"),
    pgettext_lazy("weekday", "Tue"),
    pgettext_lazy("weekday", "Wed"),
    pgettext_lazy("weekday", "Thu"),
    pgettext_lazy("weekday", "Fri"),
    pgettext_lazy("weekday", "Sat"),
    pgettext_lazy("weekday", "Sun"),
)


@dataclass(frozen=True)
class Heading:
    """The heading of a column: its label, the link that sorts by it, and how the table is sorted by it."""

    label: str
    link: str
    aria_sort: str  # '' if the table is sorted by another column


@dataclass(frozen=True)
class BranchRow:
    """A branch with its figures."""

    branch: BranchName
    n: int
    cells: list[Cell]


@dataclass(frozen=True)
class PairRow:
    """A figure of a branch beside that of another, or of all others."""

    column: Column
    cell: Cell
    other: metrics.Estimate | None


@dataclass(frozen=True)
class Hour:
    """A weekday and hour of a heat map; `shade` is 1 (far below the mean) to 5, 0 for too few submissions."""

    tally: hours.Tally
    shade: int
    is_lower: bool
    is_higher: bool


@allow("GET")
@staff_view
def compare(request: HttpRequest) -> HttpResponse:
    """Show every branch beside the others, or one or two chosen ones, and the hours of the week."""
    form = filter_form(request, *WITHOUT)
    everything = replace(form.filters(), branch_ids=_visible(form), without_branch=False)
    chosen = _chosen(request, form)
    order = {name: request.GET.get(name, "") for name in ("aspects", "problems")}
    weeks = [(branch.local_name, hours.by_weekday(_only(everything, branch))) for branch in chosen]
    if not chosen and not everything.has_many_branches:
        weeks = [("", hours.by_weekday(everything))]
    context = page_context(request, form) | {
        "filters": everything,
        "chosen": chosen,
        "choices": _choices(form, chosen),
        "listed": LISTED,
        "few": FEWEST,
        "small_sample": metrics.SMALL_SAMPLE,
        "weekdays": [(short, WEEKDAYS[number]) for number, short in enumerate(SHORT_WEEKDAYS)],
        "maps": [(name, heat_map(week)) for name, week in weeks],
    }
    if chosen:
        context |= _pair_tables(request, form, everything, chosen, order)
    else:
        context |= _branch_tables(request, form, everything, order)
    return render(request, "staff/compare.html", context)


def _visible(form: FilterForm) -> tuple[int, ...] | None:
    return None if form.is_head_office else tuple(branch.pk for branch in form.branches)


def _only(filters: Filters, branch: BranchName) -> Filters:
    return replace(filters, branch_ids=(branch.pk,))


def _chosen(request: HttpRequest, form: FilterForm) -> list[BranchName]:
    """Return the branches of the query string; the only one of an account that has one. Raises Http404 for others."""
    by_code = {branch.code: branch for branch in form.branches}
    codes = list(dict.fromkeys(code for code in request.GET.getlist("branch") if code and code != NO_BRANCH))
    if len(codes) > MOST_CHOSEN or not by_code.keys() >= set(codes):
        raise Http404
    if not codes and len(by_code) == 1 and not form.is_head_office:
        return form.branches
    return [by_code[code] for code in codes]


def _choices(form: FilterForm, chosen: Sequence[BranchName]) -> list[tuple[str, str, SafeString]]:
    """Return id, label and options of the two lists of branches."""
    # Not in the template, which takes ten times the CPU: a chain may have thousands of branches.
    options = [
        format_html('<option value="{}">{}</option>', branch.code, branch.local_name) for branch in form.branches
    ]
    lists = []
    for number, (label, nothing) in enumerate(
        ((_("Branch"), _("All branches")), (_("Beside"), _("All others together")))
    ):
        own = [format_html('<option value="">{}</option>', nothing), *options]
        if number < len(chosen):
            place = 1 + form.branches.index(chosen[number])
            code, name = chosen[number].code, chosen[number].local_name
            own[place] = format_html('<option value="{}" selected>{}</option>', code, name)
        lists.append((f"id_branch_{number}", label, SafeString("".join(own))))
    return lists


def _branch_tables(request: HttpRequest, form: FilterForm, filters: Filters, order: dict[str, str]) -> dict[str, Any]:
    """Return the tables of all branches."""
    scores = run(comparison.scores(filters, [branch.pk for branch in form.branches]))
    listed = [branch for branch in form.branches if branch.pk in scores.by_branch]
    complaints = run(comparison.complaints(filters, [branch.pk for branch in listed]))
    of_aspects, of_problems = comparison.aspects(), comparison.problems()
    aspect_rows, problem_rows = [], []
    for branch in listed:
        tally = scores.by_branch[branch.pk]
        others = comparison.without(scores.total, tally)
        cells = [
            Cell.compare(column, comparison.figure(tally, column), comparison.figure(others, column))
            for column in of_aspects
        ]
        aspect_rows.append(BranchRow(branch, tally.n, cells))
        counts = complaints.by_branch.get(branch.pk)
        if counts:
            rest = complaints.total.without(counts)
            shares = [Cell.compare(column, counts.share(column), rest.share(column)) for column in of_problems]
            problem_rows.append(BranchRow(branch, counts.submissions, shares))
    return {
        "unlisted": scores.unlisted,
        "since": complaints.since,
        "tables": [
            _table(request, "aspects", _("Branches by aspect"), of_aspects, aspect_rows, order),
            _table(request, "problems", _("Branches by problem"), of_problems, problem_rows, order),
        ],
    }


def _table(
    request: HttpRequest,
    name: str,
    title: str,
    columns: Sequence[Column],
    rows: Sequence[BranchRow],
    order: dict[str, str],
) -> dict[str, Any]:
    keys: dict[str, comparison.Key] = {
        comparison.NAME: lambda row: row.branch.local_name,
        comparison.COUNT: lambda row: row.n,
        **{column.key: _value_of(number) for number, column in enumerate(columns)},
    }
    first = columns[0]
    default = f"-{first.key}" if first.is_bad else first.key  # the worst first
    ordered, used = comparison.sort_rows(rows, order[name], keys, default)
    labels = {comparison.NAME: _("Branch"), comparison.COUNT: _("Answers")}
    labels |= {column.key: column.label for column in columns}
    worst_first = {column.key: f"-{column.key}" if column.is_bad else column.key for column in columns}
    headings = [_heading(request, name, key, label, used, worst_first.get(key, key)) for key, label in labels.items()]
    return {"name": name, "title": title, "headings": headings, "rows": ordered, "is_problems": name == "problems"}


def _value_of(number: int) -> comparison.Key:
    return lambda row: row.cells[number].estimate.value if row.cells[number].estimate else None


def _heading(request: HttpRequest, name: str, key: str, label: str, used: str, first: str) -> Heading:
    """Return a heading whose link sorts by the column, the other way round if the table is sorted by it."""
    is_used = used.lstrip("-") == key
    order = first if not is_used else (key if used.startswith("-") else f"-{key}")
    query = request.GET.copy()
    query[name] = order
    sorting = "" if not is_used else ("descending" if used.startswith("-") else "ascending")
    return Heading(label, f"?{query.urlencode()}#{name}", sorting)


def _pair_tables(
    request: HttpRequest, form: FilterForm, filters: Filters, chosen: Sequence[BranchName], order: dict[str, str]
) -> dict[str, Any]:
    """Return the tables of one branch beside all others, or beside another one."""
    is_alone = len(form.branches) == 1 and not form.is_head_office
    one = chosen[0]
    other = chosen[1] if len(chosen) == MOST_CHOSEN else None
    pks = [branch.pk for branch in chosen]
    if other:
        of_others = comparison.complaints(_only(filters, other), pks[1:])
    else:
        of_others = comparison.complaints(filters.before if is_alone else filters, pks)
    # Each branch has an index of its own, and so the newest low scores of its own.
    scores, own, others = run(
        gather(
            comparison.scores(filters, [branch.pk for branch in form.branches], pks),
            comparison.complaints(_only(filters, one), pks[:1]),
            of_others,
        )
    )
    rest = others.total
    tally = scores.by_branch.get(one.pk) or Tally()
    beside = comparison.without(scores.total, tally)
    if other:
        beside = scores.by_branch.get(other.pk) or Tally()
    elif is_alone:
        beside = run(comparison.scores(filters.before, pks, pks)).total
    elif of_one := others.by_branch.get(one.pk):
        rest = rest.without(of_one)
    of_aspects = [
        _pair_row(column, comparison.figure(tally, column), comparison.figure(beside, column))
        for column in comparison.aspects()
    ]
    of_problems = [_pair_row(column, own.total.share(column), rest.share(column)) for column in comparison.problems()]
    keys: dict[str, comparison.Key] = {
        comparison.NAME: lambda row: row.column.label,
        "one": lambda row: row.cell.estimate.value if row.cell.estimate else None,
        "other": lambda row: row.other.value if row.other else None,
        "difference": lambda row: row.cell.difference.value if row.cell.difference else None,
    }
    other_name = _("The period before") if is_alone else _("All others")
    if other:
        other_name = other.local_name
    labels = {comparison.NAME: "", "one": one.local_name, "other": other_name, "difference": _("Difference")}
    tables = []
    for name, title, rows, default in (
        ("aspects", _("Aspects"), of_aspects, "difference"),
        ("problems", _("What went wrong"), of_problems, "-difference"),
    ):
        first, others_ = ([], rows) if name == "problems" else (rows[:1], rows[1:])  # CSAT has a scale of its own
        ordered, used = comparison.sort_rows(others_, order[name], keys, default)
        labels[comparison.NAME] = _("Aspect") if name == "aspects" else _("Problem")
        headings = [
            _heading(request, name, key, label, used, default if key == "difference" else key)
            for key, label in labels.items()
        ]
        tables.append(
            {
                "name": name,
                "title": title,
                "headings": headings,
                "rows": [*first, *ordered],
                "is_problems": name == "problems",
            }
        )
    return {"pair": tables, "n_one": tally.n, "n_other": beside.n, "since": own.since}


def _pair_row(column: Column, one: metrics.Estimate | None, other: metrics.Estimate | None) -> PairRow:
    return PairRow(column, Cell.compare(column, one, other), other)


def heat_map(found: dict[tuple[int, int], hours.Tally]) -> list[tuple[int, list[Hour]]]:
    """Return the hours that have submissions, from the first to the last of a day, each with its seven weekdays."""
    if not found:
        return []
    overall = hours.total(found.values()).csat
    used = [hour for _weekday, hour in found]
    return [
        (hour, [_hour(found.get((weekday, hour), hours.Tally()), overall) for weekday in range(7)])
        for hour in range(min(used), max(used) + 1)
    ]


def _hour(tally: hours.Tally, overall: metrics.Estimate | None) -> Hour:
    csat = tally.csat
    if csat is None or overall is None or csat.n < FEWEST:
        return Hour(tally, 0, is_lower=False, is_higher=False)
    difference = csat.value - overall.value
    shade = 1 + sum(difference >= step for step in STEPS)
    is_enough = not csat.is_small
    return Hour(tally, shade, is_enough and csat.high < overall.value, is_enough and csat.low > overall.value)
