"""Run the conformance suite against bridges, each in processes of its own, and print a table.

python -m conformance mybridge.conformance:handler       (one bridge; exit code 1 if a row fails)
python -m conformance                                    (index.py and, where they are installed, five others)

The handler serves `conformance.application.application`. `--platforms aws` leaves out the rows of other platforms,
`--why` says what is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.util import find_spec

from conformance.check import load_rows
from conformance.peers import PACKAGES


def faults_of(handler: str, platforms: str) -> dict[str, list[str]]:
    """{row: what is wrong}, for each row; a process for each set of environment variables that cases want."""
    rows = load_rows(set(filter(None, platforms.split(","))))
    wanted = {json.dumps(case.get("variables", {}), sort_keys=True) for cases in rows.values() for case in cases}
    found: dict[str, list[str]] = {row: [] for row in rows}
    for variables in sorted(wanted):
        command = [sys.executable, "-m", "conformance.worker", handler, platforms, variables]
        ended = subprocess.run(command, env={**os.environ, **json.loads(variables)}, capture_output=True, text=True)
        if ended.returncode:
            raise SystemExit(f"{handler} cannot be run:\n{ended.stderr[-2000:]}")
        for row, wrong in json.loads(ended.stdout).items():
            found[row] += wrong
    return found


def print_table(results: dict[str, dict[str, list[str]]]) -> None:
    """Print a row for each row of the suite, a column for each bridge."""
    names = list(results)
    rows = list(next(iter(results.values())))
    width = max(map(len, rows))
    print(f"| {'':{width}} | {' | '.join(names)} |")
    print(f"|{'-' * (width + 2)}|{'|'.join('-' * (len(name) + 2) for name in names)}|")
    for row in rows:
        cells = [("no" if results[name][row] else "yes").ljust(len(name)) for name in names]
        print(f"| {row:{width}} | {' | '.join(cells)} |")
    passed = [str(sum(not wrong for wrong in results[name].values())).ljust(len(name)) for name in names]
    print(f"| {f'of {len(rows)}':{width}} | {' | '.join(passed)} |")


def main(arguments: list[str] | None = None) -> int:
    """Run the suite. Return 1 if one bridge was named and fails a row."""
    parser = argparse.ArgumentParser(prog="python -m conformance", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("handlers", nargs="*", metavar="package:handler", help="default: index.py and its peers")
    parser.add_argument("--platforms", default="", help="aws, tencent, aliyun, with commas between; default: all")
    parser.add_argument("--why", action="store_true", help="say what is wrong in the rows that fail")
    options = parser.parse_args(arguments)
    peers = {name: f"conformance.peers:{package}" for name, package in PACKAGES.items() if find_spec(package)}
    handlers = {handler: handler for handler in options.handlers} or peers
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        found = threads.map(partial(faults_of, platforms=options.platforms), handlers.values())
        results = dict(zip(handlers, found, strict=True))
    print_table(results)
    for name, rows in results.items():
        for row, wrong in rows.items() if options.why else ():
            for fault in wrong:
                print(f"{name}: {row}: {fault}")
    return int(len(options.handlers) == 1 and any(any(rows.values()) for rows in results.values()))


if __name__ == "__main__":
    sys.exit(main())
