"""Reading the lexicon: jieba's dictionary, IDF table and hidden Markov models in one memory-mapped file.

`survey/text/build.py` says what is in it, `survey/text/lexicon.py` where it lies.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from math import log
from pathlib import Path

import marisa_trie

from survey.text.substitution import import_jieba
from survey.text.tables import TableFile

NO_IDF = 0xFFFF
BEGINS_LONGER = 0x8000  # set in a fragment's frequency number where longer words begin with the fragment

State = tuple[str, str]


class Stale(Exception):
    """A whole file, but made from another jieba or by another marisa-trie than the installed ones."""


class Lexicon:
    """The tables of one file. Each is mapped and checked when it is first used."""

    def __init__(self, file: TableFile) -> None:
        self.file = file
        self.facts = file.header
        self.total: int = self.facts["total"]

    @cached_property
    def words(self) -> marisa_trie.Trie:
        """The dictionary's words and their beginnings, each with a number."""
        return self._trie("words")

    def _trie(self, name: str) -> marisa_trie.Trie:
        # The trie keeps a pointer into the section, which `self.file` keeps alive.
        return marisa_trie.Trie().map(self.file.section(name))

    @cached_property
    def _frequencies(self) -> list[int]:
        return self.file.array("frequencies", "I").tolist()

    @cached_property
    def _logarithms(self) -> list[float | None]:
        return [log(frequency) if frequency else None for frequency in self._frequencies]

    @cached_property
    def _word_frequencies(self) -> memoryview:
        return self.file.array("word frequencies", "H")

    def frequency(self, fragment: str) -> int | None:
        """How often the word occurs in jieba's corpus: 0 for what only begins words, None for anything else."""
        number = self.words.get(fragment)
        return None if number is None else self._frequencies[self._word_frequencies[number] & ~BEGINS_LONGER]

    def look_up(self, fragment: str) -> tuple[float | None, bool]:
        """The logarithm of the word's frequency, None if it is no word, and whether longer words begin with it."""
        number = self.words.get(fragment)
        if number is None:
            return None, False
        place = self._word_frequencies[number]
        return self._logarithms[place & ~BEGINS_LONGER], place >= BEGINS_LONGER

    @cached_property
    def _word_tags(self) -> memoryview:
        return self.file.section("word tags")

    def tag(self, word: str) -> str | None:
        """The part of speech of a dictionary word."""
        number = self.words.get(word)
        return None if number is None else self.facts["tags"][self._word_tags[number]] or None

    @cached_property
    def _idf(self) -> tuple[memoryview, memoryview, marisa_trie.Trie, memoryview]:
        array = self.file.array
        return array("idf values", "d"), array("word idf", "H"), self._trie("other words"), array("other idf", "H")

    def idf(self, word: str) -> float | None:
        """The inverse document frequency of a word, None for the words that jieba's table lacks."""
        values, by_word, others, by_other = self._idf
        number = self.words.get(word)
        if number is not None:
            place = by_word[number]
        else:
            number = others.get(word)
            place = NO_IDF if number is None else by_other[number]
        return None if place == NO_IDF else values[place]

    @cached_property
    def _finalseg(self) -> tuple[memoryview, memoryview]:
        return self.file.array("finalseg characters", "I"), self.file.array("finalseg emissions", "d")

    def finalseg_emissions(self, character: str) -> tuple[float, float, float, float] | None:
        """Log-probabilities of a character as the begin, middle and end of a word and as a word (B, M, E, S)."""
        characters, emissions = self._finalseg
        row = position(characters, character)
        return None if row is None else tuple(emissions[4 * row : 4 * row + 4])  # type: ignore[return-value]

    @cached_property
    def posseg_states(self) -> list[State]:
        """The tagging model's states, sorted: place in the word, part of speech. Below, a state is its index."""
        return [(place, tag) for place, tag in self.facts["posseg"]["states"]]

    @cached_property
    def posseg_transitions(self) -> list[dict[int, float]]:
        """By a state the states that can follow it, with log-probabilities."""
        return [self._row("posseg transitions", state) for state in range(len(self.posseg_states))]

    def posseg_emissions(self, character: str) -> dict[int, float]:
        """Log-probabilities of a character in each state that can give it."""
        row = position(self._posseg_characters, character)
        return {} if row is None else self._row("posseg emissions", row)

    def posseg_possible(self, character: str) -> frozenset[int]:
        """The states that jieba considers for a character; none for a character that it does not know."""
        row = position(self._posseg_characters, character)
        if row is None:
            return frozenset()
        start, end = self.file.array("posseg possible offsets", "I")[row : row + 2]
        return frozenset(self.file.section("posseg possible states")[start:end])

    @cached_property
    def _posseg_characters(self) -> memoryview:
        return self.file.array("posseg characters", "I")

    def _row(self, table: str, row: int) -> dict[int, float]:
        """One compressed row: state to value."""
        start, end = self.file.array(f"{table} offsets", "I")[row : row + 2]
        states = self.file.section(f"{table} states")[start:end]
        return dict(zip(states, self.file.array(table, "d")[start:end], strict=True))


def position(characters: memoryview, character: str) -> int | None:
    """Where a character stands in a sorted table of code points."""
    code = ord(character)
    index = bisect_left(characters, code)
    return index if index < len(characters) and characters[index] == code else None


def open_lexicon(path: Path) -> Lexicon:
    """The lexicon at `path`. Raises DamagedFile, Stale, or the OSError of opening it."""
    file = TableFile(path)
    facts = file.header
    jieba = import_jieba()
    for name, made_with, installed in (
        ("jieba", facts["jieba"], jieba.__version__),
        ("marisa-trie", facts["marisa"], installed_marisa()),
    ):
        if installed not in (None, made_with):
            raise Stale(f"{path} was made with {name} {made_with}, and {installed} is installed")
    for name, (size, _) in facts["sources"].items():
        source = Path(jieba.__file__).parent / name
        # A package may leave the sources out, or have them compiled.
        if source.exists() and source.stat().st_size != size:
            raise Stale(f"{path} was made from another {name} than the one that is installed")
    lexicon = Lexicon(file)
    for word, number in facts["probes"].items():
        if lexicon.words.get(word) != number:
            raise Stale(f"{path} is read differently by the installed marisa-trie")
    return lexicon


def installed_marisa() -> str | None:
    """marisa-trie's version by its folder of metadata, None when a package left that out.

    The module does not say its version, and importlib.metadata takes longer to import than the lexicon to open.
    """
    for entry in Path(marisa_trie.__file__).parent.glob("marisa_trie-*.dist-info"):
        return entry.name.removeprefix("marisa_trie-").removesuffix(".dist-info")
    return None
