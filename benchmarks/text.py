"""What does Chinese text analysis cost with stock jieba, with ours and with rjieba?

    python -m benchmarks.text [ROUNDS]

Needs requirements-bench.txt, on the Python that ships (3.10). The engines take turns, each in fresh processes. Prints
medians, and ratios as median (least to greatest of the rounds).
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

from benchmarks.fresh_processes import command, in_turn
from benchmarks.servers import PRODUCTION, ROOT

ENGINES = {  # the module with segment, keywords and textrank
    "stock": "benchmarks.analysis_with_jieba",
    "ours": "survey.text.analysis",
    "rjieba": "benchmarks.analysis_with_rjieba",
}
LENGTHS = (30, 2_000)  # characters of a comment
CHARACTERS = 40_000  # of text for each measurement


def measure_first_requests(rounds: int) -> None:
    """Print what the first /jieba/ of a process costs more than the first /hello/."""
    python = [sys.executable]
    commands = {
        engine: command(python, str(ROOT), "index.py", "jieba", *([module] if engine != "ours" else []))
        for engine, module in ENGINES.items()
    }
    commands["hello"] = command(python, str(ROOT), "index.py", "hello")
    in_turn(commands, 1, dict(os.environ))  # now everyone has bytecode, and stock jieba its cache
    costs = in_turn(commands, rounds, dict(os.environ))
    hello = costs.pop("hello")
    print("First request of /jieba/ in a fresh process, beyond the first request of /hello/")
    for title, field in (("CPU, ms", "cpu"), ("peak memory, MB", "memory")):
        extra = {
            engine: [getattr(cost, field) - getattr(floor, field) for cost, floor in zip(all_costs, hello, strict=True)]
            for engine, all_costs in costs.items()
        }
        print_engines(title, extra)


def throughput(engine: str) -> dict[str, float]:
    """Return the thousand characters a second of the warm engine, on comments that are new to it."""
    analysis = importlib.import_module(ENGINES[engine])
    speeds = {}
    for length in LENGTHS:
        for function in ("segment", "keywords", "textrank") if engine != "rjieba" else ("segment",):
            for seed in (1, 2):  # the first to warm up
                texts = comments(length, seed)
                start = time.process_time()
                for text in texts:
                    getattr(analysis, function)(text)
                seconds = time.process_time() - start
            speeds[f"{function}, {length} characters"] = len(texts) * length / seconds / 1_000
    return speeds


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
    return [text[start : start + length] for start in range(0, CHARACTERS - length + 1, length)]


def print_engines(title: str, figures: dict[str, list[float]]) -> None:
    """Print the engines' medians and how ours compares."""
    print(f"  {title:26}" + "".join(f"{engine:>10} {median(values):8.1f}" for engine, values in figures.items()))
    for peer in [engine for engine in figures if engine != "ours"]:
        ratios = [ours / theirs for ours, theirs in zip(figures["ours"], figures[peer], strict=True)]
        print(f"    ours / {peer}: {median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})")


def main(rounds: int) -> None:
    """Measure first requests, then warm processes."""
    print(f"Python {sys.version.split()[0]}, {rounds} rounds\n")
    with tempfile.TemporaryDirectory() as folder:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ.update(PRODUCTION, ALLOWED_HOSTS="*", TMPDIR=folder, LEXICON_DIR=folder)
        os.environ["SQLITE_PATH"] = f"{folder}/unused.sqlite3"
        measure_first_requests(rounds)
        print("\nThe warm process, thousand characters a second")
        with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
            speeds = [{engine: pool.apply(throughput, (engine,)) for engine in ENGINES} for _ in range(rounds)]
        for name in speeds[0]["ours"]:
            engines = [engine for engine in ENGINES if name in speeds[0][engine]]
            print_engines(name, {engine: [of_round[engine][name] for of_round in speeds] for engine in engines})


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
