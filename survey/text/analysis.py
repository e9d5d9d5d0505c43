"""Chinese text analysis: words, keywords and TextRank, with jieba's answers at a fraction of its cost.

Importing this module loads nothing; the first `segment` opens the lexicon, the first `keywords` or `textrank` the
tags and the IDF table. Pure functions, safe in threads; docs/text.md says how it works.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

Mode = Literal["accurate", "full", "search"]
NOUNS_AND_VERBS = ("ns", "n", "vn", "v")  # place names, nouns, verbal nouns, verbs: jieba's choice for TextRank


def segment(text: str, mode: Mode = "accurate") -> list[str]:
    """The words of the text: jieba's `lcut`, `lcut(cut_all=True)` (full) or `lcut_for_search` (search)."""
    from survey.text.segmenter import tokenizer

    words: list[str] = (
        tokenizer.lcut_for_search(text) if mode == "search" else tokenizer.lcut(text, cut_all=mode == "full")
    )
    return words


def tagged(text: str) -> list[tuple[str, str]]:
    """The words of the text with their parts of speech: jieba's `posseg.lcut`."""
    from survey.text.tagger import tagger

    return [(pair.word, pair.flag) for pair in tagger.cut(text)]


def keywords(text: str, top_k: int = 20, allow_pos: Collection[str] = ()) -> list[tuple[str, float]]:
    """The `top_k` words with the greatest TF-IDF, of the parts of speech in `allow_pos` (empty: all)."""
    from survey.text.tagger import analyse

    ranked: list[tuple[str, float]] = analyse.extract_tags(text, top_k, withWeight=True, allowPOS=allow_pos)
    return ranked


def textrank(text: str, top_k: int = 20, allow_pos: Collection[str] = NOUNS_AND_VERBS) -> list[tuple[str, float]]:
    """The `top_k` words that TextRank puts first, of the parts of speech in `allow_pos`."""
    from survey.text.tagger import analyse

    # A TextRank keeps the parts of speech of its last call: one for each call, so that threads do not share it.
    ranked: list[tuple[str, float]] = analyse.TextRank().textrank(text, top_k, withWeight=True, allowPOS=allow_pos)
    return ranked
