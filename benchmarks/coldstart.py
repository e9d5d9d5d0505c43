"""How much CPU the first answer of a fresh instance takes, beside the smallest Django project and the usual bridges.

    .venv/bin/python -m benchmarks.coldstart [--runs 15] [--throttled 3] [--only hello]

Every figure is a fresh process of Python 3.10, all of them in turn in each round; a wrong answer stops the benchmark.
`packaged` is what `manage.py package` builds, called through index.py. `plain` is the same
project as people upload it: `pip install -t`, Django's own wsgi.py, stock jieba, behind serverless-wsgi or Zappa; with
byte code, and without it as a zip that was made elsewhere has it. POST /submitSurvey writes into a MariaDB of its own.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from faaskit.package import build
from faaskit.package.target import Target, find_python
from tests.support.mariadb import PrivateServer

PROJECT = Path(__file__).resolve().parent.parent
FIRST_ANSWER = Path(__file__).with_name("first_answer.py")
PEERS = ("serverless-wsgi==3.1.0", "zappa==0.63.0")
TITLES = {
    "hello": "GET /hello/",
    "page": "GET /",
    "submit": "POST /submitSurvey",
    "comment": "POST /submitSurvey with a comment",
    "jieba": "GET /jieba/",
}
OURS_ALONE = "comment"  # cut into words; the plain upload has no lexicon and leaves that to its timer
FLOOR = "smallest Django project"
# `pass`, and the peak of its memory as the others print it.
PASS = "print('right'); print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')))"


Enter = Callable[[], None] | None  # called in the child before it starts


@dataclass
class Case:
    """One kind of process and what was measured of it."""

    arguments: list[str]
    cpu: list[float] = field(default_factory=list)  # ms
    wall: list[float] = field(default_factory=list)  # ms
    memory: list[float] = field(default_factory=list)  # MB


def main() -> None:
    """Prepare, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15, help="processes of each kind (default: 15)")
    parser.add_argument("--throttled", type=int, default=3, help="... in a tenth of a core (default: 3; 0: none)")
    parser.add_argument("--only", choices=TITLES, help="one route instead of all")
    parser.add_argument("--work", type=Path, default=PROJECT / ".cache" / "coldstart", help="kept between runs")
    options = parser.parse_args()
    python = find_python("3.10")
    if python is None:
        sys.exit("Python 3.10 is what ships, and there is none here.")
    prepare(options.work, python)
    routes = [options.only] if options.only else list(TITLES)
    with PrivateServer() as database:
        environment = {
            "PATH": os.environ["PATH"],
            "TENCENTCLOUD_RUNENV": "SCF",
            "SECRET_KEY": "for-measuring-only",
            "PUBLIC_URL": "https://survey.example.com",
            "ALLOWED_HOSTS": "*",
            **database.server.environment(),
        }
        database.server.execute("CREATE DATABASE survey CHARACTER SET utf8mb4")
        cases = make_cases(options.work, python, routes)
        run_once([*cases[f"packaged: {TITLES[routes[0]]}"].arguments[:-2], "packaged", "migrate"], environment)
        print(f"\nUnlimited: median of {options.runs}, quartiles in brackets\n")
        measure(cases, environment, options.runs)
        print_table(cases)
        if options.throttled:
            with tenth_of_a_core() as enter:
                throttled = make_cases(options.work, python, routes)
                measure(throttled, environment, options.throttled, enter)
            print(f"\nIn a CPU cgroup of a tenth of a core, the share of 128 MB: median of {options.throttled}\n")
            print_table(throttled)


def prepare(work: Path, python: list[str]) -> None:
    """Make the folders: the package unpacked, and the plain upload with and without byte code."""
    work.mkdir(parents=True, exist_ok=True)
    build.build(PROJECT, work / "build", Target.parse("3.10", "manylinux2014_x86_64"), print)
    for name, place in (("function", "packaged/user"), ("layer", "packaged/opt")):
        shutil.rmtree(work / place, ignore_errors=True)
        with zipfile.ZipFile(work / "build" / f"{name}.zip") as archive:
            archive.extractall(work / place)
    libraries = work / "plain-opt"
    if not libraries.exists():
        print("Installing the plain upload's packages with pip install -t.")
        command = [*python, "-m", "pip", "install", "-q", "-t", str(libraries), "--no-compile"]
        subprocess.run(
            [*command, "-r", str(PROJECT / "requirements.txt"), *PEERS], check=True, stderr=subprocess.DEVNULL
        )
    for byte_code in ("with", "without"):
        folder = work / f"plain-{byte_code}"
        shutil.rmtree(folder, ignore_errors=True)
        ignore = shutil.ignore_patterns("__pycache__", "cloud", ".*")
        for name in ("mydjango", "survey"):
            shutil.copytree(PROJECT / name, folder / "user" / name, ignore=ignore)
        shutil.copytree(work / "packaged/user/staticfiles", folder / "user" / "staticfiles")
        shutil.copytree(libraries, folder / "opt", ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "user/survey/text/analysis.py").write_text(STOCK_ANALYSIS, encoding="utf-8")
        (folder / "user/mydjango/wsgi.py").write_text(STOCK_WSGI, encoding="utf-8")
        (folder / "user/zappa_settings.py").write_text(ZAPPA_SETTINGS, encoding="utf-8")
        if byte_code == "with":
            command = [*python, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(folder)]
            subprocess.run(command, stdout=subprocess.DEVNULL)


