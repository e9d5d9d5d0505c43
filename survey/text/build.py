"""Build the lexicon's file from the data of the installed jieba."""

from __future__ import annotations

import hashlib
import importlib.metadata
from array import array
from importlib.machinery import SourceFileLoader
from itertools import accumulate
from pathlib import Path
from types import ModuleType
from typing import Any

import marisa_trie

from survey.text import tables
from survey.text.lexicon_reader import BEGINS_LONGER, MIN_FLOAT, NO_IDF, Stale, open_lexicon
from survey.text.substitution import import_jieba

# Words whose ids in the trie go into the header, to detect a marisa-trie that reads the file differently.
PROBES = ("的", "中国", "资源", "服务员", "中华人民共和国")


def sources(folder: Path) -> dict[str, Path]:
    """Return jieba's data files, the only input of the lexicon, by their path within its folder."""
    hmm = [f"finalseg/prob_{name}.py" for name in ("start", "trans", "emit")]
    posseg = [f"posseg/{name}.py" for name in ("prob_start", "prob_trans", "prob_emit", "char_state_tab")]
    return {name: folder / name for name in ("dict.txt", "analyse/idf.txt", *hmm, *posseg)}


def build(path: Path) -> None:
    """Write the lexicon of the installed jieba to `path` atomically; takes about 2 s and 200 MB."""
    jieba = import_jieba()
    files = sources(Path(jieba.__file__).parent)
    facts: dict[str, Any] = {
        "jieba": jieba.__version__,
        "marisa": importlib.metadata.version("marisa-trie"),
        "sources": {name: fingerprint(file) for name, file in files.items()},
    }
    sections: dict[str, bytes] = {}
    words = add_words(files["dict.txt"], facts, sections)
    add_idf(files["analyse/idf.txt"], words, facts, sections)
    add_finalseg(files, facts, sections)
    add_posseg(files, facts, sections)
    tables.write(path, facts, sections)


def check(path: Path) -> None:
    """Compare the lexicon at `path` with jieba's data. Raises DamagedFile, Stale, or an OSError of reading."""
    lexicon = open_lexicon(path)
    lexicon.file.check()
    for name, file in sources(Path(import_jieba().__file__).parent).items():
        if fingerprint(file) != lexicon.facts["sources"][name]:
            raise Stale(f"{path} was built from another {name} than the installed one")


def fingerprint(file: Path) -> list[int | str]:
    """Return the file's size in bytes and its SHA-256."""
    content = file.read_bytes()
    return [len(content), hashlib.sha256(content).hexdigest()]


def add_words(file: Path, facts: dict[str, Any], sections: dict[str, bytes]) -> marisa_trie.Trie:
    """Add the dictionary: a trie of words and their prefixes, and by id in the trie their frequencies and tags.

    As in jieba, a prefix that is no word has frequency 0, so that one look-up tells whether longer words exist. A word
    that stands in dict.txt twice counts twice in `total`, as in jieba.
    """
    entries: dict[str, tuple[int, str]] = {}
    total = 0
    for line in file.read_bytes().split(b"\n"):
        if not line:
            continue
        word, frequency, tag = line.strip().decode().split(" ")
        entries[word] = (int(frequency), tag)
        total += int(frequency)
    prefixes = {word[:length] for word in entries for length in range(1, len(word))}
    frequencies = [0, *sorted({frequency for frequency, _ in entries.values()} - {0})]
    tags = ["", *sorted({tag for _, tag in entries.values()})]
    frequency_index = {frequency: index for index, frequency in enumerate(frequencies)}
    tag_index = {tag: index for index, tag in enumerate(tags)}
    fragments = {**dict.fromkeys(sorted(prefixes), (0, "")), **entries}
    trie = marisa_trie.Trie(list(fragments), weights=[frequency + 1.0 for frequency, _ in fragments.values()])
    by_id = [trie.restore_key(trie_id) for trie_id in range(len(trie))]
    facts |= {"total": total, "tags": tags, "probes": {word: trie.get(word) for word in PROBES}}
    sections["words"] = trie.tobytes()
    sections["frequencies"] = array("I", frequencies).tobytes()
    sections["word frequencies"] = array(
        "H", [frequency_index[fragments[word][0]] | (BEGINS_LONGER if word in prefixes else 0) for word in by_id]
    ).tobytes()
    sections["word tags"] = array("B", [tag_index[fragments[word][1]] for word in by_id]).tobytes()
    return trie


