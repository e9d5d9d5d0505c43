"""jieba's Tokenizer over the lexicon. Importing this module opens the lexicon and reads JIEBA_USER_DICT."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator
from math import log
from pathlib import Path
from typing import Any

from survey.text import lexicon
from survey.text.lexicon import Lexicon, LexiconError
from survey.text.substitution import import_jieba, rebind

jieba = import_jieba()

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
MIN_FLOAT = -3.14e100  # jieba's own "impossible", as a logarithm
REMEMBERED_FRAGMENTS = 16_384  # about 3 MB; natural text comes back to the same few thousand


class Frequencies:
    """Stands for `Tokenizer.FREQ`: word to frequency, 0 for what only begins words; user words lie over the lexicon."""

    def __init__(self, tables: Lexicon) -> None:
        self.tables = tables
        self.user_words: dict[str, int] = {}

    def get(self, word: str, default: Any = None) -> Any:
        """The frequency, 0 for a beginning of a word, else `default`."""
        frequency = self.user_words.get(word)
        if frequency is not None:
            return frequency
        number = self.tables.words.get(word)
        if number is not None:
            return self.tables.frequency(number)
        return 0 if next(self.tables.words.iterkeys(word), None) is not None else default

    def __contains__(self, word: str) -> bool:
        return self.get(word) is not None

    def __getitem__(self, word: str) -> int:
        frequency: int | None = self.get(word)
        if frequency is None:
            raise KeyError(word)
        return frequency

    def __setitem__(self, word: str, frequency: int) -> None:
        self.user_words[word] = frequency


class Fragments(dict[str, tuple[float | None, bool]]):
    """Fragment of text to its log-probability (None: no word) and whether longer words begin with it.

    Filled as text asks for it, and emptied when it is full or the words change.
    """

    def __init__(self, frequencies: Frequencies) -> None:
        super().__init__()
        self.frequencies = frequencies
        self.user_beginnings: set[str] = set()
        self.log_total = 0.0

    def words_changed(self, total: int) -> None:
        """Forget everything: a user word is new, or `total`, the sum of all frequencies, is."""
        self.clear()
        self.log_total = log(total)

    def __missing__(self, fragment: str) -> tuple[float | None, bool]:
        if len(self) >= REMEMBERED_FRAGMENTS:
            self.clear()
        words = self.frequencies.tables.words
        beginning_with_it = words.iterkeys(fragment)  # gives the fragment itself first, if it is a word
        first = next(beginning_with_it, None)
        probability = None
        if first == fragment:
            probability = self.frequencies.tables.logarithm(words[fragment]) - self.log_total
            longer = next(beginning_with_it, None) is not None
        else:
            longer = first is not None
        user_frequency = self.frequencies.user_words.get(fragment)
        if user_frequency is not None:
            probability = log(user_frequency) - self.log_total if user_frequency else None
        entry = self[fragment] = probability, longer or fragment in self.user_beginnings
        return entry


class Graph:
    """Stands for the DAG of a sentence (start of a word to the ends of all words there), made only if it is read.

    Full mode reads it; for accurate mode `Tokenizer.calc` goes through the sentence itself.
    """

    def __init__(self, fragments: Fragments, sentence: str) -> None:
        self.fragments = fragments
        self.sentence = sentence

    def __getitem__(self, start: int) -> list[int]:
        ends = []
        stop = start + 1
        longer = True
        while longer and stop <= len(self.sentence):
            probability, longer = self.fragments[self.sentence[start:stop]]
            if probability is not None:
                ends.append(stop - 1)
            stop += 1
        return ends or [start]

    def items(self) -> Iterator[tuple[int, list[int]]]:
        """Start and ends, from left to right."""
        return ((start, self[start]) for start in range(len(self.sentence)))


class Tokenizer(jieba.Tokenizer):  # type: ignore[misc]
    """jieba's tokenizer; only looking words up (`get_DAG`, `calc`) is ours."""

    def __init__(self, tables: Lexicon) -> None:
        super().__init__()
        self.tables = tables
        self.FREQ = Frequencies(tables)
        self.total = tables.total
        self.fragments = Fragments(self.FREQ)
        self.fragments.words_changed(self.total)
        self.initialized = True

    def initialize(self, dictionary: str | None = None) -> None:
        """Nothing to load; another main dictionary than jieba's is refused."""
        if dictionary or self.dictionary:
            raise LexiconError("This tokenizer has jieba's own dictionary; words are added with load_userdict.")
        self.initialized = True

    def get_dict_file(self) -> io.BytesIO:
        """Empty: whoever would read the dictionary (POSTokenizer) finds it in the lexicon."""
        return io.BytesIO()

    def add_word(self, word: str, freq: int | None = None, tag: str | None = None) -> None:
        """As jieba does; a frequency of None is one that makes the word come out whole."""
        super().add_word(word, freq, tag)
        self.fragments.user_beginnings.update(word[:length] for length in range(1, len(word)))
        self.fragments.words_changed(self.total)

    def get_DAG(self, sentence: str) -> Graph:  # noqa: N802  jieba's name
        """All words in the sentence."""
        return Graph(self.fragments, sentence)

    def calc(self, sentence: str, DAG: Graph, route: dict[int, tuple[float, int]]) -> None:  # noqa: N803
        """Fill `route`: by start the log-probability of the best words to the end, and where the first of them ends.

        The sums are formed in jieba's order, and of equal ones the longer word wins as there, so that the words are
        the same to the last bit. An unknown character counts as a word of frequency 1.
        """
        fragments = self.fragments
        unknown = 0.0 - fragments.log_total
        length = len(sentence)
        following = 0.0
        scores = [following] * (length + 1)
        ends = [0] * length
        for start in range(length - 1, -1, -1):
            probability, longer = fragments[sentence[start]]
            best = None if probability is None else probability + following
            end = start
            stop = start + 2
            while longer and stop <= length:
                probability, longer = fragments[sentence[start:stop]]
                if probability is not None:
                    score = probability + scores[stop]
                    if best is None or score >= best:
                        best = score
                        end = stop - 1
                stop += 1
            scores[start] = following = unknown + following if best is None else best
            ends[start] = end
        route.update(enumerate(zip(scores, ends, strict=False)))
        route[length] = (0, 0)