STOCK_WSGI = """\
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mydjango.settings")

application = get_wsgi_application()
"""

STOCK_ANALYSIS = """\
import jieba
import jieba.analyse


def segment(text):
    return jieba.lcut(text)


def keywords(text, top_k=20, allow_pos=()):
    return jieba.analyse.extract_tags(text, topK=top_k, withWeight=True, allowPOS=allow_pos)


def textrank(text, top_k=20, allow_pos=("ns", "n", "vn", "v")):
    return jieba.analyse.textrank(text, topK=top_k, withWeight=True, allowPOS=allow_pos)
"""

ZAPPA_SETTINGS = """\
DJANGO_SETTINGS = "mydjango.settings"
APP_FUNCTION = None
BINARY_SUPPORT = True
DEBUG = False
LOG_LEVEL = "WARNING"
DOMAIN = None
BASE_PATH = None
COGNITO_TRIGGER_MAPPING = {}
AWS_EVENT_MAPPING = {}
ENVIRONMENT_VARIABLES = {}
API_STAGE = "dev"
PROJECT_NAME = "survey"
EXCEPTION_HANDLER = None
CONTEXT_HEADER_MAPPINGS = {}
"""


def make_cases(work: Path, python: list[str], routes: list[str]) -> dict[str, Case]:
    """The processes to start, by their line in the table."""
    command = [*python, "-I", "-S", "-B"]
    cases = {
        "python -c pass": Case([*command, "-c", PASS]),
        FLOOR: Case([*command, str(FIRST_ANSWER), str(work / "packaged"), "floor", "hello"]),
    }
    for route in routes:
        arguments = [*command, str(FIRST_ANSWER)]
        cases[f"packaged: {TITLES[route]}"] = Case([*arguments, str(work / "packaged"), "packaged", route])
        for bridge in () if route == OURS_ALONE else ("serverless-wsgi", "zappa"):
            for byte_code in ("with", "without"):
                name = f"plain, {bridge}, {byte_code} .pyc: {TITLES[route]}"
                cases[name] = Case([*arguments, str(work / f"plain-{byte_code}"), bridge, route])
    return cases


def measure(
    cases: dict[str, Case], environment: dict[str, str], runs: int, enter: Callable[[], None] | None = None
) -> None:
    """Start every kind once in each round."""
    for _round in range(runs):
        for case in cases.values():
            cpu, wall, memory = run_once(case.arguments, environment, enter)
            case.cpu.append(cpu)
            case.wall.append(wall)
            case.memory.append(memory)


def run_once(arguments: list[str], environment: dict[str, str], enter: Enter = None) -> tuple[float, float, float]:
    """(CPU in ms, wall in ms, peak memory in MB) of one process; exits when it did not answer rightly."""
    began = time.perf_counter()
    process = subprocess.Popen(
        arguments, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=enter, text=True
    )
    said, complaint = process.stdout.read(), process.stderr.read()
    _pid, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = status
    if status or "right" not in said:
        sys.exit(f"{' '.join(arguments)} failed:\n{said[-2000:]}\n{complaint[-4000:]}")
    # Not ru_maxrss: that begins with this process's own, which the child was a copy of.
    peak = next(line for line in said.splitlines() if line.startswith("VmHWM")).split()[1]
    return (usage.ru_utime + usage.ru_stime) * 1000, wall * 1000, int(peak) / 1024


@contextmanager
def tenth_of_a_core() -> Iterator[Callable[[], None] | None]:
    """What a child calls to enter a cgroup of a tenth of a core (v1 or v2; Linux and root)."""
    version_1 = Path("/sys/fs/cgroup/cpu")
    top = version_1 if version_1.is_dir() else Path("/sys/fs/cgroup")
    group = top / f"survey-coldstart-{os.getpid()}"
    try:
        group.mkdir()
        if version_1.is_dir():
            (group / "cpu.cfs_period_us").write_text("100000")
            (group / "cpu.cfs_quota_us").write_text("10000")
        else:
            (group / "cpu.max").write_text("10000 100000")
    except OSError as error:
        sys.exit(f"No CPU cgroup can be made here ({error}): run as root, or with --throttled 0.")
    try:
        yield lambda: (group / "cgroup.procs").write_text(str(os.getpid())) and None
    finally:
        group.rmdir()


def print_table(cases: dict[str, Case]) -> None:
    """One line a kind: CPU, its quartiles, its ratio to the floor, wall, memory."""
    floor = statistics.median(cases[FLOOR].cpu)
    print(f"{'':58}{'CPU ms':>9}{'quartiles':>16}{'of floor':>10}{'wall ms':>9}{'peak MB':>9}")
    for name, case in cases.items():
        cpu = statistics.median(case.cpu)
        low, _, high = statistics.quantiles(case.cpu, n=4) if len(case.cpu) > 1 else (cpu, cpu, cpu)
        print(
            f"{name:58}{cpu:>9.0f}{f'[{low:.0f} - {high:.0f}]':>16}{cpu / floor:>10.2f}"
            f"{statistics.median(case.wall):>9.0f}{statistics.median(case.memory):>9.1f}"
        )
    for name, case in cases.items():
        plain = cases.get(name.replace("packaged", "plain, serverless-wsgi, without .pyc"))
        if name.startswith("packaged") and plain is not None:
            ratio = statistics.median(case.cpu) / statistics.median(plain.cpu)
            print(f"{name} takes {ratio:.2f} of the CPU of the plain upload behind serverless-wsgi.")


if __name__ == "__main__":
    main()
