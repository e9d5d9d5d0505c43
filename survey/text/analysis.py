"""Chinese text analysis: words, keywords and TextRank, with jieba's results at a fraction of its cost.

Importing this module loads nothing; the first `segment` opens the lexicon, the first `keywords` or `textrank` the
tags and the IDF table. Pure, thread-safe functions, which raise LexiconError; see docs/text.md.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

Mode = Literal["accurate", "full", "search"]
NOUNS_AND_VERBS = ("ns", "n", "vn", "v")  # place names, nouns, verbal nouns, verbs: jieba's default for TextRank


def segment(text: str, mode: Mode = "accurate") -> list[str]:
    """Return the words of the text: jieba's `lcut`, `lcut(cut_all=True)` (full) or `lcut_for_search` (search)."""
    from survey.text.segmenter import tokenizer

    words: list[str] = (
        tokenizer.lcut_for_search(text) if mode == "search" else tokenizer.lcut(text, cut_all=mode == "full")
    )
    return words


def tagged(text: str) -> list[tuple[str, str]]:
    """Return (word, part of speech) pairs: jieba's `posseg.lcut`."""
    from survey.text.tagger import tagger

    return [(pair.word, pair.flag) for pair in tagger.cut(text)]


def keywords(text: str, top_k: int = 20, allow_pos: Collection[str] = ()) -> list[tuple[str, float]]:
    """Return (word, TF-IDF) pairs of the `top_k` heaviest words with a part of speech in `allow_pos` (empty: any)."""
    from survey.text.tagger import analyse

    ranked: list[tuple[str, float]] = analyse.extract_tags(text, top_k, withWeight=True, allowPOS=allow_pos)
    return ranked


def textrank(text: str, top_k: int = 20, allow_pos: Collection[str] = NOUNS_AND_VERBS) -> list[tuple[str, float]]:
    """Return (word, weight) pairs of the `top_k` words that TextRank ranks first, with `allow_pos` as above."""
    from survey.text.tagger import analyse

    # A TextRank object stores the parts of speech of its last call, so threads must not share one.
    ranked: list[tuple[str, float]] = analyse.TextRank().textrank(text, top_k, withWeight=True, allowPOS=allow_pos)
    return ranked
