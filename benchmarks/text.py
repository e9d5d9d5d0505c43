"""What Chinese text analysis costs: stock jieba, ours and rjieba in turn, each in fresh processes.

    python -m benchmarks.text [rounds]

with requirements-bench.txt installed, on the Python that ships (3.10). Prints medians, and ratios as median (least to
greatest of the rounds). rjieba has no TF-IDF and no TextRank: its first answer is words and tags only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from benchmarks.text_engines import LONG, SHORT
from faaskit.local import memory_limit
from tests.support import small_function

PROJECT = Path(__file__).parent.parent
ENGINES = ("stock", "ours", "rjieba")
SMALLEST = 64  # MB of the smallest function


def fresh(task: str, engine: str, environment: dict[str, str]) -> dict[str, float]:
    """The task's figures from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.text_engines", task, engine]
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
    print(f"\nSurvey, submission on {database}, admin, /jieba/ and {small_function.MIXED_REQUESTS} mixed requests:")
    print(f"  unlimited   {memory(small_function.run(environment).stdout)}")
    if group is None:
        print(f"  in {SMALLEST} MB    not measured: no memory cgroup can be made here")
        return
    try:
        result = small_function.run(environment, group)
        outcome = memory(result.stdout) if result.returncode == 0 else "killed"
        print(f"  in {SMALLEST} MB    {outcome} ({group.kind})")
        stock = [*group.command([sys.executable]), "-m", "benchmarks.text_engines", "first_answer", "stock"]
        status = subprocess.run(stock, cwd=PROJECT, env=environment, capture_output=True).returncode
        print(f"  stock jieba's first answer in {SMALLEST} MB: {'killed' if status == -9 else f'status {status}'}")
    finally:
        group.close()


def memory(output: str) -> str:
    """What small_function printed, in words."""
    figures = json.loads(output)
    return f"{figures['peak MB']:.1f} MB at most, {figures['own MB']:.1f} of them not backed by files"


def main() -> None:
    """Run the whole benchmark."""
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
