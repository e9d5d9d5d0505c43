"""Run stock jieba in a process of its own, to compare it with survey.text.analysis.

`python -m tests.support.stock_jieba stock` reads lines with a JSON list of [text, names of analyses] and writes a line
with their results for each. The tests send a batch, analyse it themselves meanwhile, and compare.
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

Analyses = dict[str, Callable[[str], Any]]


def stock_analyses() -> Analyses:
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


def our_analyses() -> Analyses:
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


def analyse(analyses: Analyses, batch: Iterable[Sequence[Any]]) -> str:
    return json.dumps([[text, {name: analyses[name](text) for name in names}] for text, names in batch])


class Process:
    """Stock jieba (`stock`) or survey.text.analysis (`ours`) in a process of its own."""

    def __init__(self, folder: Path, which: str = "stock", **environment: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.stock_jieba", which],
            cwd=PROJECT,
            env={**os.environ, "TMPDIR": str(folder), **environment},  # jieba trusts any jieba.cache in /tmp
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def send(self, batch: Sequence[Sequence[Any]]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(batch).encode() + b"\n")
        self.process.stdin.flush()

    def receive(self) -> str:
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
    """Return each pair of results that differ: ours and those of stock jieba."""
    ours = our_analyses()
    found: list[Any] = []
    rest = iter(texts)
    while batch := [(text, names) for text in islice(rest, BATCH)]:
        stock.send(batch)
        mine = analyse(ours, batch)
        other = stock.receive()
        if mine != other:
            found += [pair for pair in zip(json.loads(mine), json.loads(other), strict=True) if pair[0] != pair[1]]
    return found


if __name__ == "__main__":
    _analyses = stock_analyses() if sys.argv[1] == "stock" else our_analyses()
    for _line in sys.stdin:
        print(analyse(_analyses, json.loads(_line)), flush=True)
