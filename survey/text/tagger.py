"""jieba's part-of-speech tagger and its keyword extractors over the lexicon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

from survey.text.lexicon_reader import MIN_FLOAT, Lexicon, State
from survey.text.segmenter import tokenizer
from survey.text.substitution import import_analyse, import_posseg, rebind

IMPOSSIBLE = MIN_FLOAT / 2  # below this no transition or emission changes a bit of a score

REMEMBERED_CHARACTERS = 4_096  # about 4 MB; natural text has fewer
REMEMBERED_FOLLOWERS = 256  # less than 0.1 MB
REMEMBERED_WORDS = 8_192  # about 1 MB
LONGEST_REMEMBERED = 16  # characters; a client's word can have any length

posseg = import_posseg()


class Tags:
    """Replace `POSTokenizer.word_tag_tab`, a dict from words to tags: first user words, then the lexicon."""

    def __init__(self, tables: Lexicon) -> None:
        self.tables = tables
        self.user_tags: dict[str, str] = {}

    def get(self, word: str, default: str) -> str:
        """Return the tag of the word, or `default`."""
        return self.user_tags.get(word) or self.tables.tag(word) or default

    def update(self, tags: Mapping[str, str]) -> None:
        """Add the tags of user words."""
        self.user_tags.update(tags)


class Tagger(posseg.POSTokenizer):  # type: ignore[misc,name-defined]
    """jieba's POSTokenizer with the tags of the lexicon."""

    def load_word_tag(self, f: object) -> None:
        """Load nothing: the tags are in the lexicon."""
        self.word_tag_tab = Tags(self.tokenizer.tables)


class Character(NamedTuple):
    """The states that jieba considers for a character (0: any), and its log-probability in those that emit it."""

    possible: int  # a set of states, as bits
    emitting: int
    emissions: dict[int, float]


class Characters(dict[str, Character]):
    """The characters that were asked for; emptied when it is full."""

    def __init__(self, tables: Lexicon) -> None:
        super().__init__()
        self.tables = tables

    def __missing__(self, character: str) -> Character:
        if len(self) >= REMEMBERED_CHARACTERS:
            self.clear()
        emissions = self.tables.posseg_emissions(character)
        entry = Character(bits(self.tables.posseg_possible(character)), bits(emissions), emissions)
        self[character] = entry
        return entry


def bits(states: Iterable[int]) -> int:
    """A set of states as an integer."""
    return sum(1 << state for state in states)


class Step(NamedTuple):
    """The states that a character can have, given the characters before it."""

    scores: dict[int, float]  # of the likely states
    origins: dict[int, int]  # of the likely states: the best state of the character before
    groups: list[tuple[float, int]]  # all states as bits: likely ones as 0.0, then others by score, the best first


