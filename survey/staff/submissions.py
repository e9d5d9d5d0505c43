"""Lists of submissions: those that match the filters, and the low scores to follow up."""

from __future__ import annotations

from django.db.models import F, Q, QuerySet
from django.db.models.lookups import GreaterThan

from survey.models import FollowUpStatus, Submission
from survey.staff.filters import Filters
from survey.staff.pagination import Cursor, older_than

MANY = 1_000  # open low scores counted for the badge, which then reads "1000+"


def matching(filters: Filters) -> QuerySet[Submission]:
    """Return the submissions that match the filters, except for their words, which `search` looks up."""
    submissions = Submission.objects.filter(filters.where(), local_date__range=(filters.start, filters.end))
    if filters.problem:
        submissions = submissions.filter(GreaterThan(F("problems").bitand(filters.problem), 0))
    return submissions


def low_scores(filters: Filters, status: str) -> QuerySet[Submission]:
    """Return the low scores with a follow-up status ('': any), newest first."""
    condition = Q(follow_up_status=status) if status else Q(follow_up_status__in=FollowUpStatus.values)
    return matching(filters).filter(condition).select_related("branch").order_by("-local_date", "-id")


def next_open(filters: Filters, current: Submission) -> Submission | None:
    """Return the open low score behind the current one in the list, or else the first; None if no other is open."""
    others = low_scores(filters, FollowUpStatus.OPEN).exclude(pk=current.pk)
    return older_than(others, Cursor.of(current)).first() or others.first()


def count_open(submissions: QuerySet[Submission]) -> int:
    """Return the number of open low scores, at most MANY."""
    return submissions.filter(follow_up_status=FollowUpStatus.OPEN).order_by()[:MANY].count()
