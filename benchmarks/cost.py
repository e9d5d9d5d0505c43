"""What do guests cost on SCF? `python -m benchmarks.cost [GUESTS] [--memory 128] [--cold 0.01]`

A guest opens the page of a branch with its three files, sends a submission with comment and e-mail address, and reads
the thanks; the two timers run every minute besides. Measured are the CPU and the statements of each step, warm and
through index.main_handler on a private MariaDB, and the CPU of a cold start (of the source, with its bytecode). The
rest is arithmetic with the assumptions that are printed. Prints the tables of docs/scale.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from statistics import median
from typing import NamedTuple

from benchmarks.servers import PRODUCTION, ROOT, execute, mariadb
from benchmarks.warm import BRANCH

CORE = 1280  # MB that get one core
STATEMENT = 1.0  # ms to the database and back
MAIL = 500.0  # ms that a delivery waits for the mail server, for each guest's receipt
TIMER_RUNS = 24 * 60  # a day, of each
PLATFORM_LOG = 1000  # bytes of the platform's own lines for an invocation, which also keep the returned value
FILES = 3
COLD_RUNS = 5
NO_LIMIT = "1000000"  # submissions an hour: counted, never refused
# Yuan, mainland China, as third parties quoted Tencent's price list in November 2026: compare with your own bill.
PRICES = {"GB-seconds": 0.00011108, "invocations": 0.0133 / 10_000, "GB sent": 0.80}


class Step(NamedTuple):
    """What one step takes, and how often a day."""

    name: str
    times: int
    cpu: float  # ms of a core
    statements: float
    sent: float  # bytes
    log: float  # bytes
    waiting: float = 0.0  # ms

    def milliseconds(self, memory: int) -> float:
        """Return the duration with this much memory."""
        return self.cpu * max(1.0, CORE / memory) + self.statements * STATEMENT + self.waiting

    def gigabyte_seconds(self, memory: int) -> float:
        """Return those of a day."""
        return self.times * self.milliseconds(memory) / 1000 * memory / 1024


def measure(visits: int) -> tuple[dict[str, dict[str, float]], float]:
    """Return the figures of each step, and the CPU ms of a fresh instance's first page."""
    with mariadb() as server:
        execute(server, BRANCH)
        environment = {**os.environ, **PRODUCTION, **server, "PYTHONPATH": str(ROOT), "SUBMISSIONS_PER_HOUR": NO_LIMIT}

        def run(*arguments: str) -> str:
            command = [sys.executable, *arguments]
            done = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
            return done.stdout.splitlines()[-1]

        means = json.loads(run("benchmarks/cost_requests.py", str(visits)))
        page = json.dumps({"httpMethod": "GET", "path": "/s/sh01", "headers": {"host": "127.0.0.1"}})
        first = ("benchmarks/first_request.py", str(ROOT), "index.py", page, "200", "<form")
        cold = median(1000 * float(run(*first).split()[0]) for _ in range(COLD_RUNS))
    return means, cold


def steps(guests: int, cold_share: float, means: dict[str, dict[str, float]], cold: float) -> list[Step]:
    """Return the steps of a day."""
    times = {"a static file": FILES * guests, "timer: mail": TIMER_RUNS, "timer: figures": TIMER_RUNS}
    found = [
        Step(name, times.get(name, guests), one["cpu"], one["statements"], one["bytes"], one["log"])
        for name, one in means.items()
    ]
    return [
        *found,
        Step("delivery of a receipt", 0, 0, 0, 0, 0, MAIL)._replace(times=guests),
        Step("cold starts", round(guests * cold_share), cold, 0, 0, 0),
    ]


def print_tables(guests: int, memory: int, cold_share: float, day: list[Step]) -> None:
    """Print a line for each step, then the sums and their price."""
    print(f"{guests:,} guests a day, {memory} MB, {cold_share:.0%} of the pages meet a cold start.")
    print(f"Assumed: {STATEMENT:g} ms a statement, {MAIL:g} ms for the mail server to take a receipt.\n")
    print("| | times a day | CPU, ms of a core | statements | ms | GB-seconds a day |\n|---|---|---|---|---|---|")
    for step in day:
        cells = (step.name, f"{step.times:,}", f"{step.cpu:.1f}", f"{step.statements:.0f}")
        duration, amount = step.milliseconds(memory), step.gigabyte_seconds(memory)
        print(f"| {' | '.join(cells)} | {duration:,.0f} | {amount:,.0f} |")
    invoked = sum(step.times for step in day if step.log)
    sums = {
        "GB-seconds": sum(step.gigabyte_seconds(memory) for step in day),
        "invocations": invoked,
        "GB sent": sum(step.times * step.sent for step in day) / 1e9,
    }
    print("\n| | a day | yuan a day | yuan in 30 days |\n|---|---|---|---|")
    prices = {name: amount * PRICES[name] for name, amount in sums.items()}
    for name, amount in sums.items():
        print(f"| {name} | {amount:,.{0 if amount > 10 else 2}f} | {prices[name]:.2f} | {30 * prices[name]:.2f} |")
    total = sum(prices.values())
    print(f"| together | | {total:.2f} | {30 * total:.2f} |")
    log = sum(step.times * (step.log + step.sent) for step in day) + invoked * PLATFORM_LOG
    print(f"| GB of log | {log / 1e9:.2f} | | |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("guests", nargs="?", type=int, default=10_000)
    parser.add_argument("--memory", type=int, default=128, help="MB of the function")
    parser.add_argument("--cold", type=float, default=0.01, help="share of the pages that meet a cold start")
    parser.add_argument("--visits", type=int, default=100, help="measured visits")
    options = parser.parse_args()
    means, cold = measure(options.visits)
    print_tables(options.guests, options.memory, options.cold, steps(options.guests, options.cold, means, cold))


if __name__ == "__main__":
    main()
