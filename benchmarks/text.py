"""What does Chinese text analysis cost with stock jieba, with ours and with rjieba?

    python -m benchmarks.text [ROUNDS]

Needs requirements-bench.txt, on the Python that ships (3.10). The engines take turns, each in fresh processes. Prints
medians, and ratios as median (least to greatest of the rounds). For `GET /jieba/` as a whole: benchmarks.coldstart.
"""

from __future__ import annotations

import importlib.util
import multiprocessing
import os
import random
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ENGINES = {
    "stock": "benchmarks.analysis_with_jieba",
    "ours": "survey.text.analysis",
    "rjieba": "benchmarks.segment_with_rjieba",
}
LENGTHS = (30, 2_000)  # characters of a comment
CHARACTERS = 40_000  # of text for each measurement


def measure(engine: str, texts: list[list[list[str]]]) -> dict[str, float]:
    """Return what the first analysis of this process costs, and its speeds on texts that are new to it."""
    start, memory = time.process_time(), peak()
    analysis = importlib.import_module(ENGINES[engine])
    names = [name for name in ("segment", "keywords", "textrank") if hasattr(analysis, name)]
    functions = {name: getattr(analysis, name) for name in names}
    for function in functions.values():
        function(texts[0][0][0])
    figures = {"first analysis, CPU ms": (time.process_time() - start) * 1_000, "its memory, MB": peak() - memory}
    for warming, new in texts:
        for name, function in functions.items():
            for text in warming:
                function(text)
            start = time.process_time()
            for text in new:
                function(text)
            seconds = time.process_time() - start
            figures[f"{name} {len(new[0])}, 1,000/s"] = CHARACTERS / seconds / 1_000
    return figures


def peak() -> float:
    """Return this process's peak memory in MB; ru_maxrss would count the process that started it."""
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1_024


def comments(length: int, seed: int) -> list[str]:
    """Return comments: guests' sentences, and in between words by their frequency in jieba's dictionary."""
    chance = random.Random(seed)
    sentences = Path(__file__).with_name("comments.txt").read_text("utf-8").split()
    dictionary = Path(importlib.util.find_spec("jieba").origin).with_name("dict.txt").read_text("utf-8")
    words, frequencies, _tags = zip(*(line.split(" ") for line in dictionary.splitlines()), strict=True)
    drawn = iter(chance.choices(words, list(map(int, frequencies)), k=CHARACTERS))
    text = ""
    while len(text) < CHARACTERS:
        text += chance.choice(sentences) + "".join(next(drawn) for _ in range(chance.randint(2, 8))) + "，"
    return [text[start : start + length] for start in range(0, CHARACTERS, length)]


def main(rounds: int) -> None:
    """Measure every engine in each round; one round more makes bytecode, the lexicon and stock jieba's cache."""
    texts = [[comments(length, seed) for seed in (1, 2)] for length in LENGTHS]
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(TMPDIR=folder, LEXICON_DIR=folder)
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            measured = [{name: pool.apply(measure, (name, texts)) for name in ENGINES} for _ in range(rounds + 1)][1:]
    print(f"Python {sys.version.split()[0]}, {rounds} rounds")
    for figure in measured[0]["ours"]:
        values = {name: [one[name][figure] for one in measured if figure in one[name]] for name in ENGINES}
        medians = "".join(f"{name:>8} {median(of_engine):8.1f}" for name, of_engine in values.items() if of_engine)
        ratios = [ours / stock for ours, stock in zip(values["ours"], values["stock"], strict=True)]
        print(f"{figure:24}{medians}   ours / stock {median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
