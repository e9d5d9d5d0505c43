"""Search in comments, and the keywords of a period."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import Q, QuerySet

from survey.models import Submission, SubmissionTerm
from survey.staff.filters import Filters
from survey.text.terms import wanted_terms

NEWEST = 1_000  # comments that a keyword list is made from: enough to rank, and the same work at a million
LISTED = 30  # keywords
COUNTED = 5_000  # comments of a term: beyond, it is common


@dataclass(frozen=True)
class Keyword:
    """A word, in how many comments it stands, its summed weight, and its size among the list's, 1 to 5."""

    term: str
    comments: int
    weight: float
    size: int


def find(
    submissions: QuerySet[Submission], filters: Filters, wanted: list[str], before: tuple[date, int] | None = None
) -> QuerySet[Submission]:
    """Of the answers of the filters' period, those whose comment has every wanted term, newest first.

    `before`: only what is older than this day's answer with this key.
    """
    if not wanted:
        return submissions.none()
    first, *others = wanted
    of_term = Q(terms__term=first, terms__local_date__range=(filters.start, filters.end))
    if filters.branch_ids is not None:
        of_term &= Q(terms__branch__in=filters.branch_ids)
    if before:
        day, pk = before
        of_term &= Q(terms__local_date__lt=day) | Q(terms__local_date=day, terms__submission_id__lt=pk)
    found = submissions.filter(of_term)
    for term in others:
        found = found.filter(pk__in=SubmissionTerm.objects.filter(term=term).values("submission"))
    return found.order_by("-terms__local_date", "-terms__submission_id")


def rarest_first(filters: Filters) -> list[str]:
    """The wanted terms of the filters' words in the order in which a search had best ask for them: it goes through the
    comments of the first."""
    terms = wanted_terms(filters.words)
    if len(terms) < 2:
        return terms
    of_period = SubmissionTerm.objects.filter(local_date__range=(filters.start, filters.end))
    return sorted(terms, key=lambda term: of_period.filter(term=term)[:COUNTED].count())


def keyword_list(filters: Filters, scores: Iterable[int]) -> list[Keyword]:
    """The keywords of the newest comments of the period with these scores, heaviest first."""
    wanted = [score for score in scores if not filters.scores or score in filters.scores]
    newest = Submission.objects.filter(
        filters.where(), ~Q(comment=""), satisfaction__in=wanted, local_date__range=(filters.start, filters.end)
    ).order_by("-local_date")
    found: dict[str, list[float]] = defaultdict(list)
    keys = list(newest.values_list("pk", flat=True)[:NEWEST])
    for term, weight in SubmissionTerm.objects.filter(submission__in=keys, weight__gt=0).values_list("term", "weight"):
        found[term].append(weight)
    # One comment is an opinion, not a theme; a single character says little by itself.
    themes = {term: weights for term, weights in found.items() if len(weights) > 1 and len(term) > 1}
    heaviest = sorted(themes, key=lambda term: (-sum(themes[term]), term))[:LISTED]
    most = sum(themes[heaviest[0]]) if heaviest else 0.0
    return [
        Keyword(term, len(themes[term]), sum(themes[term]), 1 + min(4, int(5 * sum(themes[term]) / most)))
        for term in heaviest
    ]
