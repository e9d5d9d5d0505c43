"""Words of comments: written with the answer, read by the search and the keyword lists.

An answer is never lost with its words: where they cannot be had, `Response.terms_due` is stored in their place and the
timer writes them; until it comes, the search reads those comments as they are.
"""

from __future__ import annotations

import logging
import time
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from survey.models import TERM_MAX_LENGTH, Response, ResponseTerm

if TYPE_CHECKING:
    from survey.filters import Filters  # forms, which a submission does without

logger = logging.getLogger(__name__)

BATCH = 100  # comments in one transaction
KEYWORDS = 10  # a comment
RANKED = 40  # words that they are chosen from: function words are left out
NEWEST = 1_000  # comments that a keyword list is made from: enough to rank, and the same work at a million answers
LISTED = 30  # keywords
MAX_SEARCH_TERMS = 5


@dataclass(frozen=True)
class Keyword:
    """A word, in how many comments it stands, its summed weight, and its size among the list's, 1 to 5."""

    term: str
    comments: int
    weight: float
    size: int


def words_at_once(comment: str) -> dict[str, float] | None:
    """`weighted_words` for an answer that is being stored; None where the timer must write them."""
    if not comment:
        return {}
    try:
        from survey.text import lexicon

        try:
            with lexicon.without_building():
                return weighted_words(comment)
        except lexicon.NotBuilt:
            return None
    except Exception:  # whatever it is, the answer comes first; the timer meets it again, and raises
        logger.exception("terms.not_written")
        return None


def weighted_words(comment: str) -> dict[str, float]:
    """The different words of a comment that are searched for: keywords with their weight, others with 0."""
    text = normal(comment)
    return {**dict.fromkeys(words(text), 0.0), **_keywords(text)} if text else {}


def write(comments: Iterable[tuple[Response, Mapping[str, float]]]) -> None:
    """Store the weighted words of answers that this transaction has stored or locked."""
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
        ignore_conflicts=True,  # to the database, words may be equal that are not to Python
        batch_size=500,
    )


def index_comments(seconds: float) -> int:
    """Write the words of comments that have none yet, starting no batch after `seconds`; returns how many comments.

    Raises what was wrong with the last comment that failed, once the others have their words, and LexiconError at once.

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
                    cut.append((response, weighted_words(response.comment)))
                except LexiconError:
                    raise
                except Exception as error:  # of one comment: it stays due, and is reported when the others are done
                    logger.exception("terms.failed", extra={"response": response.pk})
                    failure = error
            write(cut)
            Response.objects.filter(pk__in=[response.pk for response, _words in cut]).update(terms_due=False)
        done += len(cut)
        if len(batch) < BATCH:
            break
        last = batch[-1].pk
    if done:
        logger.info("terms.indexed", extra={"comments": done})
    if failure:
        raise failure
    return done


def _keywords(text: str) -> dict[str, float]:
    """The words of a normal text that weigh most, function words aside."""
    from survey.text import analysis
    from survey.text.function_words import is_function_word

    ranked = analysis.keywords(text, RANKED)
    return dict([(term, weight) for term, weight in ranked if _is_word(term) and not is_function_word(term)][:KEYWORDS])


def normal(text: str) -> str:
    """The text as it is compared: full-width forms as plain ones, lower case."""
    return unicodedata.normalize("NFKC", text).casefold()


def words(text: str) -> list[str]:
    """The different words of a normal text, long ones also by the words inside them."""
    from survey.text import analysis

    return [word for word in dict.fromkeys(analysis.segment(text, mode="search")) if _is_word(word)] if text else []


def _is_word(word: str) -> bool:
    return len(word) <= TERM_MAX_LENGTH and any(character.isalnum() for character in word)


def wanted_terms(text: str) -> list[str]:
    """The words that a search looks for: the text itself where some comment has it as a word, else what it consists of.

    So a keyword's link, and most searches, do without the dictionary.
    """
    from survey.text.lexicon import LexiconError

    text = normal(text)
    if ResponseTerm.objects.filter(term=text).exists():
        return [text]
    try:
        return words(text)[:MAX_SEARCH_TERMS]
    except LexiconError:  # nor have comments got any words since then: they are searched as they are
        logger.exception("terms.not_cut")
        return [text]


def search(
    responses: QuerySet[Response], filters: Filters, wanted: list[str], before: tuple[date, int] | None = None
) -> QuerySet[Response]:
    """Of the answers of the filters' period, those whose comment has every wanted word, newest first.

    `before`: only what is older than this day's answer with this key. A comment whose words are still due is found by
    the text of the search as it was typed.
    """
    from survey import selectors  # which a submission does without

    due = Q(terms_due=True, comment__icontains=filters.words)
    if responses.filter(due).exists():
        matching = Q(pk__in=_search_terms(responses, filters, wanted, before).order_by().values("pk")) | due
        found = responses.filter(matching).order_by("-local_date", "-id")
        return selectors.older_than(found, *before) if before else found
    return _search_terms(responses, filters, wanted, before)


def _search_terms(
    responses: QuerySet[Response], filters: Filters, wanted: list[str], before: tuple[date, int] | None
) -> QuerySet[Response]:
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