class Emissions(dict[str, tuple[float, float, float, float]]):
    """Character to its log-probabilities as B, M, E, S; at most the 14,500 characters of jieba's table and unknown ones."""

    def __init__(self, tables: Lexicon) -> None:
        super().__init__()
        self.tables = tables

    def __missing__(self, character: str) -> tuple[float, float, float, float]:
        impossible = (MIN_FLOAT, MIN_FLOAT, MIN_FLOAT, MIN_FLOAT)
        entry = self[character] = self.tables.finalseg_emissions(character) or impossible
        return entry


def viterbi_over(tables: Lexicon) -> Callable[..., tuple[float, list[str]]]:
    """`jieba.finalseg.viterbi` with its four states written out, since most of its time goes into building lists.

    Same sums in the same order; of equal ones the state with the later letter wins, as in jieba's max() of pairs.
    """
    emissions = Emissions(tables)
    start = tables.facts["finalseg"]["start"]
    after = tables.facts["finalseg"]["transitions"]
    begin_middle, begin_end = after["B"]["M"], after["B"]["E"]
    middle_middle, middle_end = after["M"]["M"], after["M"]["E"]
    end_begin, end_single = after["E"]["B"], after["E"]["S"]
    single_begin, single_single = after["S"]["B"], after["S"]["S"]

    def viterbi(obs: str, states: str, start_p: object, trans_p: object, emit_p: object) -> tuple[float, list[str]]:
        """The likeliest states of the characters `obs`; the tables passed by jieba are the empty stand-ins."""
        emit_begin, emit_middle, emit_end, emit_single = emissions[obs[0]]
        begin, middle = start["B"] + emit_begin, start["M"] + emit_middle
        end, single = start["E"] + emit_end, start["S"] + emit_single
        before: list[dict[str, str]] = []
        for character in obs[1:]:
            emit_begin, emit_middle, emit_end, emit_single = emissions[character]
            begin_after_end, begin_after_single = end + end_begin + emit_begin, single + single_begin + emit_begin
            single_after_end, single_after_single = end + end_single + emit_single, single + single_single + emit_single
            middle_after_begin, middle_after_middle = (
                begin + begin_middle + emit_middle,
                middle + middle_middle + emit_middle,
            )
            end_after_begin, end_after_middle = begin + begin_end + emit_end, middle + middle_end + emit_end
            before.append(
                {
                    "B": "S" if begin_after_single >= begin_after_end else "E",
                    "M": "M" if middle_after_middle >= middle_after_begin else "B",
                    "E": "M" if end_after_middle >= end_after_begin else "B",
                    "S": "S" if single_after_single >= single_after_end else "E",
                }
            )
            begin = max(begin_after_end, begin_after_single)
            middle = max(middle_after_begin, middle_after_middle)
            end = max(end_after_begin, end_after_middle)
            single = max(single_after_end, single_after_single)
        probability, state = (single, "S") if single >= end else (end, "E")
        path = [state]
        for step in reversed(before):
            state = step[state]
            path.append(state)
        path.reverse()
        return probability, path

    return viterbi


def default_tokenizer() -> Tokenizer:
    """The tokenizer over the lexicon, with the words of JIEBA_USER_DICT: a file in jieba's format, word [freq] [tag]."""
    tables = lexicon.load()
    jieba.finalseg.viterbi = viterbi_over(tables)
    tokenizer = Tokenizer(tables)
    rebind(jieba, tokenizer)
    user_dictionary = os.environ.get("JIEBA_USER_DICT", "").strip()
    if user_dictionary:
        path = PROJECT_FOLDER / user_dictionary
        try:
            with path.open("rb") as file:
                tokenizer.load_userdict(file)
        except (OSError, ValueError) as error:
            raise LexiconError(f"JIEBA_USER_DICT={user_dictionary} cannot be used: {error}") from error
    return tokenizer


tokenizer = default_tokenizer()
