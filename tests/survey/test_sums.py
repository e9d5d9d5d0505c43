"""Whatever tables figures are read from, they are those of the submissions, counted one by one."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from functools import partial
from itertools import product

import pytest
from django.utils import timezone

from survey.jobs import months, rollup
from survey.models import Branch, ChainRollup, MonthRollup, RollupDay, Submission
from survey.scales import DETRACTORS, PASSIVES, PROMOTERS
from survey.staff import figures, sums, trend
from survey.staff.filters import Filters
from survey.staff.statements import run

NOON = datetime(2026, 3, 18, 12, tzinfo=timezone.get_default_timezone())
TODAY = NOON.date()


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timezone, "now", lambda: NOON)


@pytest.fixture
def dice() -> random.Random:
    return random.Random(20260318)


@pytest.fixture
def branches(request: pytest.FixtureRequest, db: None, dice: random.Random) -> list[Branch]:
    """Five branches with submissions of so many days, all counted and added up but for today."""
    Branch.objects.bulk_create(Branch(code=f"b{number}", name=f"{number}店") for number in range(5))
    branches = list(Branch.objects.order_by("pk"))
    submit(dice, [*branches, None], 3 * request.param, TODAY - timedelta(request.param), TODAY)
    rollup.count_days(600)
    months.add_up_months(600)
    return branches


def submit(dice: random.Random, branches: list[Branch | None], count: int, first: date, last: date) -> list[date]:
    """Store submissions of random days; return the days."""
    rows = [
        Submission(
            branch=dice.choice(branches),
            satisfaction=dice.randint(1, 5),
            recommend=dice.choice([None, *range(11)]),
            taste=dice.choice([None, *range(1, 6)]),
            value=dice.choice([None, *range(1, 6)]),
            language=dice.choice(["zh-hans", "en"]),
            local_date=first + timedelta(dice.randint(0, (last - first).days)),
        )
        for _number in range(count)
    ]
    Submission.objects.bulk_create(rows)
    return [row.local_date for row in rows]


def selections(dice: random.Random, branches: list[Branch]) -> Iterator[Filters]:
    """Yield random periods of every kind of selection of branches, scores and language."""
    keys = [branch.pk for branch in branches]
    chosen = (None, (), tuple(keys[:1]), tuple(keys[:3]))  # (): those without a branch
    for branch_ids, scores, language in product(chosen, ((), (1, 2)), ("", "en")):
        for longest in (40, 120):
            start = TODAY - timedelta(dice.randint(0, longest))
            yield Filters(
                start=start,
                end=start + timedelta(dice.randint(0, longest)),
                branch_ids=None if branch_ids == () else branch_ids,
                without_branch=branch_ids == (),
                scores=scores,
                language=language,
            )


def matching(filters: Filters, rows: list[Submission]) -> list[Submission]:
    """Return the submissions of the filters' branches, scores and language."""
    return [
        row
        for row in rows
        if (filters.branch_ids is None or row.branch_id in filters.branch_ids)
        and (not filters.without_branch or row.branch_id is None)
        and (not filters.scores or row.satisfaction in filters.scores)
        and (not filters.language or row.language == filters.language)
    ]


def tally(rows: list[Submission]) -> figures.Tally:
    """Count submissions one by one."""
    scores = Counter(row.satisfaction for row in rows)
    counted = figures.Tally(scores=[scores[score] for score in range(1, 6)])
    groups = {"promoters": PROMOTERS, "passives": PASSIVES, "detractors": DETRACTORS}
    for name, group in groups.items():
        counted.nps_groups[name] = sum(row.recommend in group for row in rows)
    for aspect in ("taste", "value"):
        values = [getattr(row, aspect) for row in rows if getattr(row, aspect) is not None]
        counted.aspects |= {
            f"{aspect}_count": len(values),
            f"{aspect}_sum": sum(values),
            f"{aspect}_squares": sum(value**2 for value in values),
        }
    return counted


def of_days(rows: list[Submission], first: date, last: date) -> list[Submission]:
    return [row for row in rows if first <= row.local_date <= last]


def expect_the_figures_of_the_submissions(filters: Filters, submissions: list[Submission]) -> None:
    found = run(figures.figures(filters))
    rows = matching(filters, submissions)
    now, before = (of_days(rows, part.start, part.end) for part in (filters, filters.before))
    assert (found.now, found.before) == (tally(now), tally(before)), filters
    for branch, pair in found.by_branch.items():
        of_branch = [tally([row for row in rows if row.branch_id == branch]) for rows in (now, before)]
        assert [(one.scores, one.nps_groups) for one in pair] == [(one.scores, one.nps_groups) for one in of_branch]
    assert set(found.by_branch) == {row.branch_id for row in now + before}
    days = Counter(row.local_date for row in now)
    assert run(figures.submissions_by_day(filters)) == dict(sorted(days.items())), filters