def add_idf(file: Path, words: marisa_trie.Trie, facts: dict[str, Any], sections: dict[str, bytes]) -> None:
    """Add the IDF of dictionary words by their id, and of the other words of the IDF table in a second trie."""
    lines = file.read_text(encoding="utf-8").splitlines()
    idf = {word: float(value) for word, value in (line.strip().split(" ") for line in lines)}
    values = sorted(set(idf.values()))
    value_index = {value: index for index, value in enumerate(values)}
    others = marisa_trie.Trie([word for word in idf if word not in words])
    facts["median idf"] = sorted(idf.values())[len(idf) // 2]
    sections["idf values"] = array("d", values).tobytes()
    sections["other words"] = others.tobytes()
    for name, trie in (("word idf", words), ("other idf", others)):
        by_id = (idf.get(trie.restore_key(trie_id)) for trie_id in range(len(trie)))
        indices = [NO_IDF if value is None else value_index[value] for value in by_id]
        sections[name] = array("H", indices).tobytes()


def add_finalseg(files: dict[str, Path], facts: dict[str, Any], sections: dict[str, bytes]) -> None:
    """Add the model that finds new words: by character a row of four log-probabilities (B, M, E, S)."""
    emit = read_table(files["finalseg/prob_emit.py"])
    characters = sorted(set().union(*emit.values()))
    facts["finalseg"] = {
        "start": read_table(files["finalseg/prob_start.py"]),
        "transitions": read_table(files["finalseg/prob_trans.py"]),
    }
    rows = [emit[state].get(character, MIN_FLOAT) for character in characters for state in "BMES"]
    sections["finalseg characters"] = array("I", map(ord, characters)).tobytes()
    sections["finalseg emissions"] = array("d", rows).tobytes()


def add_posseg(files: dict[str, Path], facts: dict[str, Any], sections: dict[str, bytes]) -> None:
    """Add the model that tags new words: 256 states, with compressed rows of transitions, emissions and states."""
    start = read_table(files["posseg/prob_start.py"])
    transitions = read_table(files["posseg/prob_trans.py"])
    emit = read_table(files["posseg/prob_emit.py"])
    possible = read_table(files["posseg/char_state_tab.py"])
    states = sorted(start)  # jieba decides between equally likely states by this order
    index = {state: position for position, state in enumerate(states)}
    characters = sorted(set(possible).union(*emit.values()))
    facts["posseg"] = {"states": states, "start": [start[state] for state in states]}
    sections["posseg characters"] = array("I", map(ord, characters)).tobytes()
    rows: dict[str, list[list[tuple[int, float]]]] = {
        "transitions": [[(index[to], value) for to, value in transitions[state].items()] for state in states],
        "emissions": [
            [(index[state], row[character]) for state, row in emit.items() if character in row]
            for character in characters
        ],
    }
    for name, table in rows.items():
        sections[f"posseg {name} offsets"] = offsets(table)
        sections[f"posseg {name} states"] = array("B", [state for row in table for state, _ in row]).tobytes()
        sections[f"posseg {name}"] = array("d", [value for row in table for _, value in row]).tobytes()
    possible_rows = [[index[state] for state in possible.get(character, ())] for character in characters]
    sections["posseg possible offsets"] = offsets(possible_rows)
    sections["posseg possible states"] = array("B", [state for row in possible_rows for state in row]).tobytes()


def offsets(rows: list[Any]) -> bytes:
    """Return the start of each row in the joined rows, and the end of the last one."""
    return array("I", accumulate(map(len, rows), initial=0)).tobytes()


def read_table(file: Path) -> Any:
    """Return the table `P` of one of jieba's generated modules without keeping the module."""
    loader = SourceFileLoader(f"jieba_table_{file.stem}", str(file))
    module = ModuleType(loader.name)
    loader.exec_module(module)
    return module.P
