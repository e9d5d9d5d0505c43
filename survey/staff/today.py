"""What staff look at in the morning: yesterday and today against the usual day, open cases, and branches that changed.

The usual day is made of the same weekdays of the WEEKS before. Branches are compared in the shortest of WINDOWS in
which both periods have SMALL_SAMPLE submissions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import islice
from statistics import median

from django.db.models import QuerySet
from django.utils import timezone

from survey.models import Submission
from survey.staff import hours, metrics, submissions, sums
from survey.staff.access import BranchName
from survey.staff.filters import FIRST_DAY, LAST_DAY, Filters
from survey.staff.hours import Tally

DAY = timedelta(1)
WEEK = timedelta(7)
WEEKS = 8  # that the usual day is made of
FEWEST_WEEKS = 4  # of these, with submissions; fewer make no usual day
SHORT, LONG = 7, 28  # days of the period in which branches are compared with the 28 days before it
LISTED = 5  # branches that are better, and as many that are worse
NEWEST = 5  # comments
COMMENT_DAYS = 28  # in which the newest comments are looked for


@dataclass(frozen=True)
class Usual:
    """The same weekdays of the weeks before: their number, their submissions, and the CSAT of all of them."""

    weeks: int
    middle: int  # the median number of submissions
    least: int
    most: int
    csat: metrics.Estimate | None


@dataclass(frozen=True)
class Day:
    """The submissions of a day, of which the present one is compared up to this time of day."""

    day: date
    tally: Tally
    usual: Usual | None

    @property
    def csat(self) -> metrics.Estimate | None:
        """Return the share of satisfied guests."""
        return self.tally.csat

    @property
    def change(self) -> metrics.Change | None:
        """Return the difference from the usual day; None if either sample is too small to compare."""
        change = metrics.change(self.csat, self.usual.csat) if self.usual else None
        return change if change and change.n >= metrics.SMALL_SAMPLE else None

    @property
    def is_fewer(self) -> bool:
        """Return whether each of the usual days had more submissions."""
        return self.usual is not None and self.tally.submissions < self.usual.least

    @property
    def is_more(self) -> bool:
        """Return whether each of the usual days had fewer submissions."""
        return self.usual is not None and self.tally.submissions > self.usual.most


@dataclass(frozen=True)
class BranchChange:
    """A branch whose CSAT differs from the 28 days before by more than chance explains."""

    branch: BranchName
    days: int  # of the later period, which ended yesterday
    csat: metrics.Estimate
    change: metrics.Change


@dataclass(frozen=True)
class Summary:
    """The figures of a morning, but for the number of open cases, which every page has."""

    yesterday: Day
    today: Day
    oldest: Submission | None  # of the open low scores
    compared: int  # branches with enough submissions
    worse: list[BranchChange]  # the worst first
    better: list[BranchChange]  # the best first


def everything(branches: Sequence[BranchName], is_head_office: bool) -> Filters:
    """Return the filters of everything that an account with these branches sees."""
    branch_ids = None if is_head_office else tuple(branch.pk for branch in branches)
    return Filters(start=FIRST_DAY, end=LAST_DAY, branch_ids=branch_ids)


def summary(filters: Filters, branches: Sequence[BranchName], now: datetime) -> Summary:
    """Return the figures of the filters' branches, which are these, in a fixed number of statements."""
    local = timezone.localtime(now)
    today = local.date()
    counted = hours.counted_among(sums.days_between(today - DAY - WEEKS * WEEK, today))
    days = {day - number * WEEK for day in (today, today - DAY) for number in range(WEEKS + 1)}
    by_hour = hours.by_hour(filters, days, counted.intersection(days))
    pairs = _pairs(branches, today, counted)
    changes = changed_branches(pairs)
    return Summary(
        yesterday=_day(today - DAY, by_hour, float(hours.HOURS)),
        today=_day(today, by_hour, local.hour + local.minute / 60),
        oldest=next(iter(submissions.queue(filters).prefetch_related("branch")[:1]), None),
        compared=len(pairs),
        worse=[change for change in changes if change.change.value < 0][:LISTED],
        better=[change for change in reversed(changes) if change.change.value > 0][:LISTED],
    )


def _day(day: date, by_hour: dict[date, list[Tally]], until: float) -> Day:
    """Return a day; the numbers of its usual days are those until this hour, of which a part counts as such."""
    weeks = [by_hour[day - number * WEEK] for number in range(1, WEEKS + 1)]
    weeks = [week for week in weeks if any(tally.submissions for tally in week)]
    usual = None
    if len(weeks) >= FEWEST_WEEKS:
        counts = [_until(week, until) for week in weeks]
        csat = hours.total(tally for week in weeks for tally in week).csat
        usual = Usual(len(weeks), round(median(counts)), round(min(counts)), round(max(counts)), csat)
    return Day(day, hours.total(by_hour[day]), usual)


def _until(day: Sequence[Tally], hour: float) -> float:
    begun = int(hour)
    full = sum(tally.submissions for tally in day[:begun])
    return full + (day[begun].submissions * (hour - begun) if begun < len(day) else 0)


@dataclass(frozen=True)
class _Pair:
    """The submissions of a branch in the latest period and in the 28 days before it."""

    branch: BranchName
    days: int
    now: Tally
    before: Tally


def _pairs(branches: Sequence[BranchName], today: date, counted: set[date]) -> list[_Pair]:
    """Return the branches that have enough submissions in both periods, with the shorter one where it has."""
    ends = [today - number * DAY for number in (LONG + SHORT + 1, LONG + 1, SHORT + 1, 1)]
    starts = [today - 2 * LONG * DAY, *(end + DAY for end in ends[:-1])]
    counts = hours.by_branch([branch.pk for branch in branches], list(zip(starts, ends, strict=True)), counted)
    pairs: list[_Pair] = []
    for branch in branches:
        if branch.pk not in counts:
            continue
        oldest, older, newer, newest = counts[branch.pk]
        candidates = (
            _Pair(branch, SHORT, newest, hours.total((older, newer))),
            _Pair(branch, LONG, hours.total((newer, newest)), hours.total((oldest, older))),
        )
        enough = (
            pair for pair in candidates if min(pair.now.submissions, pair.before.submissions) >= metrics.SMALL_SAMPLE
        )
        pairs.extend(islice(enough, 1))
    return pairs


def changed_branches(pairs: Sequence[_Pair]) -> list[BranchChange]:
    """Return the branches that changed, the worst first.

    The intervals are wider the more branches are compared: of 2,000 branches with the usual intervals, chance alone
    would show a hundred.
    """
    z = metrics.z_among(len(pairs))
    changes = []
    for pair in pairs:
        csat, before = (metrics.share(tally.satisfied, tally.submissions, z) for tally in (pair.now, pair.before))
        change = metrics.change(csat, before)
        if csat and change and change.is_clear:
            changes.append(BranchChange(pair.branch, pair.days, csat, change))
    return sorted(changes, key=lambda found: found.change.value)


def newest_comments(filters: Filters, today: date) -> list[Submission]:
    """Return the newest comments of the filters' branches."""
    recent = replace(filters, start=today - COMMENT_DAYS * DAY, end=today)

    def commented(part: Filters) -> QuerySet[Submission]:
        rows = submissions.matching(part).exclude(comment="").prefetch_related("branch")
        return rows.order_by("-local_date", "-id")

    return submissions.newest(commented, recent, NEWEST)
