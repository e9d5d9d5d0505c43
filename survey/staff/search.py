"""Full-text search in comments, and the keywords of a period."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from django.db import connection
from django.db.models import Q, QuerySet

from survey.models import Submission, SubmissionTerm
from survey.staff import statements, submissions
from survey.staff.filters import Filters
from survey.staff.statements import Reading, Select
from survey.text.terms import wanted_phrases, wanted_terms

NEWEST = 1_000  # comments that a keyword list reads: enough for a ranking, and no more work at a million comments
LISTED = 30  # keywords
LENGTH = {"mysql": "CHAR_LENGTH", "sqlite": "LENGTH"}  # in characters
COUNTED = 5_000  # comments counted of a term; more make it common


class Keyword(NamedTuple):
    """A term, the number of its comments, its summed weight, and its size in the list, 1 to 5."""

    term: str
    comments: int
    weight: float
    size: int


def find(among: QuerySet[Submission], filters: Filters, wanted: list[str]) -> QuerySet[Submission]:
    """Return the submissions of the filters' period whose comment has every wanted term and phrase, newest first."""
    if not wanted:
        return among.none()
    first, *others = wanted
    of_term = Q(terms__term=first, terms__local_date__range=(filters.start, filters.end))
    if filters.branch_ids is not None:
        of_term &= Q(terms__branch__in=filters.branch_ids)
    matches = among.filter(of_term)
    for term in others:
        matches = matches.filter(pk__in=SubmissionTerm.objects.filter(term=term).values("submission"))
    for phrase in wanted_phrases(filters.words):
        matches = matches.filter(comment__icontains=phrase)  # read for the few comments that have the terms only
    return matches.order_by("-terms__local_date", "-terms__submission_id")


def rarest_first(filters: Filters) -> list[str]:
    """Return the terms of the filters' words, rarest first, since `search` reads the comments of the first term."""
    terms = wanted_terms(filters.words)
    if len(terms) < 2:
        return terms
    of_period = SubmissionTerm.objects.filter(local_date__range=(filters.start, filters.end))
    return sorted(terms, key=lambda term: of_period.filter(term=term)[:COUNTED].count())


def keyword_lists(filters: Filters, *groups: Iterable[int]) -> Reading[list[list[Keyword]]]:
    """Return the keywords of the period's newest comments, heaviest first: a list for each group of scores."""
    selects = []
    for scores in groups:
        condition = f"comment <> '' AND {statements.is_in('satisfaction', scores)}"
        newest, parameters = submissions.newest_ids(filters, condition, NEWEST)
        # A term of one comment is an opinion, not a theme, and a single character is ambiguous.
        source = f"""FROM (
            SELECT term, COUNT(*) comments, SUM(weight) total FROM survey_responseterm
            WHERE response_id IN ({newest}) AND weight > 0 AND {LENGTH[connection.vendor]}(term) > 1
            GROUP BY term HAVING COUNT(*) > 1 ORDER BY total DESC, term LIMIT {LISTED}
        ) heaviest"""  # noqa: S608
        selects.append(Select(("term", "comments", "total"), source, parameters))
    lists = yield selects
    return [list(_sized(sorted(rows, key=lambda row: (-row[2], row[0])))) for rows in lists]


def _sized(rows: statements.Rows) -> Iterator[Keyword]:
    """Yield the keywords of rows, the heaviest first."""
    for term, comments, weight in rows:
        yield Keyword(term, comments, weight, 1 + min(4, int(5 * weight / rows[0][2])))
