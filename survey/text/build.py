"""Makes the lexicon's file from the data of the installed jieba."""

from __future__ import annotations

import hashlib
import importlib.machinery
import importlib.metadata
import importlib.util
from array import array
from pathlib import Path
from typing import Any

import marisa_trie

from survey.text import tables
from survey.text.lexicon_reader import BEGINS_LONGER, NO_IDF, Stale, open_lexicon
from survey.text.substitution import import_jieba

# Words whose numbers in the trie go into the header: a marisa-trie that reads the file differently is found out.
PROBES = ("的", "中国", "资源", "服务员", "中华人民共和国")
MIN_FLOAT = -3.14e100  # jieba's own "impossible", as a logarithm


def sources(folder: Path) -> dict[str, Path]:
    """jieba's data files by their name in its folder; the lexicon is made of nothing else."""
    hmm = [f"finalseg/prob_{name}.py" for name in ("start", "trans", "emit")]
    posseg = [f"posseg/{name}.py" for name in ("prob_start", "prob_trans", "prob_emit", "char_state_tab")]
    return {name: folder / name for name in ("dict.txt", "analyse/idf.txt", *hmm, *posseg)}


def build(path: Path) -> None:
    """Write the lexicon of the installed jieba to `path`, in one step; takes about 2 s and 200 MB."""
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
    """Compare the lexicon at `path` with jieba's data. Raises DamagedFile or Stale, or the OSError of reading."""
    lexicon = open_lexicon(path)
    lexicon.file.check()
    for name, file in sources(Path(import_jieba().__file__).parent).items():
        if fingerprint(file) != lexicon.facts["sources"][name]:
            raise Stale(f"{path} was made from another {name} than the one that is installed")


def fingerprint(file: Path) -> list[int | str]:
    """Size in bytes and SHA-256."""
    content = file.read_bytes()
    return [len(content), hashlib.sha256(content).hexdigest()]


def add_words(file: Path, facts: dict[str, Any], sections: dict[str, bytes]) -> marisa_trie.Trie:
    """The dictionary: a trie of the words and their beginnings; by a fragment's number its frequency and its tag.

    As in jieba, the beginnings of words that are no words themselves are there with frequency 0, so that one look-up
    tells whether to go on.
    """
    entries: dict[str, tuple[int, str]] = {}
    total = 0
    for line in file.read_bytes().split(b"\n"):
        if not line:
            continue
        word, frequency, tag = line.strip().decode().split(" ")
        entries[word] = (int(frequency), tag)
        total += int(frequency)  # as jieba does: a word that is there twice counts twice
    beginnings = {word[:length] for word in entries for length in range(1, len(word))}
    frequencies = [0, *sorted({frequency for frequency, _ in entries.values()} - {0})]
    tags = ["", *sorted({tag for _, tag in entries.values()})]
    frequency_number = {frequency: number for number, frequency in enumerate(frequencies)}
    tag_number = {tag: number for number, tag in enumerate(tags)}
    fragments = {**dict.fromkeys(sorted(beginnings), (0, "")), **entries}
    trie = marisa_trie.Trie(list(fragments), weights=[frequency + 1.0 for frequency, _ in fragments.values()])
    by_number = [trie.restore_key(number) for number in range(len(trie))]
    facts |= {"total": total, "tags": tags, "probes": {word: trie.get(word) for word in PROBES}}
    sections["words"] = trie.tobytes()
    sections["frequencies"] = array("I", frequencies).tobytes()
    sections["word frequencies"] = array(
        "H",
        [frequency_number[fragments[word][0]] | (BEGINS_LONGER if word in beginnings else 0) for word in by_number],
    ).tobytes()
    sections["word tags"] = array("B", [tag_number[fragments[word][1]] for word in by_number]).tobytes()
    return trie


def add_idf(file: Path, words: marisa_trie.Trie, facts: dict[str, Any], sections: dict[str, bytes]) -> None:
    """IDF by a dictionary word's number, and a second trie for the words that only the IDF table has."""
    idf = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        word, value = line.strip().split(" ")
        idf[word] = float(value)
    values = sorted(set(idf.values()))
    value_number = {value: number for number, value in enumerate(values)}
    others = marisa_trie.Trie([word for word in idf if word not in words])
    numbers = [NO_IDF] * len(words)
    other_numbers = [NO_IDF] * len(others)
    for word, inverse_frequency in idf.items():
        number = words.get(word)
        if number is None:
            other_numbers[others[word]] = value_number[inverse_frequency]
        else:
            numbers[number] = value_number[inverse_frequency]
    facts["median idf"] = sorted(idf.values())[len(idf) // 2]
    sections["idf values"] = array("d", values).tobytes()
    sections["word idf"] = array("H", numbers).tobytes()
    sections["other words"] = others.tobytes()
    sections["other idf"] = array("H", other_numbers).tobytes()


def add_finalseg(files: dict[str, Path], facts: dict[str, Any], sections: dict[str, bytes]) -> None:
    """The model that finds new words: a row of four probabilities (B, M, E, S) a character."""
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
    """The model that tags new words: 256 states; transitions, emissions and possible states as compressed rows."""
    start = read_table(files["posseg/prob_start.py"])
    transitions = read_table(files["posseg/prob_trans.py"])
    emit = read_table(files["posseg/prob_emit.py"])
    possible = read_table(files["posseg/char_state_tab.py"])
    states = sorted(start)  # the order in which jieba decides between equally likely ones
    number = {state: index for index, state in enumerate(states)}
    characters = sorted(set(possible).union(*emit.values()))
    facts["posseg"] = {"states": states, "start": [start[state] for state in states]}
    sections["posseg characters"] = array("I", map(ord, characters)).tobytes()
    rows: dict[str, list[list[tuple[int, float]]]] = {
        "transitions": [[(number[to], value) for to, value in transitions[state].items()] for state in states],
        "emissions": [
            [(number[state], row[character]) for state, row in emit.items() if character in row]
            for character in characters
        ],
    }
    for name, table in rows.items():
        sections[f"posseg {name} offsets"] = offsets(table)
        sections[f"posseg {name} states"] = array("B", [state for row in table for state, _ in row]).tobytes()
        sections[f"posseg {name}"] = array("d", [value for row in table for _, value in row]).tobytes()
    possible_rows = [[number[state] for state in possible.get(character, ())] for character in characters]
    sections["posseg possible offsets"] = offsets(possible_rows)
    sections["posseg possible states"] = array("B", [state for row in possible_rows for state in row]).tobytes()


def offsets(rows: list[Any]) -> bytes:
    """Where each row begins in the joined rows, and where the last one ends."""
    starts = [0]
    for row in rows:
        starts.append(starts[-1] + len(row))
    return array("I", starts).tobytes()


def read_table(file: Path) -> Any:
    """The table `P` of one of jieba's generated modules, read without importing jieba."""
    name = f"jieba_table_{file.stem}"
    loader = importlib.machinery.SourceFileLoader(name, str(file))
    spec = importlib.util.spec_from_file_location(name, file, loader=loader)
    if spec is None:
        raise ImportError(f"{file} cannot be read")
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module.P
