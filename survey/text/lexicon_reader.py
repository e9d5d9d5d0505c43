"""Read the lexicon: jieba's dictionary, IDF table and hidden Markov models in one memory-mapped file.

`survey/text/build.py` writes the file, `survey/text/lexicon.py` finds it.
"""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from math import log
from pathlib import Path

import marisa_trie

from survey.text.substitution import import_jieba
from survey.text.tables import TableFile

MIN_FLOAT = -3.14e100  # jieba's logarithm of an impossible event
NO_IDF = 0xFFFF
BEGINS_LONGER = 0x8000  # set in the frequency index of a fragment that begins longer words

State = tuple[str, str]


class Stale(Exception):
    """The file is intact, but was built from another jieba or by another marisa-trie than the installed ones."""


class Lexicon:
    """The tables of one file, each mapped and verified on first use."""

    def __init__(self, file: TableFile) -> None:
        self.file = file
        self.facts = file.header
        self.total: int = self.facts["total"]

    @cached_property
    def words(self) -> marisa_trie.Trie:
        """The dictionary's words and their prefixes, each with an id."""
        return self._trie("words")

    def _trie(self, name: str) -> marisa_trie.Trie:
        # The trie holds a bare pointer into the section; `self.file` keeps the memory alive.
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
        """Return the count of a word in jieba's corpus: 0 for a mere prefix of words, None for anything else."""
        trie_id = self.words.get(fragment)
        return None if trie_id is None else self._frequencies[self._word_frequencies[trie_id] & ~BEGINS_LONGER]

    def look_up(self, fragment: str) -> tuple[float | None, bool]:
        """Return the logarithm of a word's frequency, None for no word, and whether longer words begin with it."""
        trie_id = self.words.get(fragment)
        if trie_id is None:
            return None, False
        index = self._word_frequencies[trie_id]
        return self._logarithms[index & ~BEGINS_LONGER], index >= BEGINS_LONGER

    @cached_property
    def _word_tags(self) -> memoryview:
        return self.file.section("word tags")

    def tag(self, word: str) -> str | None:
        """Return the part of speech of a dictionary word, None for any other word."""
        trie_id = self.words.get(word)
        return None if trie_id is None else self.facts["tags"][self._word_tags[trie_id]] or None

    @cached_property
    def _idf(self) -> tuple[memoryview, memoryview, marisa_trie.Trie, memoryview]:
        array = self.file.array
        return array("idf values", "d"), array("word idf", "H"), self._trie("other words"), array("other idf", "H")

    def idf(self, word: str) -> float | None:
        """Return the inverse document frequency of a word, None for a word that jieba's table lacks."""
        values, by_word, others, by_other = self._idf
        index = NO_IDF
        if (trie_id := self.words.get(word)) is not None:
            index = by_word[trie_id]
        elif (trie_id := others.get(word)) is not None:
            index = by_other[trie_id]
        return None if index == NO_IDF else values[index]

    @cached_property
    def _finalseg(self) -> tuple[memoryview, memoryview]:
        return self.file.array("finalseg characters", "I"), self.file.array("finalseg emissions", "d")

    def finalseg_emissions(self, character: str) -> tuple[float, float, float, float] | None:
        """Return a character's log-probabilities as begin, middle and end of a word and as a word (B, M, E, S)."""
        characters, emissions = self._finalseg
        row = position(characters, character)
        return None if row is None else tuple(emissions[4 * row : 4 * row + 4])  # type: ignore[return-value]

    @cached_property
    def posseg_states(self) -> list[State]:
        """The tagging model's states, sorted: position in the word (B, M, E, S) and part of speech.

        The other methods stand for a state by its index in this list.
        """
        return [(place, tag) for place, tag in self.facts["posseg"]["states"]]

    @cached_property
    def posseg_transitions(self) -> list[dict[int, float]]:
        """The states that can follow each state, with log-probabilities."""
        return [self._row("posseg transitions", state) for state in range(len(self.posseg_states))]

    def posseg_emissions(self, character: str) -> dict[int, float]:
        """Return the log-probability of a character in each state that can emit it."""
        row = position(self._posseg_characters, character)
        return {} if row is None else self._row("posseg emissions", row)

    def posseg_possible(self, character: str) -> frozenset[int]:
        """Return the states that jieba considers for a character, none for a character that the model lacks."""
        row = position(self._posseg_characters, character)
        if row is None:
            return frozenset()
        start, end = self.file.array("posseg possible offsets", "I")[row : row + 2]
        return frozenset(self.file.section("posseg possible states")[start:end])

    @cached_property
    def _posseg_characters(self) -> memoryview:
        return self.file.array("posseg characters", "I")

    def _row(self, table: str, row: int) -> dict[int, float]:
        """Return a compressed row as a dict of states and values."""
        start, end = self.file.array(f"{table} offsets", "I")[row : row + 2]
        states = self.file.section(f"{table} states")[start:end]
        return dict(zip(states, self.file.array(table, "d")[start:end], strict=True))


def position(characters: memoryview, character: str) -> int | None:
    """Return the index of a character in a sorted table of code points, None if it is not there."""
    code = ord(character)
    index = bisect_left(characters, code)
    return index if index < len(characters) and characters[index] == code else None


def open_lexicon(path: Path) -> Lexicon:
    """Return the lexicon at `path`. Raises DamagedFile, Stale, or an OSError of opening."""
    file = TableFile(path)
    facts = file.header
    jieba = import_jieba()
    for name, built_with, installed in (
        ("jieba", facts["jieba"], jieba.__version__),
        ("marisa-trie", facts["marisa"], installed_marisa()),
    ):
        if installed not in (None, built_with):
            raise Stale(f"{path} was built with {name} {built_with}, and {installed} is installed")
    for name, (size, _) in facts["sources"].items():
        source = Path(jieba.__file__).parent / name
        # A package may leave the sources out or compile them.
        if source.exists() and source.stat().st_size != size:
            raise Stale(f"{path} was built from another {name} than the installed one")
    lexicon = Lexicon(file)
    for word, trie_id in facts["probes"].items():
        if lexicon.words.get(word) != trie_id:
            raise Stale(f"the installed marisa-trie reads {path} differently from the one that wrote it")
    return lexicon


def installed_marisa() -> str | None:
    """Return marisa-trie's version by the name of its metadata folder, None where a package leaves that out.

    The module has no version, and importing importlib.metadata takes longer than opening the lexicon.
    """
    for entry in Path(marisa_trie.__file__).parent.glob("marisa_trie-*.dist-info"):
        return entry.name.removeprefix("marisa_trie-").removesuffix(".dist-info")
    return None
