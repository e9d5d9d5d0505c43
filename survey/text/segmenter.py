"""jieba's Tokenizer over the lexicon. Importing this module opens the lexicon and reads JIEBA_USER_DICT."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from math import log
from pathlib import Path
from typing import Any

from mydjango.operations import environment
from survey.text import lexicon
from survey.text.lexicon import LexiconError
from survey.text.lexicon_reader import MIN_FLOAT, Lexicon
from survey.text.substitution import import_jieba, rebind

jieba = import_jieba()

STATES = "BMES"  # of finalseg: a character begins a word, is in its middle, ends it, or is a word
BEGIN, MIDDLE, END, SINGLE = range(4)
PROJECT_FOLDER = Path(__file__).resolve().parents[2]
REMEMBERED_FRAGMENTS = 32_768  # at most 5 MB; natural text repeats the same few thousand
REMEMBERED_CHARACTERS = 4_096  # about 1 MB each for fragments and emissions; natural text has fewer


class Frequencies:
    """Replace `Tokenizer.FREQ`, a dict from words to frequencies, 0 for prefixes: user words, then the lexicon."""

    def __init__(self, tables: Lexicon) -> None:
        self.tables = tables
        self.user_words: dict[str, int] = {}

    def get(self, word: str, default: Any = None) -> Any:
        """Return the frequency of a word, 0 for a mere prefix of words, else `default`."""
        frequency = self.user_words.get(word)
        if frequency is not None:
            return frequency
        frequency = self.tables.frequency(word)
        return default if frequency is None else frequency

    def __contains__(self, word: str) -> bool:
        return self.get(word) is not None

    def __getitem__(self, word: str) -> int:
        frequency: int | None = self.get(word)
        if frequency is None:
            raise KeyError(word)
        return frequency

    def __setitem__(self, word: str, frequency: int) -> None:
        self.user_words[word] = frequency


# The dictionary's entry of a fragment of text: the log-probability of its first character as a word and of the whole
# as a word, None for no word, and whether longer words begin with it. A plain tuple unpacks fastest.
Entry = tuple[float | None, float | None, bool]


class Fragments(dict[str, Entry]):
    """A cache of entries by fragment: two characters of text, the lone last one, or more where longer words begin.

    Emptied when it is full or the words change.
    """

    def __init__(self, tables: Lexicon, user_words: dict[str, int]) -> None:
        super().__init__()
        self.tables = tables
        self.user_words = user_words
        self.user_beginnings: set[str] = set()
        self.characters: dict[str, Entry] = {}  # by single character: the many pairs without words share these
        self.log_total = 0.0

    def words_changed(self, total: int) -> None:
        """Empty the cache after a user word was added, with the new sum of all frequencies, `total`."""
        self.clear()
        self.characters.clear()
        self.log_total = log(total)

    def __missing__(self, fragment: str) -> Entry:
        if len(self) >= REMEMBERED_FRAGMENTS:
            self.clear()
        alone = self.characters.get(fragment[0])
        if alone is None:
            if len(self.characters) >= REMEMBERED_CHARACTERS:
                self.characters.clear()
            alone = self.characters[fragment[0]] = self.look_up(fragment[0])[0], None, False
        entry = alone
        if len(fragment) > 1:
            whole, longer = self.look_up(fragment)
            if whole is not None or longer:
                entry = alone[0], whole, longer
        self[fragment] = entry
        return entry

    def look_up(self, fragment: str) -> tuple[float | None, bool]:
        """Return the log-probability of a word, None for no word, and whether longer words begin with it."""
        logarithm, longer = self.tables.look_up(fragment)
        if self.user_words:
            frequency = self.user_words.get(fragment)
            if frequency is not None:
                logarithm = log(frequency) if frequency else None
            longer = longer or fragment in self.user_beginnings
        return None if logarithm is None else logarithm - self.log_total, longer


class Graph:
    """Replace the DAG of a sentence, a dict from the start of a word to the ends of all words there, but lazily.

    Only full mode reads it; in accurate mode `Tokenizer.calc` reads the sentence itself.
    """

    def __init__(self, fragments: Fragments, sentence: str) -> None:
        self.fragments = fragments
        self.sentence = sentence

    def __getitem__(self, start: int) -> list[int]:
        first, both, longer = self.fragments[self.sentence[start : start + 2]]
        ends = [start] if first is not None else []
        if both is not None:
            ends.append(start + 1)
        stop = start + 3
        while longer and stop <= len(self.sentence):
            _, whole, longer = self.fragments[self.sentence[start:stop]]
            if whole is not None:
                ends.append(stop - 1)
            stop += 1
        return ends or [start]

    def items(self) -> Iterator[tuple[int, list[int]]]:
        """Yield each start with its ends, from left to right."""
        return ((start, self[start]) for start in range(len(self.sentence)))


class Tokenizer(jieba.Tokenizer):  # type: ignore[misc,name-defined]
    """jieba's tokenizer with other look-ups of words (`get_DAG`, `calc`)."""

    def __init__(self, tables: Lexicon) -> None:
        super().__init__()
        self.tables = tables
        self.FREQ = Frequencies(tables)
        self.total = tables.total
        self.fragments = Fragments(tables, self.FREQ.user_words)
        self.fragments.words_changed(self.total)
        self.initialized = True

    def initialize(self, dictionary: str | None = None) -> None:
        """Load nothing. Raises LexiconError for another main dictionary than jieba's."""
        if dictionary or self.dictionary:
            raise LexiconError("This tokenizer has jieba's own dictionary; words are added with load_userdict.")
        self.initialized = True

    def get_dict_file(self) -> io.BytesIO:
        """Return an empty file: POSTokenizer, which would read it, finds the dictionary in the lexicon."""
        return io.BytesIO()

    def add_word(self, word: str, freq: int | None = None, tag: str | None = None) -> None:
        """Add a user word; a frequency of None is replaced by one that keeps the word in one piece."""
        super().add_word(word, freq, tag)
        self.fragments.user_beginnings.update(word[:length] for length in range(1, len(word)))
        self.fragments.words_changed(self.total)

    def get_DAG(self, sentence: str) -> Graph:
        """Return all words in the sentence."""
        return Graph(self.fragments, sentence)

    def calc(self, sentence: str, DAG: Graph, route: dict[int, tuple[float, int]]) -> None:
        """Fill `route`: by start the log-probability of the best words to the end, and the end of the first of them.

        The sums are formed in jieba's order, and of equal sums the longer word wins as in jieba, so that the words
        are the same. An unknown character counts as a word of frequency 1.
        """
        fragments = self.fragments
        unknown = 0.0 - fragments.log_total
        length = len(sentence)
        following = after_both = 0.0  # scores of the text after the first character and after both
        scores = [following] * (length + 1)
        ends = [0] * length
        for start in range(length - 1, -1, -1):
            first, both, longer = fragments[sentence[start : start + 2]]
            best = None if first is None else first + following
            end = start
            if both is not None:
                score = both + after_both
                if best is None or score >= best:
                    best = score
                    end = start + 1
            stop = start + 3
            while longer and stop <= length:
                _, whole, longer = fragments[sentence[start:stop]]
                if whole is not None:
                    score = whole + scores[stop]
                    if best is None or score >= best:
                        best = score
                        end = stop - 1
                stop += 1
            after_both = following
            scores[start] = following = unknown + following if best is None else best
            ends[start] = end
        route.update(enumerate(zip(scores, ends, strict=False)))
        route[length] = (0, 0)


