"""The overview: figures, trend, branches, aspects, problems and keywords."""

from __future__ import annotations

from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import dateformat, timezone
from django.utils.safestring import SafeString
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from mydjango.http.problems import allow
from survey.chain import ASPECT, PROBLEM, current
from survey.scales import LOW_SCORES, Problem, Satisfaction
from survey.staff import charts, figures, markup, metrics, pagination, search, sums
from survey.staff import trend as trends
from survey.staff.access import BranchName, staff_view, submissions_of
from survey.staff.figures import Figures, Tally
from survey.staff.filters import NO_BRANCH, SCORES, Filters
from survey.staff.markup import Count, Part, Row
from survey.staff.paths import path
from survey.staff.question_figures import OwnTally, own_figures
from survey.staff.statements import gather, run
from survey.staff.views.page import filter_form, read_page_context


@allow("GET")
@staff_view
def overview(request: HttpRequest) -> HttpResponse:
    """Show the figures of the filters' period beside those of the period before."""
    form = filter_form(request, "q", "problem", "table")
    filters = form.filters()
    first_day = min(filters.before.start, trends.first_day(filters))
    tables, page, (low_count, problems), keywords = run(
        gather(
            sums.calendar(first_day, filters.end),
            read_page_context(request, form),
            figures.problems(filters),
            search.keyword_lists(filters, SCORES["high"], SCORES["low"]),
        )
    )
    result, trend, own = run(
        gather(
            figures.figures(filters, len(form.branches), tables),
            trends.trend(filters, tables),
            own_figures(filters, tables),
        )
    )
    now, before = result.now, result.before
    csat, csat_before = now.csat, before.csat
    average, average_before = now.average, before.average
    nps, nps_before = now.nps, before.nps
    context = page | {
        "filters": filters,
        "now": now,
        "before": before,
        "csat": csat,
        "csat_change": metrics.change(csat, csat_before),
        "average": average,
        "average_change": metrics.change(average, average_before),
        "nps": nps,
        "nps_change": metrics.change(nps.score, nps_before.score) if nps and nps_before else None,
        "nps_bars": charts.stack([nps.detractors, nps.passives, nps.promoters]) if nps else [],
        "nps_parts": nps_parts(nps) if nps else [],
        "trend": trend,
        "trend_chart": charts.trend(trend_points(trend)),
        "branch_rows": branch_rows(form.branches, result, filters),
        "unlisted": result.unlisted,
        "listed": figures.LISTED,
        "low_count": low_count,
        "newest_low": figures.NEWEST_LOW,
        "small_sample": metrics.SMALL_SAMPLE,
    }
    if now.n:
        context["aspect_rows"] = aspect_rows(now, before, own)
        context["problems"] = problem_rows(low_count, problems, now, own[0], filters, form.period)
        context["good_keywords"], context["bad_keywords"] = keywords
        context |= tables_and_charts(context, filters)
    return render(request, "staff/overview.html", context)


def tables_and_charts(context: dict[str, Any], filters: Filters) -> dict[str, SafeString]:
    """Return the HTML of what repeats on the page, from the context of the rest."""
    chart, comments = context["trend_chart"], path("dashboard:comments")
    good, bad = (
        filters.query_string(**({} if filters.scores else {"score": score}), q="") for score in ("high", "low")
    )
    return {
        "trend_plot": markup.plot(chart),
        "trend_rows": markup.trend_rows(context["trend"], with_year_before=bool(chart.lines_before)),
        "level_rows": markup.level_rows(distribution(context["now"], filters), comments),
        "part_rows": markup.part_rows(context["nps_parts"]),
        "problem_rows": markup.problem_rows(context["problems"], path("dashboard:follow_up")),
        "branch_table": markup.branch_rows(context["branch_rows"], context["unlisted"], figures.LISTED),
        "aspect_table": markup.aspect_rows(context["aspect_rows"]),
        "good_items": markup.keyword_items(context["good_keywords"], comments, good),
        "bad_items": markup.keyword_items(context["bad_keywords"], comments, bad),
    }


@allow("GET")
@staff_view
def news(request: HttpRequest) -> HttpResponse:
    """Tell whether a submission that the user sees arrived after `since`, in seconds of Unix time: one statement."""
    since = pagination.from_query(request, "since", instant_after) or instant_after("0")
    # By date first, which is indexed: created_at alone would read every submission there is.
    newer = submissions_of(request.user).filter(local_date__gte=timezone.localdate(since), created_at__gte=since)
    return JsonResponse({"is_new": newer.exists()})


def instant_after(seconds: str) -> datetime:
    """Return the end of that second of Unix time, within which the page was made. Raises ValueError."""
    try:
        return datetime.fromtimestamp(int(seconds) + 1, timezone.get_current_timezone())
    except (OverflowError, OSError) as error:
        raise ValueError(seconds) from error


