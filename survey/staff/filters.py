"""The selection of submissions that a query string makes: period, branch, score, problem, follow-up, table, words."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property, partial
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import F, Q
from django.db.models.lookups import In
from django.http import Http404, QueryDict
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from survey.chain import PROBLEM, current
from survey.guest.fields import share_fields
from survey.models import FollowUpStatus
from survey.scales import LOW_SCORES, SATISFIED_SCORES, Problem
from survey.staff.access import BranchName, User, is_head_office, named_branches
from survey.staff.widgets import DateInput, Select
from survey.table_number import MAX_LENGTH as TABLE_NUMBER_MAX_LENGTH
from survey.table_number import parse_table_number
from survey.text.terms import wanted_terms

DEFAULT_DAYS = 30
ANY_TIME = "any"  # a period without ends, the default of the follow-up
DATES = "dates"  # the period that the two date fields give
MANY_BRANCHES = 100  # of more chosen branches, the rows of a period are read by date (statements.of_branches)
MAX_SEARCH_TERMS = 10
MAX_DAYS = 1_100  # three years
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 1, 1)
ANY_STATUS, MINE = "all", "mine"  # of the follow-up: every case; the open cases of the user
NO_BRANCH = "-"  # submissions without a branch; no branch's code is a lone hyphen
SCORES = {
    "low": LOW_SCORES,
    "high": SATISFIED_SCORES,
    **{str(score): (score,) for score in range(1, 6)},
}
LOW_CHOICES = tuple(str(score) for score in LOW_SCORES)
STATUSES = {
    FollowUpStatus.OPEN.value: FollowUpStatus.OPEN.label,
    MINE: gettext_lazy("mine"),
    FollowUpStatus.CONTACTED.value: FollowUpStatus.CONTACTED.label,
    FollowUpStatus.SOLVED.value: FollowUpStatus.SOLVED.label,
    ANY_STATUS: gettext_lazy("all"),
}
PERIODS = {
    "today": gettext_lazy("Today"),
    "yesterday": gettext_lazy("Yesterday"),
    "week": gettext_lazy("This week"),
    "last-week": gettext_lazy("Last week"),
    "month": gettext_lazy("This month"),
    "last-month": gettext_lazy("Last month"),
    "quarter": gettext_lazy("This quarter"),
    "last-quarter": gettext_lazy("Last quarter"),
    "7": gettext_lazy("Last 7 days"),
    "30": gettext_lazy("Last 30 days"),
    "90": gettext_lazy("Last 90 days"),
    "365": gettext_lazy("Last 365 days"),
}
# What a period of the calendar is compared with.
COMPARED_WITH = {
    "today": gettext_lazy("the whole of the same weekday a week before"),
    "yesterday": gettext_lazy("the same weekday a week before"),
    "week": gettext_lazy("the same days of last week"),
    "last-week": gettext_lazy("the week before it"),
    "month": gettext_lazy("the same days of last month"),
    "last-month": gettext_lazy("the month before it"),
    "quarter": gettext_lazy("the same days of last quarter"),
    "last-quarter": gettext_lazy("the quarter before it"),
}


@dataclass(frozen=True)
class Filters:
    """A selection of submissions, which every page, list and export of the staff is made from."""

    start: date
    end: date  # inclusive
    branch_ids: tuple[int, ...] | None  # None: every branch, and submissions without one
    without_branch: bool = False
    scores: tuple[int, ...] = ()  # none: all
    language: str = ""
    problem: int = 0  # a bit of Problem; 0: any, or none
    own_problem: int = 0  # the id of a problem of head office's own; 0: any, or none
    status: str = ""  # of the follow-up; ANY_STATUS: low scores alone; '': submissions of every score
    owner_id: int | None = None  # who has taken the case; None: anybody, or nobody
    table_number: str = ""
    words: str = ""
    period: str = ""  # the name in PERIODS; '' for dates
    query: tuple[tuple[str, str], ...] = ()  # as links carry it

    @property
    def days(self) -> int:
        """Return the length of the period."""
        return (self.end - self.start).days + 1

    @property
    def is_any_time(self) -> bool:
        """Return whether the period has no ends."""
        return (self.start, self.end) == (FIRST_DAY, LAST_DAY)

    @property
    def has_several_branches(self) -> bool:
        """Return whether the selection is of more than one branch, and of few enough to look each of them up."""
        return len(self.branch_ids or ()) > 1 and not self.has_many_branches

    @property
    def has_many_branches(self) -> bool:
        """Return whether the selection has so many branches that their rows are read by date."""
        return are_many(self.branch_ids or ())

    @property
    def is_whole_chain(self) -> bool:
        """Return whether the selection is of every branch, with the submissions without one."""
        return self.branch_ids is None and not self.without_branch

    @cached_property
    def before(self) -> Filters:
        """Return these filters for the period that this one is compared with.

        Of a period of the calendar, these are the same days of the week, month or quarter before; of any other, as many
        days just before as have begun of it.
        """
        start, end = period_before(self.period, self.start, min(self.end, timezone.localdate()))
        return replace(self, start=start, end=end, period="")

    @property
    def compared_with(self) -> str:
        """Return the words for the period before."""
        return str(COMPARED_WITH.get(self.period, _("as many days just before")))

    def where(self) -> Q:
        """Return the condition on branch, score and language, for a table with these columns."""
        condition = Q()
        if self.without_branch:
            condition &= Q(branch__isnull=True)
        elif self.has_many_branches:
            condition &= Q(In(F("branch_id") + 0, self.branch_ids))
        elif self.branch_ids is not None:
            condition &= Q(branch=self.branch_ids[0]) if len(self.branch_ids) == 1 else Q(branch__in=self.branch_ids)
        if self.scores:
            condition &= Q(satisfaction__in=self.scores)
        if self.language:
            condition &= Q(language=self.language)
        return condition

    def with_status(self, status: str, user: User) -> Filters:
        """Return these filters with a status of the follow-up, of which MINE depends on the user."""
        is_mine = status == MINE
        return replace(self, status=FollowUpStatus.OPEN if is_mine else status, owner_id=user.pk if is_mine else None)

    def query_string(self, **changes: str) -> str:
        """Return the query string of these filters with changes; an empty value removes its name."""
        return urlencode({name: value for name, value in {**dict(self.query), **changes}.items() if value})


_ChoiceField = partial(forms.ChoiceField, required=False, widget=Select)
_DateField = partial(
    forms.DateField,
    required=False,
    widget=DateInput(format="%Y-%m-%d"),
    validators=[MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)],
)


@share_fields
class FilterForm(forms.Form):
    """The filters above each page, a GET form, so that a selection can be bookmarked.

    The two dates are always those of the period, and `shown` sends them back as the page had them: dates that somebody
    edited win over the period, so that one submit is enough and no filled-in date is ever ignored.
    """

    days = _ChoiceField(
        label=gettext_lazy("Period"),
        choices=(*PERIODS.items(), (DATES, gettext_lazy("From … to …"))),
    )
    start = _DateField(label=gettext_lazy("From"))
    end = _DateField(label=gettext_lazy("To"))
    branch = _ChoiceField(label=gettext_lazy("Branch"))
    score = _ChoiceField(
        label=gettext_lazy("Score"),
        choices=(
            ("", gettext_lazy("All scores")),
            ("low", gettext_lazy("Low (1 and 2)")),
            ("high", gettext_lazy("High (4 and 5)")),
            *((str(score), str(score)) for score in range(1, 6)),
        ),
    )
    problem = _ChoiceField(label=gettext_lazy("What went wrong"))
    status = _ChoiceField(
        label=gettext_lazy("Follow-up"),
        choices=(
            ("", gettext_lazy("With or without")),
            *((status, capfirst(label)) for status, label in STATUSES.items()),
        ),
    )
    language = _ChoiceField(
        label=gettext_lazy("Language"),
        choices=(("", gettext_lazy("All languages")), *settings.LANGUAGES),
    )
    table = forms.CharField(
        label=gettext_lazy("Table or receipt"),
        required=False,
        max_length=TABLE_NUMBER_MAX_LENGTH,
        widget=forms.TextInput({"autocomplete": "off"}),
    )
    q = forms.CharField(
        label=gettext_lazy("Words in the comment"),
        required=False,
        max_length=100,
        widget=forms.TextInput({"type": "search"}),
    )

    def __init__(
        self,
        data: QueryDict,
        user: User,
        *,
        without: Collection[str] = (),
        any_time: bool = False,
        low_only: bool = False,
        branches: list[BranchName] | None = None,
    ) -> None:
        """Leave out the filters named in `without`; `any_time` makes the default period one without ends; `low_only`
        offers low scores alone and ignores any other. `branches` saves a query to a page that has read the user's.
        """
        self.default_days = ANY_TIME if any_time else str(DEFAULT_DAYS)
        # The form shows the defaults too, so that it always says what the page shows.
        chosen = data.dict()
        has_dates = bool(chosen.get("start") or chosen.get("end"))
        days = chosen.get("days") or (DATES if has_dates else self.default_days)
        if has_dates and chosen.get("shown", _dates(chosen)) != _dates(chosen):
            days = DATES
        if days in PERIODS or (days == DATES and not has_dates):
            start, end = period(days if days in PERIODS else str(DEFAULT_DAYS), timezone.localdate())
            chosen |= {"start": start.isoformat(), "end": end.isoformat()}
        elif days == ANY_TIME:
            chosen |= {"start": "", "end": ""}
        if low_only and chosen.get("score") not in LOW_CHOICES:
            chosen["score"] = ""
        super().__init__({**chosen, "days": days})
        self.problems = {question.key: question for question in current().all(PROBLEM)}
        for name in without:
            del self.fields[name]
        if "problem" in self.fields:
            choices = [("", _("Anything or nothing"))]
            choices += [(key, question.local_label) for key, question in self.problems.items()]
            self._offer("problem", choices)
        if any_time:
            choices = [(ANY_TIME, _("Any time")), *self.fields["days"].choices]  # type: ignore[attr-defined]
            self._offer("days", choices)
        if low_only:
            choices = [("", _("Low (1 and 2)")), *((score, score) for score in LOW_CHOICES)]
            self._offer("score", choices)
        self.user = user
        self.is_head_office = is_head_office(user)
        self.branches = named_branches(user) if branches is None else branches
        choices = [(branch.code, branch.local_name) for branch in self.branches]
        if self.is_head_office:
            choices.append((NO_BRANCH, _("Without a branch")))
        if len(choices) > 1:
            choices.insert(0, ("", _("All branches")))
        self._offer("branch", choices)

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        """Give a field other choices, in a copy: the forms share their fields."""
        self.fields[name] = deepcopy(self.fields[name])
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or self.cleaned_data
        start, end = cleaned.get("start"), cleaned.get("end") or timezone.localdate()
        if start and end < start:
            self.add_error("start", _("The period ends before it starts."))
        elif start and (end - start).days >= MAX_DAYS:
            self.add_error("start", _("Choose a period of at most %(days)s days.") % {"days": MAX_DAYS})
        return cleaned

    def clean_table(self) -> str:
        typed = str(self.cleaned_data["table"])
        number = parse_table_number(typed)
        if typed and not number:
            raise forms.ValidationError(_("A number has letters, digits and hyphens only."))
        return number

    def clean_q(self) -> str:
        words = str(self.cleaned_data["q"]).strip()
        if len(wanted_terms(words)) > MAX_SEARCH_TERMS:
            raise forms.ValidationError(_("Search for less at a time: a few words are enough."))
        return words

    def filters(self) -> Filters:
        """Return the selection, where an invalid value counts as not chosen.

        Raises Http404 for a branch that the user may not see.
        """
        if "branch" in self.errors:
            raise Http404
        data = self.cleaned_data
        start, end = self._first_and_last_day()
        code = data["branch"]
        branch_ids: tuple[int, ...] | None = None
        if code and code != NO_BRANCH:
            branch_ids = tuple(branch.pk for branch in self.branches if branch.code == code)
        elif not self.is_head_office:
            branch_ids = tuple(branch.pk for branch in self.branches)
        problem = self.problems.get(data.get("problem", ""))
        filters = Filters(
            start=start,
            end=end,
            branch_ids=branch_ids,
            without_branch=code == NO_BRANCH,
            scores=SCORES.get(data.get("score", ""), ()),
            language=data.get("language", ""),
            problem=Problem[problem.key.upper()] if problem and problem.is_core else 0,
            own_problem=problem.id if problem and not problem.is_core else 0,
            table_number=data.get("table", ""),
            words=data.get("q", ""),
            period=self.period if self.period in PERIODS else "",
            query=self.query,
        )
        return filters.with_status(data.get("status", ""), self.user)

    @property
    def query(self) -> tuple[tuple[str, str], ...]:
        """Return the valid values that differ from the default, as links carry them."""
        left_out = set(self.errors)
        if self.period != DATES:
            left_out |= {"start", "end"}
        if self.period == self.default_days:
            left_out.add("days")
        return tuple((name, self.data[name]) for name in self.fields if self.data.get(name) and name not in left_out)

    @property
    def period(self) -> str:
        """Return the chosen period, or the default if the choice is invalid."""
        is_invalid = {"days", "start", "end"} & set(self.errors)
        return self.default_days if is_invalid else str(self.cleaned_data["days"])

    def _first_and_last_day(self) -> tuple[date, date]:
        """Return the period's ends; a start alone lasts until today, an end alone ends DEFAULT_DAYS."""
        if self.period == ANY_TIME:
            return FIRST_DAY, LAST_DAY
        if self.period != DATES:
            return period(self.period, timezone.localdate())
        end = self.cleaned_data["end"] or timezone.localdate()
        return self.cleaned_data["start"] or end - timedelta(DEFAULT_DAYS - 1), end

    @property
    def shown(self) -> str:
        """Return the dates that the form shows, as the page sends them back."""
        return _dates(self.data)

    @property
    def selected_branch(self) -> BranchName | None:
        """Return the branch if the page is about a single one."""
        code = self.cleaned_data.get("branch")
        if code == NO_BRANCH:
            return None
        return next((branch for branch in self.branches if branch.code == code or len(self.branches) == 1), None)


