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
from survey.text.substitution import import_jieba

# Words whose numbers in the trie are written into the header: a marisa-trie that reads the file differently is found out.
PROBES = ("的", "中国", "资源", "服务员", "中华人民共和国")
NO_IDF = 0xFFFF
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
        "sources": {
            name: [file.stat().st_size, hashlib.sha256(file.read_bytes()).hexdigest()] for name, file in files.items()
        },
    }
    sections: dict[str, bytes] = {}
    words = add_words(files["dict.txt"], facts, sections)
    add_idf(files["analyse/idf.txt"], words, facts, sections)
    add_finalseg(files, facts, sections)
    add_posseg(files, facts, sections)
    tables.write(path, facts, sections)


def add_words(file: Path, facts: dict[str, Any], sections: dict[str, bytes]) -> marisa_trie.Trie:
    """The dictionary: a trie of the words; by a word's number its frequency and its tag."""
    entries: dict[str, tuple[int, str]] = {}
    total = 0
    for line in file.read_bytes().split(b"\n"):
        if not line:
            continue
        word, frequency, tag = line.strip().decode().split(" ")
        entries[word] = (int(frequency), tag)
        total += int(frequency)  # as jieba does: a word that is there twice counts twice
    weights = [float(frequency) for frequency, _ in entries.values()]
    trie = marisa_trie.Trie(list(entries), weights=weights)
    frequencies = sorted({frequency for frequency, _ in entries.values()})
    tags = sorted({tag for _, tag in entries.values()})
    frequency_number = {frequency: number for number, frequency in enumerate(frequencies)}
    tag_number = {tag: number for number, tag in enumerate(tags)}
    by_word = [entries[trie.restore_key(number)] for number in range(len(trie))]
    facts |= {"total": total, "tags": tags, "probes": {word: trie.get(word) for word in PROBES}}
    sections["words"] = trie.tobytes()
    sections["frequencies"] = array("I", frequencies).tobytes()
    sections["word frequencies"] = array("H", [frequency_number[frequency] for frequency, _ in by_word]).tobytes()
    sections["word tags"] = array("B", [tag_number[tag] for _, tag in by_word]).tobytes()
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
    for word, value in idf.items():
        number = words.get(word)
        if number is None:
            other_numbers[others[word]] = value_number[value]
        else:
            numbers[number] = value_number[value]
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
    states = list(start)
    number = {state: index for index, state in enumerate(states)}
    characters = sorted(set(possible).union(*emit.values()))
    facts["posseg"] = {"states": states, "start": list(start.values())}
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
