"""jieba's part-of-speech tagger and its keyword extractors over the lexicon."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from survey.text.lexicon import Lexicon, State
from survey.text.segmenter import tokenizer
from survey.text.substitution import import_analyse, import_posseg, rebind

MIN_FLOAT = -3.14e100  # jieba's own "impossible", as a logarithm

posseg = import_posseg()


class Tags:
    """Stands for `POSTokenizer.word_tag_tab`: word to tag, the tags of user words over the lexicon's."""

    def __init__(self, tables: Lexicon) -> None:
        self.tables = tables
        self.user_tags: dict[str, str] = {}

    def get(self, word: str, default: str) -> str:
        """The tag of the word, or `default`."""
        return self.user_tags.get(word) or self.tables.tag(word) or default

    def update(self, tags: Mapping[str, str]) -> None:
        """Add the tags of user words."""
        self.user_tags.update(tags)


class Tagger(posseg.POSTokenizer):  # type: ignore[misc]
    """jieba's POSTokenizer; only where it gets a dictionary word's tag is ours."""

    def load_word_tag(self, f: object) -> None:
        """Nothing to load: the tags are in the lexicon."""
        self.word_tag_tab = Tags(self.tokenizer.tables)


class Characters(dict[str, tuple[tuple[State, ...], dict[State, float]]]):
    """Character to the states that jieba considers for it (none: any) and its log-probability in each state."""

    def __init__(self, tables: Lexicon) -> None:
        super().__init__()
        self.tables = tables

    def __missing__(self, character: str) -> tuple[tuple[State, ...], dict[State, float]]:
        entry = self[character] = self.tables.posseg_possible(character), self.tables.posseg_emissions(character)
        return entry


def viterbi_over(tables: Lexicon) -> Callable[..., tuple[float, list[State]]]:
    """`jieba.posseg.viterbi` that tries only the transitions that exist; jieba tries all and adds minus infinity.

    Same sums in the same order; of equal ones the greater state wins, as in jieba's max() of pairs.
    """
    characters = Characters(tables)
    states = tables.posseg_states
    start = dict(zip(states, tables.facts["posseg"]["start"], strict=True))
    transitions = tables.posseg_transitions

    def viterbi(
        obs: str, states_p: object, start_p: object, trans_p: object, emit_p: object
    ) -> tuple[float, list[State]]:
        """The likeliest states of the characters `obs`; the tables passed by jieba are the empty stand-ins."""
        possible, emissions = characters[obs[0]]
        scores = {state: start[state] + emissions.get(state, MIN_FLOAT) for state in possible or states}
        before: list[dict[State, State]] = []
        for character in obs[1:]:
            possible, emissions = characters[character]
            reachable = {state for previous in scores for state in transitions[previous]}
            candidates: Iterable[State] = reachable.intersection(possible or states) or reachable
            scores, origins = step(scores, candidates, emissions)
            before.append(origins)
        state = max((score, state) for state, score in scores.items())[1]
        probability = scores[state]
        path = [state]
        for origins in reversed(before):
            state = origins[state]
            path.append(state)
        path.reverse()
        return probability, path

    def step(
        scores: dict[State, float], candidates: Iterable[State], emissions: dict[State, float]
    ) -> tuple[dict[State, float], dict[State, State]]:
        """The best score of each candidate state for the next character, and the state before it."""
        best: dict[State, float] = {}
        origins: dict[State, State] = {}
        previous_states = [(previous, score, transitions[previous]) for previous, score in scores.items()]
        for state in candidates:
            emission = emissions.get(state, MIN_FLOAT)
            best[state], origins[state] = max(
                (score + following[state] + emission, previous)
                for previous, score, following in previous_states
                if state in following
            )
        return best, origins

    return viterbi


def idf_loader(stock: Any) -> Any:
    """jieba's IDFLoader, with its own table from the lexicon and any other file as jieba reads it."""

    class Idf:
        """Stands for the dict of the IDF table."""

        def get(self, word: str, default: float) -> float:
            """The inverse document frequency of the word, or `default` (jieba: the median)."""
            value = tokenizer.tables.idf(word)
            return default if value is None else value

    class IDFLoader(stock):  # type: ignore[misc]
        """Answers get_idf() from the lexicon until another path is set."""

        def __init__(self, idf_path: str | None = None) -> None:
            super().__init__()
            self.path = idf_path
            self.idf_freq = Idf()
            self.median_idf = tokenizer.tables.facts["median idf"]

    return IDFLoader


posseg.viterbi = viterbi_over(tokenizer.tables)
tagger = Tagger(tokenizer)
rebind(posseg, tagger)
analyse = import_analyse(idf_loader)