def are_many(branches: Collection[int]) -> bool:
    """Return whether the rows of so many branches are read by date."""
    return len(branches) > MANY_BRANCHES


def period(name: str, today: date) -> tuple[date, date]:
    """Return the first and the last day of one of PERIODS; one that has not ended yet lasts until today."""
    day = timedelta(1)
    week, month = today - today.weekday() * day, today.replace(day=1)
    quarter = month.replace(month=month.month - (month.month - 1) % 3)
    month_before, quarter_before = month - day, quarter - day
    of_calendar = {
        "today": (today, today),
        "yesterday": (today - day, today - day),
        "week": (week, today),
        "last-week": (week - 7 * day, week - day),
        "month": (month, today),
        "last-month": (month_before.replace(day=1), month_before),
        "quarter": (quarter, today),
        "last-quarter": (quarter_before.replace(month=quarter_before.month - 2, day=1), quarter_before),
    }
    return of_calendar.get(name) or (today - (int(name) - 1) * day, today)


def period_before(name: str, start: date, end: date) -> tuple[date, date]:
    """Return the first and the last day of the period that one of PERIODS is compared with; '' for other dates."""
    if name in ("today", "yesterday", "week", "last-week"):
        return start - timedelta(7), end - timedelta(7)
    if name in ("month", "quarter"):
        months = 1 if name == "month" else 3
        return months_before(start, months), months_before(end, months)
    if name in ("last-month", "last-quarter"):
        return months_before(start, 1 if name == "last-month" else 3), start - timedelta(1)
    begun = max((end - start).days + 1, 0)
    return start - timedelta(begun), start - timedelta(1)


def months_before(day: date, months: int) -> date:
    """Return the same day so many months before; of a shorter month the last day."""
    year, month = divmod(12 * day.year + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _dates(data: Mapping[str, object]) -> str:
    return f"{data.get('start', '')}.{data.get('end', '')}"
