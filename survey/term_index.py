"""Words of comments: written with the answer, read by the search and the keyword lists.

MariaDB has no full-text parser for Chinese, where no space ends a word, and a dictionary cuts the same characters now
into one word and now into two. So the search has what MySQL's ngram parser would have: of such scripts each character
and each pair of neighbours, of others each word. Keywords come from the dictionary, and have a weight.

An answer is never lost with its words: where the dictionary fails, `Response.terms_due` is stored and the timer writes
the keywords later. The search does without it.
"""

from __future__ import annotations

import logging
import time
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from survey.models import TERM_MAX_LENGTH, Response, ResponseTerm

if TYPE_CHECKING:
    from survey.staff.filters import Filters  # forms, which a submission does without

logger = logging.getLogger(__name__)

BATCH = 100  # comments in one transaction
KEYWORDS = 10  # a comment
RANKED = 40  # words that they are chosen from: function words are left out
NEWEST = 1_000  # comments that a keyword list is made from: enough to rank, and the same work at a million answers
LISTED = 30  # keywords
MAX_SEARCH_TERMS = 10
COUNTED = 5_000  # comments of a term: beyond, it is common


@dataclass(frozen=True)
class Keyword:
    """A word, in how many comments it stands, its summed weight, and its size among the list's, 1 to 5."""

    term: str
    comments: int
    weight: float
    size: int


def terms_at_once(comment: str) -> tuple[dict[str, float], bool]:
    """`weighted_terms` of an answer that is being stored, and whether the timer must write its keywords."""
    if not comment:
        return {}, False
    try:
        from survey.text import lexicon

        try:
            with lexicon.without_building():
                return weighted_terms(comment), False
        except lexicon.NotBuilt:
            pass
    except Exception:  # whatever it is, the answer comes first; the timer meets it again, and raises
        logger.exception("terms.no_keywords")
    return dict.fromkeys(search_terms(comment), 0.0), True


def weighted_terms(comment: str) -> dict[str, float]:
    """What a comment is found by, with 0, and its keywords with their weight."""
    return {**dict.fromkeys(search_terms(comment), 0.0), **_keywords(normal(comment))}


def search_terms(comment: str) -> list[str]:
    """What a comment is found by: the different words, characters and pairs of characters in it."""
    terms: list[str] = []
    for has_spaces, run in _runs(normal(comment)):
        terms += [run] if has_spaces else [*run, *map("".join, pairwise(run))]
    return [term for term in dict.fromkeys(terms) if len(term) <= TERM_MAX_LENGTH]


def wanted_terms(text: str) -> list[str]:
    """What a comment must have to hold every word of a search: as few terms as cover it."""
    terms: list[str] = []
    for has_spaces, run in _runs(normal(text)):
        if has_spaces or len(run) == 1:
            terms.append(run)
        else:
            terms += [run[place : place + 2] for place in (*range(0, len(run) - 1, 2), len(run) - 2)]
    return list(dict.fromkeys(terms))


def normal(text: str) -> str:
    """The text as it is compared: full-width forms as plain ones, lower case."""
    return unicodedata.normalize("NFKC", text).casefold()


def _runs(text: str) -> Iterator[tuple[bool, str]]:
    """The runs of letters and digits, each with whether its script has spaces between words."""
    for has_spaces, run in groupby(text, _has_spaces):
        if has_spaces is not None:
            yield has_spaces, "".join(run)


def _has_spaces(character: str) -> bool | None:
    """Whether the character's script has spaces between words; None for what is neither letter nor digit.

    Letters without case (Unicode's category Lo) are those of Chinese, Japanese and Thai; that Korean and Arabic are
    among them does no harm.
    """
    if unicodedata.category(character) == "Lo":
        return False
    return True if character.isalnum() else None


def _keywords(text: str) -> dict[str, float]:
    """The words of a normal text that weigh most, function words aside; what it negates with its negation."""
    from survey.text import analysis
    from survey.text.function_words import is_function_word, negated

    instead = negated(analysis.segment(text))
    ranked = [(instead.get(word, word), weight) for word, weight in analysis.keywords(text, RANKED)]
    return dict([(word, weight) for word, weight in ranked if _is_word(word) and not is_function_word(word)][:KEYWORDS])


def _is_word(word: str) -> bool:
    return len(word) <= TERM_MAX_LENGTH and any(character.isalnum() for character in word)


