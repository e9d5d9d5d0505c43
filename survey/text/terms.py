"""Terms of a comment: what it is found by, and its keywords.

MariaDB has no full-text parser for Chinese, where no space ends a word, and a dictionary cuts the same characters now
into one word and now into two. So the search has what MySQL's ngram parser would have: of such scripts each character
and each pair of neighbours, of others each word. Keywords come from the dictionary, and have a weight.
"""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Iterator
from itertools import groupby, pairwise

from survey.text import TERM_MAX_LENGTH

logger = logging.getLogger(__name__)

KEYWORDS = 10  # a comment
RANKED = 40  # words that they are chosen from: function words are left out


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