def label_format(is_monthly: bool) -> str:
    """Return the format of the dates below a chart."""
    if is_monthly:
        return pgettext("the month below a chart, as Django's date filter takes it", "M Y")
    return pgettext("the date below a chart, as Django's date filter takes it", "j M")


@lru_cache(maxsize=1_024)
def _label(day: date, is_monthly: bool, language: str) -> str:
    """Return the date below a chart in the current language, kept: thirty of them took a fortieth of the page's CPU."""
    return dateformat.format(day, label_format(is_monthly))


def trend_points(trend: trends.Trend) -> list[charts.TrendPoint]:
    """Return the points of the chart, each with the text that it shows on hover and focus."""
    language, year_before = get_language(), _("a year before %(share)s")
    points = []
    for point in trend.points:
        label, text = _label(point.day, trend.is_monthly, language), ""
        if point.csat:
            text = f"{label}: {point.csat.value:.1%} (n = {point.csat.n})"
            if point.year_before:
                text += "\n" + year_before % {"share": f"{point.year_before.value:.1%}"}
        points.append(charts.TrendPoint(label, text, point.submissions, point.csat, point.year_before))
    return points


def nps_parts(nps: metrics.NetPromoterScore) -> list[Part]:
    """Return the groups of the NPS from worst to best."""
    counts = (
        (nps.detractors, _("Detractors (0 to 6)")),
        (nps.passives, _("Passives (7 and 8)")),
        (nps.promoters, _("Promoters (9 and 10)")),
    )
    return [
        Part(number, label, count, metrics.share(count, nps.score.n))
        for number, (count, label) in enumerate(counts, start=1)
    ]


def problem_rows(
    n: int, counts: dict[Problem, int], now: Tally, own: OwnTally, filters: Filters, days: str
) -> list[Count]:
    """Return the problems, the most frequent first, each with a link to its submissions of the same period.

    Those of the core are counted among the newest n low scores, head office's own among all of the period.
    """
    low = sum(now.scores[score - 1] for score in LOW_SCORES)
    found = []
    for question in current().all(PROBLEM):
        if question.is_core:
            count, of = counts[Problem[question.key.upper()]], n
        else:
            count, of = own.problem(question.id), low
        if count or not question.is_retired:
            found.append((count / of if of else 0.0, count, question))
    found.sort(key=lambda row: -row[0])
    most, language = found[0][0] if found else 0.0, get_language() or ""
    return [
        Count(
            question.label_in(language),
            count,
            share,
            charts.length(share, most),
            link=filters.query_string(days=days, status="all", problem=question.key),
        )
        for share, count, question in found
    ]


def distribution(tally: Tally, filters: Filters) -> list[Count]:
    """Return the scores from best to worst, each with a link to its comments of the same period."""
    most, n = max(tally.scores), tally.n
    return [
        Count(
            str(Satisfaction(score).label),
            count,
            count / n if n else 0.0,
            charts.length(count, most),
            score,
            filters.query_string(score=str(score)),
        )
        for score, count in reversed(list(enumerate(tally.scores, start=1)))
    ]


def branch_rows(branches: list[BranchName], result: Figures, filters: Filters) -> list[Row]:
    """Return the branches by the lower end of their interval, so that small samples do not lead; empty ones last.

    Of very many branches, return those that `result` lists.
    """
    is_listed = result.by_branch if len(branches) > 2 * figures.LISTED else filters.branch_ids
    named: list[tuple[int | None, str, str]] = [
        (branch.pk, branch.local_name, branch.code)
        for branch in branches
        if is_listed is None or branch.pk in is_listed
    ]
    if None in result.by_branch:
        named.append((None, _("Without a branch"), NO_BRANCH))
    rows = []
    for key, name, code in named:
        now, before = result.by_branch.get(key, (Tally(), Tally()))
        csat = now.csat
        error_bar = charts.error_bar(csat, 0, 1) if csat else None
        change = metrics.change(csat, before.csat)
        rows.append(Row(name, filters.query_string(branch=code), csat, change, error_bar, now))
    return sorted(rows, key=lambda row: -row.estimate.low if row.estimate else 1)


def aspect_rows(now: Tally, before: Tally, own: tuple[OwnTally, OwnTally]) -> list[Row]:
    """Return the aspects in the order of the survey; a retired one where guests rated it in the period."""
    rows, language = [], get_language() or ""
    for question in current().all(ASPECT):
        if question.is_core:
            estimate, estimate_before = now.aspect(question.key), before.aspect(question.key)
        else:
            estimate, estimate_before = own[0].aspect(question.id), own[1].aspect(question.id)
        if estimate is None and question.is_retired:
            continue
        error_bar = charts.error_bar(estimate, 1, 5) if estimate else None
        change = metrics.change(estimate, estimate_before)
        rows.append(Row(question.label_in(language), "", estimate, change, error_bar))
    return rows
