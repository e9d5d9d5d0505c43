"""Function words, which no keyword list shows, and negations."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from survey.text.segmenter import tokenizer

# First letters of jieba's tags (those of the People's Daily corpus): conjunctions, adverbs, interjections, places,
# affixes, numerals with and without measure words, onomatopoeia, prepositions, measure words, pronouns, particles.
TAGS = frozenset("cdefhkmopqruy")
# Function words that the dictionary tags as nouns, verbs or times, or lacks.
CHINESE = """
时候 时 事情 东西 地方 样子 情况 半个小时 半小时 下次 这次 上次 每次 今天 昨天 明天 现在 刚才 没有
有点 是不是 不是 不会 不能 不要 算了 放下 补得 觉得 感觉 认为 以为 知道 看到 发现 希望
需要 应该 轮到 起来 出来 进来 过来 回来 下来 上来 端上来 出去 进去 过去 回去 下去 上去 值得 容易 正好
"""
# The English stop words of the Snowball project, and more pronouns and adverbs.
ENGLISH = """
i me my myself we us our ours ourselves you your yours yourself yourselves he him his himself she her hers
herself it its itself they them their theirs themselves what which who whom this that these those am is are
was were be been being have has had having do does did doing will would shall should can could may might must
ought a an the and but if or because as until while of at by for with about against between into through
during before after above below to from up down in out on off over under again further then once here there
when where why how all any both each few more most other some such no nor not only own same so than too very
just now also even still don doesn didn isn aren wasn weren hasn haven hadn won wouldn couldn shouldn ll ve re
much many one quite really bit got get go went came come nobody somebody everybody anybody nothing something
everything anything everyone someone anyone
"""
WORDS = frozenset((CHINESE + ENGLISH).split())
NOT = frozenset(("不", "不太", "不够", "不怎么"))
NEGATIONS = NOT | {"没", "没有", "未", "不是"}  # the others negate adjectives and verbs only: 没有座位 keeps 座位


def negated(words: Iterable[str]) -> dict[str, Counter[str]]:
    """Return what each negated word of a segmented text stands for, with the number of occurrences.

    干净，不干净 maps 干净 to {干净: 1, 不干净: 1}; 没有擦干净, with a verb between, maps 干净 to {'': 1}.
    """
    occurrences: defaultdict[str, Counter[str]] = defaultdict(Counter)
    before = last = ""
    for word in words:
        kind = _kind(word)
        shown = word
        if (last in NOT and word.isalnum()) or (last in NEGATIONS and kind in "av"):
            shown = last + word
        elif before in NEGATIONS and kind == "a" and last.isalnum():
            shown = ""
        occurrences[word][shown] += 1
        before, last = last, word
    return {word: counts for word, counts in occurrences.items() if set(counts) != {word}}


def is_function_word(word: str) -> bool:
    """Return whether a lower-case word is a function word, by the lists or by the dictionary's part of speech."""
    return word in WORDS or _kind(word) in TAGS


def _kind(word: str) -> str:
    """Return the first letter of the word's tag, `x` for an unknown word."""
    return (tokenizer.tables.tag(word) or "x")[0]
