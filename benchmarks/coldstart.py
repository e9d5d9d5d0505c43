"""How much CPU does the first request of a fresh instance take, beside the smallest Django project and other bridges?

    python -m benchmarks.coldstart [--runs 15] [--throttled 3] [--only hello]

Each process has Python 3.10 and one request; the kinds take turns. `packaged` is what `manage.py package` builds,
called through index.py. `plain` is the same project as it is usually uploaded: `pip install -t`, Django's own wsgi.py,
stock jieba, behind serverless-wsgi or Zappa, with bytecode, and without it, as in a zip that was made elsewhere.
POST /submitSurvey writes to a private MariaDB.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles

from benchmarks import uploads
from benchmarks.fresh_processes import ROUTES, Cost, command, in_turn
from benchmarks.servers import ROOT, mariadb

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
V1 = (Path("/sys/fs/cgroup/cpu"), "cpu.cfs_quota_us", "10000")
V2 = (Path("/sys/fs/cgroup"), "cpu.max", "10000 100000")


def prepare(work: Path) -> None:
    """Make the folders: the package unpacked, and the plain upload with and without bytecode."""
    uploads.packaged(work / "build")
    uploads.plain(work / "plain", *PEERS.values())
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
    compileall = [*uploads.target_python(), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([*compileall, str(work / "with")], stdout=subprocess.DEVNULL)


def commands(work: Path, routes: list[str], prefix: list[str]) -> dict[str, list[str]]:
    """Return the commands to measure by their line in the table."""
    python = [*prefix, *uploads.target_python(), "-I", "-S", "-B"]
    folders = {name: f"{work / name}/function:{work / name}/layer" for name in ("packaged", "with", "without")}
    kinds = {
        "python alone": command(python, "", "nothing"),
        FLOOR: command(python, folders["packaged"], "smallest project"),
    }
    for route in routes:
        title = ROUTES[route].title
        kinds[f"packaged: {title}"] = command(python, folders["packaged"], "index.py", route)
        # The plain upload has no lexicon: it leaves comments to its timer.
        for bridge in () if route == "comment" else PEERS:
            for bytecode in ("with", "without"):
                kinds[f"plain, {bridge}, {bytecode} .pyc: {title}"] = command(python, folders[bytecode], bridge, route)
    return kinds


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
    print(f"\n{title}: medians, quartiles of the CPU in brackets\n")
    print(
        f"{'':58}{'CPU ms':>7}{'quartiles':>15}{'of floor':>9}{'with exit':>10}{'of floor':>9}{'wall':>7}{'peak MB':>8}"
    )
    medians = {name: Cost(*map(median, zip(*of_kind, strict=True))) for name, of_kind in costs.items()}
    floor = medians[FLOOR]
    for name, cost in medians.items():
        low, _, high = quantiles([one.cpu for one in costs[name]] * 2, n=4)  # twice: one run has none
        cpu = f"{cost.cpu:7.0f}{f'[{low:.0f} - {high:.0f}]':>15}{cost.cpu / floor.cpu:9.2f}"
        with_exit = f"{cost.cpu_with_exit:10.0f}{cost.cpu_with_exit / floor.cpu_with_exit:9.2f}"
        print(f"{name:58}{cpu}{with_exit}{cost.wall:7.0f}{cost.memory:8.1f}")
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
    parser.add_argument("--work", type=Path, default=ROOT / ".cache" / "coldstart", help="kept between runs")
    options = parser.parse_args()
    prepare(options.work)
    routes = [options.only] if options.only else list(ROUTES)
    with mariadb() as variables:
        environment = {
            "PATH": os.environ["PATH"],
            "TENCENTCLOUD_RUNENV": "SCF",
            "SECRET_KEY": "for-measuring-only",
            "PUBLIC_URL": "https://survey.example.com",
            "ALLOWED_HOSTS": "*",
            **variables,
        }
        costs = in_turn(commands(options.work, routes, []), options.runs, environment)
        print_table(f"Unlimited, {options.runs} runs", costs)
        if options.throttled:
            with tenth_of_a_core() as prefix:
                costs = in_turn(commands(options.work, routes, prefix), options.throttled, environment)
            print_table(f"In a tenth of a core, the share of 128 MB, {options.throttled} runs", costs)


if __name__ == "__main__":
    main()