def write(comments: Iterable[tuple[Response, Mapping[str, float]]]) -> None:
    """Store the weighted terms of answers that this transaction has stored or locked."""
    ResponseTerm.objects.bulk_create(
        (
            ResponseTerm(
                response=response,
                term=term,
                weight=weight,
                branch_id=response.branch_id,
                local_date=response.local_date,
                satisfaction=response.satisfaction,
            )
            for response, weights in comments
            for term, weight in weights.items()
        ),
        ignore_conflicts=True,  # to the database, terms may be equal that are not to Python
        batch_size=500,
    )


def index_comments(seconds: float) -> int:
    """Write the keywords that are due, starting no batch after `seconds`; returns of how many comments.

    Raises what was wrong with the last comment that failed, once the others are done, and LexiconError at once.

    Any number of timers may do this at once, and a guest may be erased meanwhile: the batch's answers are locked.
    """
    from survey.text.lexicon import LexiconError

    done = last = 0
    failure: Exception | None = None
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        with transaction.atomic():
            due = Response.objects.filter(terms_due=True, pk__gt=last).order_by("pk")
            if connection.features.has_select_for_update_skip_locked:
                due = due.select_for_update(skip_locked=True)
            batch = list(due[:BATCH])
            cut = []
            for response in batch:
                try:
                    cut.append((response, weighted_terms(response.comment)))
                except LexiconError:
                    raise
                except Exception as error:  # of one comment: it stays due, and is reported when the others are done
                    logger.exception("terms.failed", extra={"response": response.pk})
                    failure = error
            keys = [response.pk for response, _terms in cut]
            ResponseTerm.objects.filter(response__in=keys).delete()
            write(cut)
            Response.objects.filter(pk__in=keys).update(terms_due=False)
        done += len(cut)
        if len(batch) < BATCH:
            break
        last = batch[-1].pk
    if done:
        logger.info("terms.indexed", extra={"comments": done})
    if failure:
        raise failure
    return done


def search(
    responses: QuerySet[Response], filters: Filters, wanted: list[str], before: tuple[date, int] | None = None
) -> QuerySet[Response]:
    """Of the answers of the filters' period, those whose comment has every wanted term, newest first.

    `before`: only what is older than this day's answer with this key.
    """
    if not wanted:
        return responses.none()
    first, *others = wanted
    of_term = Q(terms__term=first, terms__local_date__range=(filters.start, filters.end))
    if filters.branch_ids is not None:
        of_term &= Q(terms__branch__in=filters.branch_ids)
    if before:
        day, pk = before
        of_term &= Q(terms__local_date__lt=day) | Q(terms__local_date=day, terms__response_id__lt=pk)
    found = responses.filter(of_term)
    for term in others:
        found = found.filter(pk__in=ResponseTerm.objects.filter(term=term).values("response"))
    return found.order_by("-terms__local_date", "-terms__response_id")


def rarest_first(filters: Filters) -> list[str]:
    """The wanted terms of the filters' words in the order in which a search had best ask for them: it goes through the
    comments of the first."""
    terms = wanted_terms(filters.words)
    if len(terms) < 2:
        return terms
    of_period = ResponseTerm.objects.filter(local_date__range=(filters.start, filters.end))
    return sorted(terms, key=lambda term: of_period.filter(term=term)[:COUNTED].count())


def keyword_list(filters: Filters, scores: Iterable[int]) -> list[Keyword]:
    """The keywords of the newest comments of the period with these scores, heaviest first."""
    wanted = [score for score in scores if not filters.scores or score in filters.scores]
    newest = Response.objects.filter(
        filters.where(), ~Q(comment=""), satisfaction__in=wanted, local_date__range=(filters.start, filters.end)
    ).order_by("-local_date")
    found: dict[str, list[float]] = defaultdict(list)
    keys = list(newest.values_list("pk", flat=True)[:NEWEST])
    for term, weight in ResponseTerm.objects.filter(response__in=keys, weight__gt=0).values_list("term", "weight"):
        found[term].append(weight)
    # One comment is an opinion, not a theme; a single character says little by itself.
    themes = {term: weights for term, weights in found.items() if len(weights) > 1 and len(term) > 1}
    heaviest = sorted(themes, key=lambda term: (-sum(themes[term]), term))[:LISTED]
    most = sum(themes[heaviest[0]]) if heaviest else 0.0
    return [
        Keyword(term, len(themes[term]), sum(themes[term]), 1 + min(4, int(5 * sum(themes[term]) / most)))
        for term in heaviest
    ]
