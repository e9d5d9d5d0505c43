"""The overview: how satisfied guests are, where, since when, and with what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from mydjango.http.problems import allow
from survey.guest import erasure
from survey.models import Branch
from survey.scales import ASPECTS, Problem, Satisfaction
from survey.staff import charts, metrics, search, selectors
from survey.staff.access import is_head_office, may_erase, staff_view, submissions_of
from survey.staff.exports import Cursor
from survey.staff.filters import NO_BRANCH, FilterForm, Filters
from survey.staff.selectors import Figures, Tally


@dataclass(frozen=True)
class Row:
    """A line of a table: a name, an estimate with its error bar, and how it changed."""

    name: str
    link: str
    estimate: metrics.Estimate | None
    change: metrics.Change | None
    error_bar: charts.ErrorBar | None
    tally: Tally | None = None


@dataclass(frozen=True)
class Part:
    """A part of those who say how likely they recommend, with its share of them."""

    number: int
    label: str
    count: int
    share: metrics.Estimate | None


@dataclass(frozen=True)
class NamedProblem:
    """What went wrong, in how many low scores, and the link to these."""

    label: str
    count: int
    share: float
    length: float
    link: str


@dataclass(frozen=True)
class Level:
    """One score of the distribution."""

    score: int
    label: str
    count: int
    share: float
    length: float


def page_context(request: HttpRequest, form: FilterForm) -> dict[str, Any]:
    """What every page of the dashboard needs."""
    erases = may_erase(request.user)
    return {
        "form": form,
        "carried": urlencode(form.query),
        "is_head_office": form.is_head_office,
        "open_count": selectors.open_low_scores(submissions_of(request.user)),
        "many": selectors.MANY,
        "may_erase": erases,
        "request_count": erasure.waiting(submissions_of(request.user)).count() if erases else 0,
        "branch_count": len(form.branches),
    }


def form_of(request: HttpRequest, *without: str, any_time: bool = False, low_only: bool = False) -> FilterForm:
    """The filters that the page's query string chooses, but for those the page is `without`."""
    return FilterForm(request.GET, request.user, without=without, any_time=any_time, low_only=low_only)


def cursor_of(request: HttpRequest, name: str) -> Cursor | None:
    """The answer at which a page or a file begins or ends, as its link names it; 404 where that is none."""
    text = request.GET.get(name)
    if not text:
        return None
    try:
        return Cursor.parse(text)
    except ValueError:
        raise Http404 from None


@allow("GET")
@staff_view
def overview(request: HttpRequest) -> HttpResponse:
    """The figures of the chosen answers, beside those of the period before."""
    form = form_of(request, "q", "problem")
    filters = form.filters()
    figures = selectors.figures(filters)
    now, before = figures.now, figures.before
    points = list(selectors.trend(filters, figures.by_day))
    nps, nps_before = now.nps, before.nps
    low_count, problems = selectors.problems(filters)
    context = page_context(request, form) | {
        "filters": filters,
        "now": now,
        "before": before,
        "csat": now.csat,
        "csat_change": metrics.change(now.csat, before.csat),
        "average": now.average,
        "average_change": metrics.change(now.average, before.average),
        "nps": nps,
        "nps_change": metrics.change(nps.score, nps_before.score) if nps and nps_before else None,
        "nps_bars": charts.stack([nps.detractors, nps.passives, nps.promoters]) if nps else [],
        "nps_parts": nps_parts(nps) if nps else [],
        "distribution": distribution(now),
        "trend": charts.trend([(date_label(day), Tally(scores).csat) for day, scores in points]),
        "trend_rows": [(day, sum(scores), Tally(scores).csat) for day, scores in points],
        "branch_rows": branch_rows(form.branches, figures, filters),
        "aspect_rows": aspect_rows(now, before),
        "low_count": low_count,
        "problems": problem_rows(low_count, problems, filters, form.period),
        "newest_low": selectors.NEWEST_LOW,
        "good_words": search.keyword_list(filters, (4, 5)),
        "bad_words": search.keyword_list(filters, (1, 2)),
        "small_sample": metrics.SMALL_SAMPLE,
        "is_head_office": is_head_office(request.user),
    }
    return render(request, "staff/overview.html", context)


def date_label(day: date) -> str:
    """A day as it is written below a chart."""
    return date_format(day, pgettext("the date below a chart, as Django's date filter takes it", "j M"))


def nps_parts(nps: metrics.NetPromoterScore) -> list[Part]:
    """The parts of the NPS from worst to best."""
    counts = (
        (nps.detractors, _("Detractors (0 to 6)")),
        (nps.passives, _("Passives (7 and 8)")),
        (nps.promoters, _("Promoters (9 and 10)")),
    )
    return [
        Part(number, label, count, metrics.share(count, nps.score.n))
        for number, (count, label) in enumerate(counts, start=1)
    ]


def problem_rows(n: int, counts: dict[Problem, int], filters: Filters, days: str) -> list[NamedProblem]:
    """The problems of n low scores, the most frequent first; each leads to its answers of the same period."""
    most = max(counts.values())
    return [
        NamedProblem(
            problem.label,
            count,
            count / n if n else 0.0,
            charts.length(count, most),
            filters.query_string(days=days, status="all", problem=problem.slug),
        )
        for problem, count in counts.items()
    ]


def distribution(tally: Tally) -> list[Level]:
    """The scores from best to worst."""
    most, n = max(tally.scores), tally.n
    return [
        Level(score, str(Satisfaction(score).label), count, count / n if n else 0.0, charts.length(count, most))
        for score, count in reversed(list(enumerate(tally.scores, start=1)))
    ]


def branch_rows(branches: list[Branch], figures: Figures, filters: Filters) -> list[Row]:
    """The branches by the lower end of their interval, so that few answers do not lead; those without any last."""
    named: list[tuple[int | None, str, str]] = [(branch.pk, branch.local_name, branch.code) for branch in branches]
    if None in figures.by_branch:
        named.append((None, _("Without a branch"), NO_BRANCH))
    rows = []
    for key, name, code in named:
        now, before = figures.by_branch.get(key, (Tally(), Tally()))
        if filters.branch_ids is not None and key not in filters.branch_ids:
            continue
        rows.append(
            Row(
                name,
                filters.query_string(branch=code),
                now.csat,
                metrics.change(now.csat, before.csat),
                charts.error_bar(now.csat, 0, 1) if now.csat else None,
                now,
            )
        )
    return sorted(rows, key=lambda row: -row.estimate.low if row.estimate else 1)


def aspect_rows(now: Tally, before: Tally) -> list[Row]:
    """The aspects in the order of the survey's page."""
    rows = []
    for name, label in ASPECTS.items():
        estimate = now.aspect(name)
        error_bar = charts.error_bar(estimate, 1, 5) if estimate else None
        rows.append(Row(str(label), "", estimate, metrics.change(estimate, before.aspect(name)), error_bar))
    return rows
