"""The overview: how satisfied guests are, where, since when, and with what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from survey import charts, metrics, selectors, terms
from survey.access import is_head_office, responses_of, staff_view
from survey.filters import FilterForm, Filters
from survey.models import ASPECTS, Branch, Satisfaction
from survey.selectors import Figures, Tally


@dataclass(frozen=True)
class Row:
    """A line of a table: a name, an estimate with its whisker, and how it changed."""

    name: str
    link: str
    estimate: metrics.Estimate | None
    change: metrics.Change | None
    whisker: charts.Whisker | None
    tally: Tally | None = None


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
    return {
        "form": form,
        "carried": urlencode(form.query),
        "is_head_office": form.is_head_office,
        "open_count": selectors.open_low_scores(responses_of(request.user)),
        "many": selectors.MANY,
        "branch_count": len(form.branches),
    }


def form_of(request: HttpRequest, *without: str, any_time: bool = False) -> FilterForm:
    """The filters that the page's query string chooses, but for those the page is `without`."""
    return FilterForm(request.GET, request.user, without=without, any_time=any_time)


@staff_view
def overview(request: HttpRequest) -> HttpResponse:
    """The figures of the chosen answers, beside those of the period before."""
    form = form_of(request, "q", "problem")
    filters = form.filters()
    figures = selectors.figures(filters)
    now, before = figures.now, figures.before
    points = list(selectors.trend(filters, figures.by_day))
    nps, nps_before = now.nps, before.nps
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
        "distribution": distribution(now),
        "trend": charts.trend([(_label(day), metrics.csat(scores)) for day, scores in points]),
        "trend_rows": [(day, sum(scores), metrics.csat(scores)) for day, scores in points],
        "branch_rows": branch_rows(form.branches, figures, filters),
        "aspect_rows": aspect_rows(now, before),
        "good_words": terms.keyword_list(filters, (4, 5)),
        "bad_words": terms.keyword_list(filters, (1, 2)),
        "small_sample": metrics.SMALL_SAMPLE,
        "is_head_office": is_head_office(request.user),
    }
    return render(request, "survey/dashboard/overview.html", context)


def _label(day: date) -> str:
    return date_format(day, "n-j")


def distribution(tally: Tally) -> list[Level]:
    """The scores from best to worst."""
    most, n = max(tally.scores), tally.n
    return [
        Level(score, str(Satisfaction(score).label), count, count / n if n else 0.0, charts.length(count, most))
        for score, count in reversed(list(enumerate(tally.scores, start=1)))
    ]


def branch_rows(branches: list[Branch], figures: Figures, filters: Filters) -> list[Row]:
    """The branches, the best first; those without answers last."""
    named: list[tuple[int | None, str, str]] = [(branch.pk, branch.local_name, branch.code) for branch in branches]
    if None in figures.by_branch:
        named.append((None, _("Without a branch"), "-"))
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
                charts.whisker(now.csat, 0, 1) if now.csat else None,
                now,
            )
        )
    return sorted(rows, key=lambda row: -row.estimate.value if row.estimate else 1)


def aspect_rows(now: Tally, before: Tally) -> list[Row]:
    """The aspects in the order of the survey's page."""
    rows = []
    for name, label in ASPECTS.items():
        estimate = now.aspect(name)
        whisker = charts.whisker(estimate, 1, 5) if estimate else None
        rows.append(Row(str(label), "", estimate, metrics.change(estimate, before.aspect(name)), whisker))
    return rows
