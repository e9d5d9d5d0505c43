"""What Chinese text analysis costs: stock jieba, ours and rjieba in turn, each in fresh processes.

    python -m benchmarks.text [rounds]

with requirements-bench.txt installed, on the Python that ships (3.10). Prints medians, and ratios as median (least to
greatest of the rounds). rjieba has no TF-IDF and no TextRank: its first answer is words and tags only.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any

from mydjango.cloud import memory_limit
from tests import small_function

PROJECT = Path(__file__).parent.parent
ENGINES = ("stock", "ours", "rjieba")
SMALLEST = 64  # MB of the smallest function
SHORT, LONG = 30, 2_000  # characters of a comment
CHARACTERS = 40_000  # of text for each measurement


def install(engine: str) -> None:
    """Put the engine in the place of survey.text.analysis, so that /jieba/ itself stays the same."""
    if engine == "ours":
        return
    analysis = ModuleType("survey.text.analysis")
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
    usage = resource.getrusage(resource.RUSAGE_SELF)
    status = Path("/proc/self/status").read_text()
    peak = int(status.split("VmHWM:")[1].split()[0]) / 1024  # ru_maxrss would count what forked us
    return {"cpu": usage.ru_utime + usage.ru_stime, "memory": peak}


def comments(length: int, seed: int) -> list[str]:
    """Comments of `length` characters: guests' sentences, and in between words by their frequency in the dictionary."""
    chance = random.Random(seed)
    sentences = (Path(__file__).parent / "comments.txt").read_text(encoding="utf-8").split()
    import importlib.util

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


def fresh(task: str, engine: str, environment: dict[str, str]) -> dict[str, float]:
    """The task's figures from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.text", task, engine]
    output = subprocess.run(command, cwd=PROJECT, env=environment, check=True, stdout=subprocess.PIPE).stdout
    figures: dict[str, float] = json.loads(output)
    return figures


def in_turn(
    task: str, engines: tuple[str, ...], rounds: int, environment: dict[str, str]
) -> dict[str, list[dict[str, float]]]:
    """Each engine's figures, the engines taking turns; the first round warms disk and byte code and does not count."""
    figures: dict[str, list[dict[str, float]]] = {engine: [] for engine in engines}
    for _ in range(rounds + 1):
        for engine in engines:
            figures[engine].append(fresh(task, engine, environment))
    return {engine: all_figures[1:] for engine, all_figures in figures.items()}


def spread(values: list[float]) -> str:
    """Median and range."""
    return f"{median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def report(rounds: int, environment: dict[str, str]) -> None:
    """Measure and print."""
    print(f"Python {sys.version.split()[0]}, {rounds} rounds\n")
    print("First answer of /jieba/ in a fresh process, over the same process that answers /hello/")
    figures = in_turn("first_answer", ("none", *ENGINES), rounds, environment)
    for what, unit in (("cpu", "s"), ("memory", "MB")):
        floor = [figure[what] for figure in figures["none"]]
        extra = {
            engine: [figure[what] - base for figure, base in zip(figures[engine], floor, strict=True)]
            for engine in ENGINES
        }
        print(f"  {what}: the process itself {median(floor):.3f} {unit}")
        for engine in ENGINES:
            print(f"    {engine:7} + {spread(extra[engine])} {unit}")
        for peer in ("stock", "rjieba"):
            ratios = [ours / theirs for ours, theirs in zip(extra["ours"], extra[peer], strict=True)]
            print(f"    ours / {peer}: {spread(ratios)}")
    print(f"\nThe warm process, comments of {SHORT} and {LONG:,} characters: thousand characters a second")
    figures = in_turn("throughput", ENGINES, rounds, environment)
    for name in figures["ours"][0]:
        line = f"  {name:14}"
        for engine in ENGINES:
            values = [figure[name] / 1000 for figure in figures[engine] if name in figure]
            line += f"  {engine} {median(values):8.1f}" if values else f"  {engine}        -"
        ratios = [o[name] / s[name] for o, s in zip(figures["ours"], figures["stock"], strict=True)]
        print(f"{line}  ours / stock: {spread(ratios)}")


def smallest_function(environment: dict[str, str]) -> None:
    """The peak of the whole project, free and in 64 MB without swap (which needs Linux and root)."""
    small_function.prepare(environment)
    group = memory_limit.cgroup(SMALLEST)
    database = "MySQL" if environment.get("MYSQL_HOST") else "SQLite"
    print(
        f"\nSurvey, submission on {database}, admin, /jieba/ and {small_function.MIXED_REQUESTS} mixed requests: peak"
    )
    print(f"  unlimited   {json.loads(small_function.run(environment).stdout)['peak MB']:.1f} MB")
    if group is None:
        print(f"  in {SMALLEST} MB    not measured: no memory cgroup can be made here")
        return
    try:
        result = small_function.run(environment, group)
        outcome = f"{json.loads(result.stdout)['peak MB']:.1f} MB" if result.returncode == 0 else "killed"
        print(f"  in {SMALLEST} MB    {outcome} ({group.kind})")
        stock = [*group.command([sys.executable]), "-m", "benchmarks.text", "first_answer", "stock"]
        status = subprocess.run(stock, cwd=PROJECT, env=environment, capture_output=True).returncode
        print(f"  stock jieba's first answer in {SMALLEST} MB: {'killed' if status == -9 else f'status {status}'}")
    finally:
        group.close()


def main() -> None:
    """Run the whole benchmark, or one task of it in this process."""
    if len(sys.argv) == 3:
        print(json.dumps({"first_answer": first_answer, "throughput": throughput}[sys.argv[1]](sys.argv[2])))
        return
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as folder:
        # Byte code and stock jieba's cache are there for everyone, as in a warm installation; SQLite is not used.
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        environment |= {"TMPDIR": folder, "LEXICON_DIR": folder, "SQLITE_PATH": f"{folder}/db.sqlite3"}
        environment |= {
            "DEBUG": "0",
            "SECRET_KEY": "a key for benchmarks only, never used elsewhere",
            "ALLOWED_HOSTS": "*",
        }
        report(rounds, environment)
        smallest_function(environment)


if __name__ == "__main__":
    main()
