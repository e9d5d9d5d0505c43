"""jieba's part-of-speech tagger and its keyword extractors over the lexicon."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from survey.text.lexicon_reader import MIN_FLOAT, Lexicon, State
from survey.text.segmenter import tokenizer
from survey.text.substitution import import_analyse, import_posseg, rebind

REMEMBERED_WORDS = 8_192  # about 1 MB

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


class Characters(dict[str, tuple[frozenset[int], dict[int, float]]]):
    """By character the states that jieba considers for it (none: any) and its log-probability in each state."""

    def __init__(self, tables: Lexicon) -> None:
        super().__init__()
        self.tables = tables

    def __missing__(self, character: str) -> tuple[frozenset[int], dict[int, float]]:
        entry = self[character] = self.tables.posseg_possible(character), self.tables.posseg_emissions(character)
        return entry


class Decoder:
    """Replace `jieba.posseg.viterbi`, which tries impossible transitions too, at minus infinity each.

    The sums are formed in jieba's order, and of equal sums the greater state wins, as in jieba's max() of pairs.
    """

    def __init__(self, tables: Lexicon) -> None:
        self.characters = Characters(tables)
        self.states = tables.posseg_states
        self.start = tables.facts["posseg"]["start"]
        self.transitions = tables.posseg_transitions
        self.every_state = frozenset(range(len(self.states)))
        self.least_transition = min(min(row.values(), default=0.0) for row in self.transitions)
        self.latest_origins = lru_cache(maxsize=64)(self._latest_origins)

    def viterbi(
        self, obs: str, states: object, start_p: object, trans_p: object, emit_p: object
    ) -> tuple[float, list[State]]:
        """Return the likeliest states of the characters `obs`. jieba passes its empty tables, which are not used."""
        possible, emissions = self.characters[obs[0]]
        scores = {state: self.start[state] + emissions.get(state, MIN_FLOAT) for state in possible or self.every_state}
        before: list[dict[int, int]] = []
        for character in obs[1:]:
            possible, emissions = self.characters[character]
            following, origins = (
                self.step(scores, possible or self.every_state, emissions)
                if possible or emissions
                else self.step_to_unknown(scores)
            )
            if not following:  # none of the considered states can be reached: take any state
                following, origins = self.step(scores, self.every_state, emissions)
            scores = following
            before.append(origins)
        probability, state = max((score, state) for state, score in scores.items())
        path = [self.states[state]]
        for origins in reversed(before):
            state = origins[state]
            path.append(self.states[state])
        path.reverse()
        return probability, path

    def step_to_unknown(self, scores: dict[int, float]) -> tuple[dict[int, float], dict[int, int]]:
        """Do `step` to a character that the model lacks: any of 256 states, each with MIN_FLOAT.

        Beside MIN_FLOAT the transitions vanish in rounding, so that all sums are usually equal. Without this shortcut
        a text of 20,000 rare characters would take half a minute.
        """
        score = next(iter(scores.values()))
        following = score + MIN_FLOAT
        if score + self.least_transition + MIN_FLOAT != following or any(other != score for other in scores.values()):
            return self.step(scores, self.every_state, {})
        origins = self.latest_origins(frozenset(scores))
        return dict.fromkeys(origins, following), origins

    def _latest_origins(self, states: frozenset[int]) -> dict[int, int]:
        """Return by each state that can follow one of `states` the greatest state that it can follow."""
        return {state: previous for previous in sorted(states) for state in self.transitions[previous]}

    def step(
        self, scores: dict[int, float], wanted: frozenset[int], emissions: dict[int, float]
    ) -> tuple[dict[int, float], dict[int, int]]:
        """Return the best score of each wanted state that can be reached, and the state before it."""
        best: dict[int, float] = {}
        origins: dict[int, int] = {}
        for previous in sorted(scores):
            score = scores[previous]
            transitions = self.transitions[previous]
            for state in wanted & transitions.keys():
                candidate = score + transitions[state] + emissions.get(state, MIN_FLOAT)
                if state not in best or candidate >= best[state]:
                    best[state] = candidate
                    origins[state] = previous
        return best, origins


class Idf(dict[str, float | None]):
    """Replace the dict of the IDF table by a cache over the lexicon, which is emptied when full."""

    def __init__(self, tables: Lexicon) -> None:
        super().__init__()
        self.tables = tables

    def __missing__(self, word: str) -> float | None:
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