class Emissions(dict[str, tuple[float, float, float, float]]):
    """By character its log-probabilities as B, M, E, S; emptied when full."""

    def __init__(self, tables: Lexicon) -> None:
        super().__init__()
        self.tables = tables

    def __missing__(self, character: str) -> tuple[float, float, float, float]:
        if len(self) >= REMEMBERED_CHARACTERS:
            self.clear()
        impossible = (MIN_FLOAT, MIN_FLOAT, MIN_FLOAT, MIN_FLOAT)
        entry = self[character] = self.tables.finalseg_emissions(character) or impossible
        return entry


def viterbi_over(tables: Lexicon) -> Callable[..., tuple[float, list[str]]]:
    """Return a `jieba.finalseg.viterbi` with its four states written out: jieba's spends its time building lists.

    The sums are formed in jieba's order, and of equal sums the later letter wins, as in jieba's max() of pairs.
    """
    emissions = Emissions(tables)
    start = tables.facts["finalseg"]["start"]
    after = tables.facts["finalseg"]["transitions"]
    begin_middle, begin_end = after["B"]["M"], after["B"]["E"]
    middle_middle, middle_end = after["M"]["M"], after["M"]["E"]
    end_begin, end_single = after["E"]["B"], after["E"]["S"]
    single_begin, single_single = after["S"]["B"], after["S"]["S"]

    def viterbi(obs: str, states: str, start_p: object, trans_p: object, emit_p: object) -> tuple[float, list[str]]:
        """Return the likeliest states of the characters `obs`. jieba passes its empty tables, which are not used."""
        emit_begin, emit_middle, emit_end, emit_single = emissions[obs[0]]
        begin, middle = start["B"] + emit_begin, start["M"] + emit_middle
        end, single = start["E"] + emit_end, start["S"] + emit_single
        before: list[tuple[int, int, int, int]] = []
        for character in obs[1:]:
            emit_begin, emit_middle, emit_end, emit_single = emissions[character]
            score_begin, from_begin = single + single_begin + emit_begin, SINGLE
            score = end + end_begin + emit_begin
            if score > score_begin:
                score_begin, from_begin = score, END
            score_middle, from_middle = middle + middle_middle + emit_middle, MIDDLE
            score = begin + begin_middle + emit_middle
            if score > score_middle:
                score_middle, from_middle = score, BEGIN
            score_end, from_end = middle + middle_end + emit_end, MIDDLE
            score = begin + begin_end + emit_end
            if score > score_end:
                score_end, from_end = score, BEGIN
            score_single, from_single = single + single_single + emit_single, SINGLE
            score = end + end_single + emit_single
            if score > score_single:
                score_single, from_single = score, END
            begin, middle, end, single = score_begin, score_middle, score_end, score_single
            before.append((from_begin, from_middle, from_end, from_single))
        probability, state = (single, SINGLE) if single >= end else (end, END)
        path = [STATES[state]]
        for origins in reversed(before):
            state = origins[state]
            path.append(STATES[state])
        path.reverse()
        return probability, path

    return viterbi


def default_tokenizer() -> Tokenizer:
    """Create the tokenizer over the lexicon with the user words of JIEBA_USER_DICT. Raises LexiconError."""
    tables = lexicon.load()
    jieba.finalseg.viterbi = viterbi_over(tables)
    tokenizer = Tokenizer(tables)
    rebind(jieba, tokenizer)
    user_dictionary = environment.text("JIEBA_USER_DICT")
    if user_dictionary:
        path = PROJECT_FOLDER / user_dictionary
        try:
            with path.open("rb") as file:
                tokenizer.load_userdict(file)
        except (OSError, ValueError) as error:
            raise LexiconError(f"JIEBA_USER_DICT={user_dictionary} cannot be used: {error}") from error
    return tokenizer


tokenizer = default_tokenizer()
