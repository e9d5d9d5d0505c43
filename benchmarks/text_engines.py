"""The engines that benchmarks/text.py compares: `python -m benchmarks.text_engines TASK ENGINE` prints figures as JSON.

Imports nothing that jieba imports too, or that would be missing from what the engine costs.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SHORT, LONG = 30, 2_000  # characters of a comment
CHARACTERS = 40_000  # of text for each measurement


def install(engine: str) -> None:
    """Put the engine in the place of survey.text.analysis, so that /jieba/ itself stays the same."""
    if engine == "ours":
        return
    analysis = type(sys)("survey.text.analysis")
    sys.modules["survey.text.analysis"] = analysis
    for name in ("segment", "keywords", "textrank"):
        setattr(analysis, name, answer_of(engine, name))


def answer_of(engine: str, name: str) -> Callable[..., Any]:
    """The engine's function of that name, which imports the engine when it is first called."""

    def segment(text: str) -> list[str]:
        if engine == "rjieba":
            import rjieba

            words: list[str] = rjieba.cut(text)
            return words
        import jieba

        return list(jieba.cut(text))

    def ranking(text: str, top_k: int = 20) -> list[tuple[str, float]]:
        if engine == "rjieba":
            import rjieba

            return [(word, 0.0) for word, _ in rjieba.tag(text)][:top_k]
        import jieba.analyse

        rank = jieba.analyse.extract_tags if name == "keywords" else jieba.analyse.textrank
        ranked: list[tuple[str, float]] = rank(text, top_k, withWeight=True)
        return ranked

    return segment if name == "segment" else ranking


def first_answer(engine: str) -> dict[str, float]:
    """CPU seconds and peak megabytes of this process once it has answered /jieba/ (engine 'none': /hello/)."""
    if engine != "none":
        install(engine)
    import index

    path = "/hello/Tom" if engine == "none" else "/jieba/"
    answer = index.main_handler({"httpMethod": "GET", "path": path, "headers": {}}, {})
    assert answer["statusCode"] == 200, answer
    cpu = time.process_time()
    status = Path("/proc/self/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024  # ru_maxrss would count what forked us
    return {"cpu": cpu, "memory": peak}


def comments(length: int, seed: int) -> list[str]:
    """Comments of `length` characters: guests' sentences, and in between words by their frequency in the dictionary."""
    import importlib.util
    import random

    chance = random.Random(seed)
    sentences = (Path(__file__).parent / "comments.txt").read_text(encoding="utf-8").split()
    spec = importlib.util.find_spec("jieba")
    assert spec is not None
    assert spec.origin is not None
    lines = [line.split(" ") for line in (Path(spec.origin).parent / "dict.txt").read_text("utf-8").splitlines()]
    words = [word for word, _, _ in lines]
    weights = [int(frequency) for _, frequency, _ in lines]
    drawn = iter(chance.choices(words, weights, k=CHARACTERS))
    texts = []
    for _ in range(CHARACTERS // length):
        text = ""
        while len(text) < length:
            text += chance.choice(sentences)
            text += "".join(next(drawn) for _ in range(chance.randint(2, 8))) + "，"
        start = chance.randrange(len(text) - length + 1)
        texts.append(text[start : start + length])
    return texts


def throughput(engine: str) -> dict[str, float]:
    """Characters a second of the warm engine, on comments that it has not seen yet."""
    install(engine)
    from survey.text.analysis import keywords, segment, textrank

    functions: list[tuple[str, Any]] = [("segment", segment)]
    if engine != "rjieba":
        functions += [("keywords", keywords), ("textrank", textrank)]
    speeds = {}
    for length in (SHORT, LONG):
        warming, texts = comments(length, seed=1), comments(length, seed=2)
        for name, function in functions:
            for text in warming:
                function(text)
            start = time.process_time()
            for text in texts:
                function(text)
            speeds[f"{name} {length}"] = len(texts) * length / (time.process_time() - start)
    return speeds


if __name__ == "__main__":
    _figures = {"first_answer": first_answer, "throughput": throughput}[sys.argv[1]](sys.argv[2])
    import json

    print(json.dumps(_figures))