class Decoder:
    """Replace `jieba.posseg.viterbi`, which tries impossible transitions too, at minus infinity each.

    Same sums in the same order; of equal ones the greater state wins, as in jieba's max() of pairs.

    A state that does not emit its character costs MIN_FLOAT, which is so great that it swallows the transitions: the
    scores of impossible states are sums of MIN_FLOAT alone, and all states of one score are handled at once. One by
    one, 20,000 different characters would take nine seconds: after a rare one any of the 256 states is considered.
    """

    def __init__(self, tables: Lexicon) -> None:
        self.characters = Characters(tables)
        self.states = tables.posseg_states
        self.start = tables.facts["posseg"]["start"]
        self.transitions = tables.posseg_transitions
        self.every_state = (1 << len(self.states)) - 1
        self.predecessors = [0] * len(self.states)
        for previous, following in enumerate(self.transitions):
            for state in following:
                self.predecessors[state] |= 1 << previous
        self.reachable = [(1 << state, previous) for state, previous in enumerate(self.predecessors) if previous]
        self.followers = lru_cache(REMEMBERED_FOLLOWERS)(self._followers)

    def viterbi(
        self, obs: str, states: object, start_p: object, trans_p: object, emit_p: object
    ) -> tuple[float, list[State]]:
        """The likeliest states of the characters `obs`; the tables passed by jieba are the empty stand-ins."""
        steps = [self.first_step(self.characters[obs[0]])]
        for character in obs[1:]:
            steps.append(self.step(steps[-1], self.characters[character]))
        scores, _, groups = steps[-1]
        probability, state = max((score, state) for state, score in scores.items()) if scores else greatest(groups[0])
        path = [self.states[state]]
        for before, step in zip(steps[-2::-1], steps[:0:-1], strict=True):
            state = self.origin(before, step, state)
            path.append(self.states[state])
        path.reverse()
        return probability, path

    def first_step(self, character: Character) -> Step:
        """The states of a sentence's first character."""
        scores: dict[int, float] = {}
        groups: dict[float, int] = {}
        possible = character.possible or self.every_state
        for state, start in enumerate(self.start):
            if possible >> state & 1:
                score = start + character.emissions.get(state, MIN_FLOAT)
                if score > IMPOSSIBLE:
                    scores[state] = score
                    score = 0.0
                groups[score] = groups.get(score, 0) | 1 << state
        return Step(scores, {}, sorted(groups.items(), reverse=True))

    def step(self, before: Step, character: Character) -> Step:
        """The states of the next character; any state, where none that jieba considers for it can be reached."""
        reachable = 0
        for _, states in before.groups:
            reachable |= self.followers(states)
        wanted = reachable & character.possible or reachable
        scores: dict[int, float] = {}
        origins: dict[int, int] = {}
        emissions = character.emissions
        emitting = {state for state in emissions if wanted >> state & 1}
        for previous, score in sorted(before.scores.items()):
            transitions = self.transitions[previous]
            for state in emitting & transitions.keys():
                candidate = score + transitions[state] + emissions[state]
                if state not in scores or candidate >= scores[state]:
                    scores[state] = candidate
                    origins[state] = previous
        likely = bits(scores)
        groups = {0.0: likely} if likely else {}
        left = wanted & ~likely
        for score, states in before.groups:
            reached = self.followers(states) & left
            left &= ~reached
            for sum_, members in (
                (score, reached & character.emitting),
                (score + MIN_FLOAT, reached & ~character.emitting),
            ):
                if members:
                    groups[sum_] = groups.get(sum_, 0) | members
        return Step(scores, origins, sorted(groups.items(), reverse=True))

    def origin(self, before: Step, step: Step, state: int) -> int:
        """The best state of the character before, for a state of the next one."""
        if state in step.origins:
            return step.origins[state]
        return next(
            found.bit_length() - 1 for _, states in before.groups if (found := states & self.predecessors[state])
        )

    def _followers(self, states: int) -> int:
        """The states that can follow one of `states`."""
        followers = 0
        for state, previous in self.reachable:
            if previous & states:
                followers |= state
        return followers


def greatest(group: tuple[float, int]) -> tuple[float, int]:
    """The score of a group and the greatest of its states."""
    score, states = group
    return score, states.bit_length() - 1


class Idf(dict[str, float | None]):
    """Replace the dict of the IDF table by a cache over the lexicon, which is emptied when full."""

    def __init__(self, tables: Lexicon) -> None:
        super().__init__()
        self.tables = tables

    def __missing__(self, word: str) -> float | None:
        if len(word) > LONGEST_REMEMBERED:
            return self.tables.idf(word)
        if len(self) >= REMEMBERED_WORDS:
            self.clear()
        value = self[word] = self.tables.idf(word)
        return value

    def get(self, word: str, default: Any = None) -> Any:
        """Return the inverse document frequency of the word, or `default`: jieba passes the median."""
        value = self[word]
        return default if value is None else value


def idf_loader(stock: Any) -> Any:
    """Return a subclass of jieba's IDFLoader that reads jieba's own table from the lexicon."""

    class IDFLoader(stock):  # type: ignore[misc]
        """Return the lexicon's table from get_idf() until another path is set."""

        def __init__(self, idf_path: str | None = None) -> None:
            super().__init__()
            self.path = idf_path
            self.idf_freq = Idf(tokenizer.tables)
            self.median_idf = tokenizer.tables.facts["median idf"]

    return IDFLoader


@cache
def decoder() -> Decoder:
    """Create the decoder on first use: keywords of any part of speech never need it."""
    return Decoder(tokenizer.tables)


def viterbi(*arguments: Any) -> tuple[float, list[State]]:
    """Replace `jieba.posseg.viterbi`."""
    return decoder().viterbi(*arguments)


posseg.viterbi = viterbi
tagger = Tagger(tokenizer)
rebind(posseg, tagger)
analyse = import_analyse(idf_loader)
