"""Stock jieba in a process of its own; it prints what survey.text.analysis must. `python -m tests.support.stock_jieba`

One line in: a JSON list of [text, names of answers]; one line out: the answers. The tests send a list, work out their
own answers meanwhile, and compare.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
BATCH = 500

Answers = dict[str, Callable[[str], Any]]


def stock_answers() -> Answers:
    import jieba
    import jieba.analyse
    import jieba.posseg

    jieba.setLogLevel("ERROR")
    if os.environ.get("JIEBA_USER_DICT"):
        jieba.load_userdict(os.environ["JIEBA_USER_DICT"])
    return {
        "words": jieba.lcut,
        "full": lambda text: jieba.lcut(text, cut_all=True),
        "search": jieba.lcut_for_search,
        "tags": lambda text: [[pair.word, pair.flag] for pair in jieba.posseg.cut(text)],
        "keywords": lambda text: jieba.analyse.extract_tags(text, withWeight=True),
        "keywords of nouns": lambda text: jieba.analyse.extract_tags(text, 5, withWeight=True, allowPOS=("n", "vn")),
        "textrank": lambda text: jieba.analyse.textrank(text, withWeight=True),
        "textrank of nouns": lambda text: jieba.analyse.textrank(text, 5, withWeight=True, allowPOS=("n", "ns")),
    }


def our_answers() -> Answers:
    from survey.text.analysis import keywords, segment, tagged, textrank

    return {
        "words": segment,
        "full": lambda text: segment(text, "full"),
        "search": lambda text: segment(text, "search"),
        "tags": tagged,
        "keywords": keywords,
        "keywords of nouns": lambda text: keywords(text, 5, ("n", "vn")),
        "textrank": textrank,
        "textrank of nouns": lambda text: textrank(text, 5, ("n", "ns")),
    }


def answer(answers: Answers, batch: Iterable[Sequence[Any]]) -> str:
    return json.dumps([[text, {name: answers[name](text) for name in names}] for text, names in batch])


class Process:
    """Stock jieba, or ours, in a process of its own."""

    def __init__(self, folder: Path, which: str = "stock", **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.stock_jieba", which],
            cwd=PROJECT,
            env={**os.environ, "TMPDIR": str(folder), **environment},  # jieba trusts any jieba.cache in /tmp
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def ask(self, batch: Sequence[Sequence[Any]]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(batch).encode() + b"\n")
        self.process.stdin.flush()

    def answers(self) -> str:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the process ended"
        return line.decode().rstrip("\n")

    def close(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(60)
        self.process.stdout.close()


def differences(stock: Process, texts: Iterable[str], names: Sequence[str]) -> list[Any]:
    """Where our answers differ from stock jieba's: (ours, stock's)."""
    ours = our_answers()
    found: list[Any] = []
    rest = iter(texts)
    while batch := [(text, names) for text in islice(rest, BATCH)]:
        stock.ask(batch)
        mine = answer(ours, batch)
        other = stock.answers()
        if mine != other:
            found += [pair for pair in zip(json.loads(mine), json.loads(other), strict=True) if pair[0] != pair[1]]
    return found


if __name__ == "__main__":
    _answers = stock_answers() if sys.argv[1] == "stock" else our_answers()
    for _line in sys.stdin:
        print(answer(_answers, json.loads(_line)), flush=True)
