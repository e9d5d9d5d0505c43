"""Terms of a comment, which the search looks up, and its keywords.

Chinese has no spaces between words, MariaDB has no full-text parser for it, and a dictionary segments the same
characters differently in different sentences. Search terms are therefore those of MySQL's ngram parser: each character
and each pair of neighbours in such scripts, each word in others. Keywords come from the dictionary and have a weight.
"""

from __future__ import annotations

import logging
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from itertools import groupby, pairwise

from survey.text import TERM_MAX_LENGTH

logger = logging.getLogger(__name__)

KEYWORDS = 10  # of a comment, at most
RANKED = 40  # words by TF-IDF, from which function words are removed


def terms_at_once(comment: str) -> tuple[dict[str, float], bool]:
    """Return the weighted terms of a comment that is being stored, and whether its keywords are left to the job."""
    if not comment:
        return {}, False
    try:
        from survey.text import lexicon

        with suppress(lexicon.NotBuilt), lexicon.without_building():
            return weighted_terms(comment), False
    except Exception:  # the submission comes first; the job meets the same error and raises it
        logger.exception("terms.no_keywords")
    return dict.fromkeys(search_terms(comment), 0.0), True


def weighted_terms(comment: str) -> dict[str, float]:
    """Return the terms of a comment with their weights; weight 0 means search only."""
    return {**dict.fromkeys(search_terms(comment), 0.0), **_keywords(normalize(comment))}


def search_terms(comment: str) -> list[str]:
    """Return the distinct words, characters and pairs of characters of a comment, up to TERM_MAX_LENGTH each."""
    terms: list[str] = []
    for has_spaces, run in _runs(normalize(comment)):
        terms += [run] if has_spaces else [*run, *map("".join, pairwise(run))]
    return [term for term in dict.fromkeys(terms) if len(term) <= TERM_MAX_LENGTH]


def wanted_terms(text: str) -> list[str]:
    """Return the fewest terms that cover a search: a comment that matches has all of them, and `wanted_phrases`."""
    terms: list[str] = []
    for has_spaces, run in _runs(normalize(text)):
        if has_spaces or len(run) == 1:
            terms.append(run)
        else:
            terms += [run[place : place + 2] for place in (*range(0, len(run) - 1, 2), len(run) - 2)]
    return list(dict.fromkeys(terms))


def wanted_phrases(text: str) -> list[str]:
    """Return the runs of a search that a comment with all their terms may lack: those of more than one pair.

    A comment that says 服务不好，但是好吃 has the terms of 不好吃.
    """
    return list(dict.fromkeys(run for has_spaces, run in _runs(normalize(text)) if not has_spaces and len(run) > 2))


def normalize(text: str) -> str:
    """Return the text in the form that is indexed and compared: NFKC, so no full-width forms, and case folded."""
    return unicodedata.normalize("NFKC", text).casefold()


def _runs(text: str) -> Iterator[tuple[bool, str]]:
    """Yield each run of letters and digits, after whether its script puts spaces between words."""
    for has_spaces, run in groupby(text, _has_spaces):
        if has_spaces is not None:
            yield has_spaces, "".join(run)


def _has_spaces(character: str) -> bool | None:
    """Return whether the character's script puts spaces between words, None for neither letter nor digit.

    Unicode's category Lo, letters without case, has Chinese, Japanese and Thai. Korean and Arabic are in it too; their
    words are still found, by pairs of characters.
    """
    if unicodedata.category(character) == "Lo":
        return False
    return True if character.isalnum() else None


def _keywords(text: str) -> dict[str, float]:
    """Return the heaviest words of a normalized text without function words, a negated word with its negation.

    A word's weight is divided among its plain and its negated occurrences.
    """
    from survey.text import analysis
    from survey.text.function_words import is_function_word, negated

    occurrences = negated(analysis.segment(text))
    weights: dict[str, float] = defaultdict(float)
    for word, weight in analysis.keywords(text, RANKED):
        counts = occurrences.get(word) or Counter([word])
        for shown, count in counts.items():
            weights[shown] += weight * count / counts.total()
    ranked = sorted(weights.items(), key=lambda item: -item[1])
    return dict([(word, weight) for word, weight in ranked if _is_word(word) and not is_function_word(word)][:KEYWORDS])


def _is_word(word: str) -> bool:
    return len(word) <= TERM_MAX_LENGTH and any(character.isalnum() for character in word)
