"""What the staff look at: period, branch, score, language and words, from the query string."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q
from django.http import Http404, QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from survey.models import Branch
from survey.scales import LOW_SCORES, PROBLEM_LABELS, SATISFIED_SCORES, Problem
from survey.staff.access import User, branches_of, is_head_office
from survey.text.terms import wanted_terms

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise as StrOrPromise

DEFAULT_DAYS = 30
ANY_TIME = "any"  # a period without ends, for the list of what is left to do
DATES = "dates"  # the period that two dates of the form give
MAX_SEARCH_TERMS = 10
MAX_DAYS = 1_100  # three years
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 1, 1)
NO_BRANCH = "-"  # an answer through the plain link; no branch's code is a lone hyphen
SCORES = {
    "low": LOW_SCORES,
    "high": SATISFIED_SCORES,
    **{str(score): (score,) for score in range(1, 6)},
}
LOW_CHOICES = tuple(str(score) for score in LOW_SCORES)
BY_WEEK_FROM = 93  # days; a point a day would be too many for a phone


@dataclass(frozen=True)
class Filters:
    """One selection of answers: what every page, list and export of the staff is made from."""

    start: date
    end: date  # inclusive
    branch_ids: tuple[int, ...] | None  # None: every branch, and answers without one
    without_branch: bool = False
    scores: tuple[int, ...] = ()  # none: all
    language: str = ""
    problem: int = 0  # a bit of Problem; 0: any, or none
    words: str = ""
    by_week: bool = False
    query: tuple[tuple[str, str], ...] = ()  # as the page's links carry it

    @property
    def days(self) -> int:
        """How long the period is."""
        return (self.end - self.start).days + 1

    @property
    def is_any_time(self) -> bool:
        """Whether the period leaves nothing out."""
        return (self.start, self.end) == (FIRST_DAY, LAST_DAY)

    @property
    def before(self) -> Filters:
        """The same for as many days just before as have begun of this period, which may end in the future."""
        begun = (min(self.end, timezone.localdate()) - self.start).days + 1
        return replace(self, start=self.start - timedelta(max(begun, 0)), end=self.start - timedelta(1))

    def where(self) -> Q:
        """The condition on branch, score and language, not on period and problem, for a table with these columns."""
        condition = Q()
        if self.without_branch:
            condition &= Q(branch__isnull=True)
        elif self.branch_ids is not None:
            condition &= Q(branch=self.branch_ids[0]) if len(self.branch_ids) == 1 else Q(branch__in=self.branch_ids)
        if self.scores:
            condition &= Q(satisfaction__in=self.scores)
        if self.language:
            condition &= Q(language=self.language)
        return condition

    def query_string(self, **changes: str) -> str:
        """The query string of these filters with some set anew; an empty value leaves its name out."""
        return urlencode({name: value for name, value in {**dict(self.query), **changes}.items() if value})


def _date_field(label: StrOrPromise) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        validators=[MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)],
    )


class FilterForm(forms.Form):
    """The filters above each page. A GET form: a selection can be bookmarked and sent to a colleague.

    The two dates are there only while the period is "From ... to ...", so none is ever filled in and ignored.
    """

    days = forms.ChoiceField(
        label=gettext_lazy("Period"),
        required=False,
        choices=(
            ("7", gettext_lazy("Last 7 days")),
            ("30", gettext_lazy("Last 30 days")),
            ("90", gettext_lazy("Last 90 days")),
            ("365", gettext_lazy("Last 365 days")),
            (DATES, gettext_lazy("From … to …")),
        ),
    )
    start = _date_field(gettext_lazy("From"))
    end = _date_field(gettext_lazy("To"))
    branch = forms.ChoiceField(label=gettext_lazy("Branch"), required=False)
    score = forms.ChoiceField(
        label=gettext_lazy("Score"),
        required=False,
        choices=(
            ("", gettext_lazy("All scores")),
            ("low", gettext_lazy("Low (1 and 2)")),
            ("high", gettext_lazy("High (4 and 5)")),
            *((str(score), str(score)) for score in range(1, 6)),
        ),
    )
    problem = forms.ChoiceField(
        label=gettext_lazy("What went wrong"),
        required=False,
        choices=(
            ("", gettext_lazy("Anything or nothing")),
            *((problem.slug, label) for problem, label in PROBLEM_LABELS.items()),
        ),
    )
    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        required=False,
        choices=(("", gettext_lazy("All languages")), *settings.LANGUAGES),
    )
    by = forms.ChoiceField(
        label=gettext_lazy("Trend"),
        required=False,
        choices=(
            ("", gettext_lazy("Automatic")),
            ("day", gettext_lazy("By day")),
            ("week", gettext_lazy("By week")),
        ),
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
    ) -> None:
        """`without` names the filters a page does not have; `any_time`: its period has no ends until one is chosen;
        `low_only`: it lists low scores, so that only one of these can be chosen and any other choice does not count.
        """
        self.default_days = ANY_TIME if any_time else str(DEFAULT_DAYS)
        # What is not chosen stands at its default, so that the form always shows what the page shows.
        chosen = data.dict()
        has_dates = bool(chosen.get("start") or chosen.get("end"))
        days = chosen.setdefault("days", "") or (DATES if has_dates else self.default_days)
        if days == DATES and not has_dates:
            today = timezone.localdate()
            chosen |= {"start": (today - timedelta(DEFAULT_DAYS - 1)).isoformat(), "end": today.isoformat()}
        if low_only and chosen.get("score") not in LOW_CHOICES:
            chosen["score"] = ""
        super().__init__({**chosen, "days": days})
        for name in (*without, *(() if days == DATES else ("start", "end"))):
            del self.fields[name]
        if any_time:
            period = self.fields["days"]
            period.choices = [(ANY_TIME, _("Any time")), *period.choices]  # type: ignore[attr-defined]
        if low_only:
            choices = [("", _("Low (1 and 2)")), *((score, score) for score in LOW_CHOICES)]
            self.fields["score"].choices = choices  # type: ignore[attr-defined]
        self.is_head_office = is_head_office(user)
        self.branches = list(branches_of(user))
        choices = [(branch.code, branch.local_name) for branch in self.branches]
        if self.is_head_office:
            choices.append((NO_BRANCH, _("Without a branch")))
        if len(choices) > 1:
            choices.insert(0, ("", _("All branches")))
        self.fields["branch"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, object]:
        """The end of a period does not come before its start, and no period is longer than figures are quick for."""
        cleaned = super().clean() or self.cleaned_data
        start, end = cleaned.get("start"), cleaned.get("end") or timezone.localdate()
        if start and end < start:
            self.add_error("start", _("The period ends before it starts."))
        elif start and (end - start).days >= MAX_DAYS:
            self.add_error("start", _("Choose a period of at most %(days)s days.") % {"days": MAX_DAYS})
        return cleaned

    def clean_q(self) -> str:
        """Words that one query can look for."""
        words = str(self.cleaned_data["q"]).strip()
        if len(wanted_terms(words)) > MAX_SEARCH_TERMS:
            raise forms.ValidationError(_("Search for less at a time: a few words are enough."))
        return words

    def filters(self) -> Filters:
        """The selection; what is not valid counts as not chosen and its field says why. Another's branch is 404."""
        if "branch" in self.errors:
            raise Http404
        chosen = self.cleaned_data
        start, end = self._first_and_last_day()
        code = chosen["branch"]
        branch_ids: tuple[int, ...] | None = None
        if code and code != NO_BRANCH:
            branch_ids = tuple(branch.pk for branch in self.branches if branch.code == code)
        elif not self.is_head_office:
            branch_ids = tuple(branch.pk for branch in self.branches)
        by, problem = chosen.get("by"), chosen.get("problem")
        return Filters(
            start=start,
            end=end,
            branch_ids=branch_ids,
            without_branch=code == NO_BRANCH,
            scores=SCORES.get(chosen.get("score", ""), ()),
            language=chosen.get("language", ""),
            problem=Problem[problem.upper()] if problem else 0,
            words=chosen.get("q", ""),
            by_week=by == "week" or (by != "day" and (end - start).days >= BY_WEEK_FROM),
            query=self.query,
        )

    @property
    def query(self) -> tuple[tuple[str, str], ...]:
        """What was chosen, validly and unlike the default, as links carry it."""
        left_out = set(self.errors)
        if self.period == self.default_days:
            left_out |= {"days", "start", "end"}
        return tuple((name, self.data[name]) for name in self.fields if self.data.get(name) and name not in left_out)

    @property
    def period(self) -> str:
        """The choice of period; a wrong one counts as not made."""
        is_wrong = {"days", "start", "end"} & set(self.errors)
        return self.default_days if is_wrong else str(self.cleaned_data["days"])

    def _first_and_last_day(self) -> tuple[date, date]:
        """First and last day: all time, the two dates (one alone: up to today, or 30 days), or the days up to today."""
        days = self.period
        if days == ANY_TIME:
            return FIRST_DAY, LAST_DAY
        end, length = timezone.localdate(), DEFAULT_DAYS
        if days == DATES:
            end = self.cleaned_data["end"] or end
            if self.cleaned_data["start"]:
                return self.cleaned_data["start"], end
        else:
            length = int(days)
        return end - timedelta(length - 1), end

    @property
    def selected_branch(self) -> Branch | None:
        """The branch the page is about, if it is one."""
        code = self.cleaned_data.get("branch")
        if code == NO_BRANCH:
            return None
        return next((branch for branch in self.branches if branch.code == code or len(self.branches) == 1), None)
