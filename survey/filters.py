"""What the staff look at: period, branch, score, language and words, from the query string."""

from __future__ import annotations

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

from survey.access import User, branches_of, is_head_office
from survey.models import Branch

if TYPE_CHECKING:
    from django.utils.functional import _StrOrPromise as StrOrPromise

DEFAULT_DAYS = 30
DEFAULTS = {"days": str(DEFAULT_DAYS)}  # what links leave out
MAX_DAYS = 1_100  # three years
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 1, 1)
NO_BRANCH = "-"  # an answer through the plain link; no branch's code is a lone hyphen
SCORES = {
    "low": (1, 2),
    "high": (4, 5),
    **{str(score): (score,) for score in range(1, 6)},
}
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
    words: str = ""
    by_week: bool = False
    query: tuple[tuple[str, str], ...] = ()  # as the page's links carry it

    @property
    def days(self) -> int:
        """How long the period is."""
        return (self.end - self.start).days + 1

    @property
    def before(self) -> Filters:
        """The same for the period of the same length just before."""
        return replace(self, start=self.start - timedelta(self.days), end=self.start - timedelta(1))

    def where(self, prefix: str = "") -> Q:
        """The condition on branch, score and language (not on the period) for a table that has these columns."""
        condition = Q()
        if self.without_branch:
            condition &= Q(**{f"{prefix}branch__isnull": True})
        elif self.branch_ids is not None:
            condition &= (
                Q(**{f"{prefix}branch": self.branch_ids[0]})
                if len(self.branch_ids) == 1
                else Q(**{f"{prefix}branch__in": self.branch_ids})
            )
        if self.scores:
            condition &= Q(**{f"{prefix}satisfaction__in": self.scores})
        if self.language:
            condition &= Q(**{f"{prefix}language": self.language})
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
    """The filters above each page. A GET form: a selection can be bookmarked and sent to a colleague."""

    days = forms.TypedChoiceField(
        label=gettext_lazy("Period"),
        required=False,
        coerce=int,
        choices=(
            (7, gettext_lazy("Last 7 days")),
            (30, gettext_lazy("Last 30 days")),
            (90, gettext_lazy("Last 90 days")),
            (365, gettext_lazy("Last 365 days")),
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

    def __init__(self, data: QueryDict, user: User) -> None:
        # What is not chosen stands at its default, so that the form always shows what the page shows.
        super().__init__({"days": DEFAULT_DAYS, **data.dict()})
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
            self.add_error("end" if cleaned.get("end") else "start", _("The period ends before it starts."))
        elif start and (end - start).days >= MAX_DAYS:
            self.add_error("start", _("Choose a period of at most %(days)s days.") % {"days": MAX_DAYS})
        return cleaned

    def filters(self) -> Filters:
        """The selection; what is not valid counts as not chosen and its field says why. Another's branch is 404."""
        if "branch" in self.errors:
            raise Http404
        chosen = self.cleaned_data
        start, end = self._period()
        code = chosen["branch"]
        branch_ids: tuple[int, ...] | None = None
        if code and code != NO_BRANCH:
            branch_ids = tuple(branch.pk for branch in self.branches if branch.code == code)
        elif not self.is_head_office:
            branch_ids = tuple(branch.pk for branch in self.branches)
        by = chosen.get("by")
        return Filters(
            start=start,
            end=end,
            branch_ids=branch_ids,
            without_branch=code == NO_BRANCH,
            scores=SCORES.get(chosen.get("score", ""), ()),
            language=chosen.get("language", ""),
            words=chosen.get("q", "").strip(),
            by_week=by == "week" or (by != "day" and (end - start).days >= BY_WEEK_FROM),
            query=tuple(
                (name, str(self.data[name]))
                for name in self.fields
                if self.data.get(name) and name not in self.errors and str(self.data[name]) != DEFAULTS.get(name)
            ),
        )

    def _period(self) -> tuple[date, date]:
        """First and last day: the two dates, or the days up to one of them, or the days up to today."""
        today = timezone.localdate()
        days = self.cleaned_data.get("days") or DEFAULT_DAYS
        start, end = self.cleaned_data.get("start"), self.cleaned_data.get("end")
        end = end or today
        return start or end - timedelta(days - 1), end

    @property
    def selected_branch(self) -> Branch | None:
        """The branch the page is about, if it is one."""
        code = self.cleaned_data.get("branch")
        if code == NO_BRANCH:
            return None
        return next((branch for branch in self.branches if branch.code == code or len(self.branches) == 1), None)
