"""How much CPU does the first request of a fresh instance take, beside the smallest Django project and other bridges?

    python -m benchmarks.coldstart [--runs 15] [--throttled 3] [--only hello]

Each process has Python 3.10 and one request; the kinds take turns. `packaged` is what `manage.py package` builds,
called through index.py. `plain` is the same project as it is usually uploaded: `pip install -t`, Django's own wsgi.py,
stock jieba, behind serverless-wsgi or Zappa, with bytecode, and without it, as in a zip that was made elsewhere.
The database is a private MariaDB.

A guest waits for the CPU until the response, which stands first. The columns "with exit" add what the interpreter takes
to end, which no platform lets it do: 50 ms for the smallest project and 10 for the package, which has frozen its
objects. Figures of releases before that of November 2026 counted it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shlex
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from benchmarks import package_sizes
from benchmarks.servers import ROOT, execute, mariadb
from faaskit.gateways.registry import GATEWAYS
from faaskit.gateways.request import HttpRequest

FIRST_REQUEST = str(Path(__file__).with_name("first_request.py"))
WORK = ROOT / ".cache" / "coldstart"  # kept between runs
PEERS = {"serverless-wsgi": "serverless-wsgi==3.1.0", "zappa": "zappa==0.63.0"}
FLOOR = "smallest Django project"
STOCK_WSGI = """\
import os
from django.core.wsgi import get_wsgi_application
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mydjango.settings")
application = get_wsgi_application()
"""
ZAPPA_SETTINGS = """\
DJANGO_SETTINGS = "mydjango.settings"
LOG_LEVEL = "WARNING"
BINARY_SUPPORT = True
API_STAGE = "dev"
PROJECT_NAME = "survey"
APP_FUNCTION = DOMAIN = BASE_PATH = EXCEPTION_HANDLER = None
COGNITO_TRIGGER_MAPPING = AWS_EVENT_MAPPING = ENVIRONMENT_VARIABLES = CONTEXT_HEADER_MAPPINGS = {}
DEBUG = False
"""
# Where a CPU cgroup is made, its file, and a tenth of a core.
V1 = (Path("/sys/fs/cgroup/cpu"), "cpu.cfs_quota_us", "10000")
V2 = (Path("/sys/fs/cgroup"), "cpu.max", "10000 100000")
HEADERS = [("Host", "survey.example.com"), ("Accept", "*/*"), ("Content-Type", "application/json")]
SUBMISSION = {"name": "Tom", "phone": "1234567890", "satisfaction": 5}
COMMENTED = {**SUBMISSION, "comment": "服务员态度很好，排队太久"}


# Method and path; target, status of the response, what its body holds; body of the request.
ROUTES: dict[str, tuple[str, str, str, str, dict[str, object] | None]] = {
    "hello": ("GET /hello/", "/hello/?name=Tom", "200", "Hello world ! Tom", None),
    "page": ("GET /", "/", "200", "<form", None),
    "branch": ("GET /s/sh01", "/s/sh01", "200", "<form", None),
    "submit": ("POST /submitSurvey", "/submitSurvey", "201", "reference", SUBMISSION),
    "comment": ("POST /submitSurvey with a comment", "/submitSurvey", "201", "reference", COMMENTED),
    "jieba": ("GET /jieba/", "/jieba/", "200", "Serverless", None),
}


class Cost(NamedTuple):
    """CPU until the response, CPU and wall time until the exit, in ms; peak memory in MB."""

    cpu: float
    cpu_with_exit: float
    wall: float
    memory: float


def prepare(work: Path) -> None:
    """Make the folders: the package unpacked, and the plain upload with and without bytecode."""
    package_sizes.build_package(work / "build")
    package_sizes.make_plain_upload(work / "plain", *PEERS.values())
    for name in ("packaged", "with", "without"):
        shutil.rmtree(work / name, ignore_errors=True)
    for name in ("function", "layer"):
        with zipfile.ZipFile(work / "build" / f"{name}.zip") as archive:
            archive.extractall(work / "packaged" / name)
    without = work / "without"
    shutil.copytree(work / "plain", without, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(work / "packaged/function/staticfiles", without / "function/staticfiles")
    shutil.copy(ROOT / "benchmarks/analysis_with_jieba.py", without / "function/survey/text/analysis.py")
    (without / "function/mydjango/wsgi.py").write_text(STOCK_WSGI, encoding="utf-8")
    (without / "function/zappa_settings.py").write_text(ZAPPA_SETTINGS, encoding="utf-8")
    shutil.copytree(without, work / "with")
    compileall = [package_sizes.target_python(), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([*compileall, str(work / "with")], stdout=subprocess.DEVNULL)


def commands(work: Path, routes: list[str], prefix: list[str]) -> dict[str, list[str]]:
    """Return the commands to measure by their line in the table."""
    folders = {name: f"{work / name}/function:{work / name}/layer" for name in ("packaged", "with", "without")}

    def command(upload: str, bridge: str, name: str = "hello") -> list[str]:
        title, target, status, text, body = ROUTES[name]
        request = HttpRequest(title.split()[0], target, HEADERS, json.dumps(body).encode() if body else b"")
        # The peers read the events of AWS's REST gateway.
        event = GATEWAYS["function-url" if bridge == "index.py" else "aws-rest"].build_event(request)
        python = [*prefix, package_sizes.target_python(), "-I", "-S", "-B"]
        return [*python, FIRST_REQUEST, folders[upload], bridge, json.dumps(event), status, text]

    kinds = {"python alone": command("packaged", "nothing"), FLOOR: command("packaged", "smallest project")}
    for route in routes:
        title = ROUTES[route][0]
        kinds[f"packaged: {title}"] = command("packaged", "index.py", route)
        # The plain upload has no lexicon: it leaves comments to its timer.
        for bridge in () if route == "comment" else PEERS:
            for bytecode in ("with", "without"):
                kinds[f"plain, {bridge}, {bytecode} .pyc: {title}"] = command(bytecode, bridge, route)
    return kinds


def in_turn(commands: dict[str, list[str]], rounds: int, environment: dict[str, str]) -> dict[str, list[Cost]]:
    """Run each command once a round and return the costs; SystemExit where a response is wrong."""
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(rounds):
        for name, words in commands.items():
            began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
            done = subprocess.run(words, env=environment, capture_output=True, text=True)
            wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
            if done.returncode:
                sys.exit(f"{shlex.join(words)} failed:\n{done.stderr[-4000:]}")
            with_exit = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            cpu, memory = map(float, done.stdout.split()[-2:])
            costs[name].append(Cost(cpu * 1_000, with_exit * 1_000, wall * 1_000, memory))
    return costs


@contextmanager
def tenth_of_a_core() -> Iterator[list[str]]:
    """Make a CPU cgroup; yield the words before a command that start it there."""
    top, file, quota = V1 if V1[0].is_dir() else V2
    group = top / f"coldstart-{os.getpid()}"
    group.mkdir()
    try:
        (group / file).write_text(quota)
        yield ["/bin/sh", "-c", 'echo 0 > "$0" && exec "$@"', str(group / "cgroup.procs")]
    finally:
        group.rmdir()


def print_table(title: str, costs: dict[str, list[Cost]]) -> None:
    """Print a line for each kind, and how the package compares with the usual upload."""
    print(f"\n{title}: medians of the CPU until the response, quartiles in brackets; the same with exit\n")
    print(" " * 58 + " CPU ms      quartiles of floor with exit of floor   wall peak MB")
    medians = {name: Cost(*map(median, zip(*of_kind, strict=True))) for name, of_kind in costs.items()}
    for name, cost in medians.items():
        low, _, high = quantiles([one.cpu for one in costs[name]] * 2, n=4)  # twice: one run has none
        # Of the floor in the same round, since a machine may be slow for minutes.
        rounds = list(zip(costs[name], costs[FLOOR], strict=True))
        of_floor = median(one.cpu / floor.cpu for one, floor in rounds)
        with_exit = median(one.cpu_with_exit / floor.cpu_with_exit for one, floor in rounds)
        print(
            f"{name:58}{cost.cpu:7.0f}{f'[{low:.0f} - {high:.0f}]':>15}{of_floor:9.2f}"
            f"{cost.cpu_with_exit:10.0f}{with_exit:9.2f}{cost.wall:7.0f}{cost.memory:8.1f}"
        )
    for name, cost in medians.items():
        plain = medians.get(name.replace("packaged", "plain, serverless-wsgi, without .pyc"))
        if plain and name.startswith("packaged"):
            print(f"{name} takes {cost.cpu / plain.cpu:.2f} of the CPU of the plain upload behind serverless-wsgi.")


def main() -> None:
    """Prepare, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15, help="processes of each kind (default: 15)")
    parser.add_argument("--throttled", type=int, default=3, help="... in a tenth of a core (root; default: 3, 0: none)")
    parser.add_argument("--only", choices=ROUTES, help="one route instead of all")
    options = parser.parse_args()
    prepare(WORK)
    routes = [options.only] if options.only else list(ROUTES)
    with mariadb() as variables:
        columns = "(code, name, name_en, manager_email, is_open)"
        execute(variables, f"INSERT INTO survey_branch {columns} VALUES ('sh01', '', '', '', 1)")
        environment = {
            "PATH": os.environ["PATH"],
            "TENCENTCLOUD_RUNENV": "SCF",
            "SECRET_KEY": "for-measuring-only",
            "PUBLIC_URL": "https://survey.example.com",
            "ALLOWED_HOSTS": "*",
            **variables,
        }
        costs = in_turn(commands(WORK, routes, []), options.runs, environment)
        print_table(f"Unlimited, {options.runs} runs", costs)
        if options.throttled:
            with tenth_of_a_core() as prefix:
                costs = in_turn(commands(WORK, routes, prefix), options.throttled, environment)
            print_table(f"In a tenth of a core, the share of 128 MB, {options.throttled} runs", costs)


if __name__ == "__main__":
    main()