def expect_the_trend_of_the_submissions(filters: Filters) -> None:
    found = run(trend.trend(filters, run(sums.calendar(trend.first_day(filters), filters.end))))
    rows = matching(filters, list(Submission.objects.all()))
    for point in found.points:
        first, step = point.day - timedelta(found.window - 1), point.day - timedelta(found.step - 1)
        first_before, last_before = first - trend.YEAR, point.day - trend.YEAR
        if found.is_monthly:
            step = point.day.replace(day=1)
            first = months_later(step, 1 - found.window)
            first_before = months_later(first, -12)
            last_before = months_later(step, -11) - timedelta(1)
            if point.day < months_later(step, 1) - timedelta(1):  # the period ends within the month
                last_before = months_later(step, -12) + (point.day - step)
        assert point.submissions == len(of_days(rows, step, point.day)), filters
        shown = of_days(rows, first, point.day), of_days(rows, first_before, last_before)
        for estimate, of_point in zip((point.csat, point.year_before), shown, strict=True):
            satisfied = sum(row.satisfaction >= 4 for row in of_point)
            expected = (len(of_point), satisfied / len(of_point)) if len(of_point) >= trend.FEWEST else None
            assert (estimate and (estimate.n, estimate.value)) == expected, (filters, point.day)


def months_later(first: date, months: int) -> date:
    """Return the first day of the month so many months later."""
    year, month = divmod(12 * first.year + first.month - 1 + months, 12)
    return date(year, month + 1, 1)


@pytest.mark.parametrize("branches", [260], indirect=True)
def test_figures_are_those_of_the_submissions_at_every_state_of_the_rollups(
    branches: list[Branch], dice: random.Random
) -> None:
    assert MonthRollup.objects.exists()

    def expect() -> None:
        submissions = list(Submission.objects.all())
        for filters in selections(dice, branches):
            expect_the_figures_of_the_submissions(filters, submissions)

    expect()
    for day in submit(dice, [*branches, None], 60, TODAY - timedelta(200), TODAY - timedelta(1)):  # late
        RollupDay.mark_late(day)
    expect()
    rollup.count_days(600)  # the months are not added up again
    expect()
    months.add_up_months(600)
    expect()
    for day in dice.sample(range(200), 9):  # to be counted again
        RollupDay.objects.filter(local_date=TODAY - timedelta(day)).delete()
    expect()
    # Counted by the release before, which knows of no sums: these are not to be read.
    days = [TODAY - timedelta(day) for day in (20, 50, 51, 120)]
    RollupDay.objects.filter(local_date__in=days).update(counted_at=NOON - timedelta(1))
    ChainRollup.objects.filter(local_date__in=days).update(submissions=999)
    MonthRollup.objects.filter(month__in=[day.replace(day=1) for day in days]).update(score_1=999, promoters=999)
    expect()


@pytest.mark.parametrize("branches", [800], indirect=True)
def test_the_trend_is_that_of_the_submissions(branches: list[Branch], dice: random.Random) -> None:
    keys = tuple(branch.pk for branch in branches)
    for branch_ids, days, scores in product((None, keys[:1], keys[:3]), (7, 30, 90, 217, 218, 365), ((), (1, 2))):
        start = TODAY - timedelta(days - 1)
        expect_the_trend_of_the_submissions(Filters(start=start, end=TODAY, branch_ids=branch_ids, scores=scores))
    ended = TODAY - timedelta(dice.randint(1, 60))
    expect_the_trend_of_the_submissions(Filters(start=ended - timedelta(299), end=ended, branch_ids=keys[:2]))


@pytest.mark.parametrize("branches", [260], indirect=True)
def test_whole_months_are_read_from_their_sums_and_the_edges_from_days(branches: list[Branch]) -> None:
    half_year = Filters(start=TODAY - timedelta(150), end=TODAY, branch_ids=tuple(branch.pk for branch in branches))
    MonthRollup.objects.update(**dict.fromkeys(sums.SCORES, 0))
    found = run(figures.figures(half_year))
    rows = matching(half_year, list(Submission.objects.all()))
    rows_of = partial(of_days, rows)
    # 20 May, when the period before begins, is in the second half of its month; of March only today is not added up.
    # The days of October that are not the period's are the whole month without those that are.
    of_october = len(rows_of(half_year.start, date(2025, 10, 31)))
    assert found.now.n == of_october + len(rows_of(TODAY, TODAY))
    assert found.before.n == len(rows_of(half_year.before.start, date(2025, 5, 31))) - of_october


@pytest.mark.parametrize("branches", [260], indirect=True)
def test_a_day_added_up_while_a_page_runs_counts_once(branches: list[Branch], monkeypatch: pytest.MonkeyPatch) -> None:
    filters = Filters(start=TODAY - timedelta(90), end=TODAY, branch_ids=tuple(branch.pk for branch in branches))
    tables = run(sums.calendar(filters.before.start, filters.end))
    monkeypatch.setattr(timezone, "now", lambda: NOON + timedelta(1))
    rollup.count_days(600)
    months.add_up_months(600)
    assert run(figures.figures(filters, tables=tables)) == run(figures.figures(filters))


@pytest.mark.parametrize("branches", [260], indirect=True)
def test_a_branch_that_has_other_days_of_a_month_alone_has_no_sums(branches: list[Branch]) -> None:
    first = date(2026, 2, 1)
    submit(random.Random(1), branches, 20, first, first)
    RollupDay.objects.all().delete()
    Submission.objects.exclude(local_date=first).exclude(branch=branches[0]).delete()
    rollup.count_days(600)
    months.add_up_months(600)
    filters = Filters(start=first + timedelta(1), end=TODAY, branch_ids=tuple(branch.pk for branch in branches))
    days = sums.days_between(filters.start, filters.end)
    found = run(sums.read(filters, run(sums.calendar(first, TODAY)), [days], sums.COUNTS, sums.BY_BRANCH))
    assert [branch for _number, branch, _counts in found] == [branches[0].pk]
