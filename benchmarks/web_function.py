"""What does a Web function cost beside the event function: the first response, and 10,000 guests a day?

    python -m benchmarks.web_function [--runs 15] [--guests 300]

Both serve this folder's code with the Python that runs this, on a migrated SQLite file; processes take turns. The event
function is called through index.main_handler, as the platform's runtime does; the Web function is scf_bootstrap. CPU is
the process's own, until the response has arrived. A guest opens the page, with its two files, and sends the form.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from faaskit.web import bootstrap

ROOT = Path(__file__).resolve().parents[1]
CORE_SHARE = 0.1  # of 128 MB
GIGABYTES = 0.125
GUESTS_A_DAY = 10_000
SUBMISSION = {"name": "Tom", "phone": "1234567890", "satisfaction": 5}
VISIT = ("GET", "/", None), ("POST", "/submitSurvey", SUBMISSION)
EVENTS = """\
import json, resource, sys
import index
for line in sys.stdin:
    for _ in range(json.loads(line)["times"]):
        for event in json.loads(line)["events"]:
            assert index.main_handler(event, {})["statusCode"] < 400
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(used.ru_utime + used.ru_stime, flush=True)
"""


def event(method: str, path: str, body: object) -> dict[str, object]:
    """Return the event of a Function URL."""
    headers = {"content-type": "application/json"} if body else {}
    return {"httpMethod": method, "path": path, "headers": headers, "body": json.dumps(body) if body else ""}


def of_events(environment: dict[str, str], visits: list[int]) -> list[float]:
    """Return the CPU seconds of an event function after each number of visits; 0 is one GET of the page."""
    command = [sys.executable, "-c", EVENTS]
    with subprocess.Popen(
        command, env=environment, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        found = []
        for times in visits:
            events = [event(*request) for request in (VISIT if times else VISIT[:1])]
            process.stdin.write(json.dumps({"times": times or 1, "events": events}) + "\n")
            process.stdin.flush()
            found.append(float(process.stdout.readline()))
        process.stdin.close()
    return found


def of_http(environment: dict[str, str], folder: Path, visits: list[int]) -> list[float]:
    """Return the same of a Web function."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own = {"FUNCTION_PORT": str(port), "FUNCTION_PYTHON": sys.executable}
    process = subprocess.Popen(["/bin/bash", str(folder / bootstrap.NAME)], env=environment | own, cwd=ROOT)
    try:
        while True:
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.005)
        found = []
        for times in visits:
            for _ in range(times or 1):
                for method, path, body in VISIT if times else VISIT[:1]:
                    connection = http.client.HTTPConnection("127.0.0.1", port)
                    headers = {"Host": "survey.example.com", "Content-Type": "application/json"}
                    connection.request(method, path, json.dumps(body) if body else None, headers)
                    response = connection.getresponse()
                    response.read()
                    assert response.status < 400, response.status
                    connection.close()
            fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
            found.append((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))
    finally:
        process.kill()
        process.wait()
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15, help="processes of each kind (default: 15)")
    parser.add_argument("--guests", type=int, default=300, help="of one process of each kind (default: 300)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        bootstrap.write(folder, "3.10", 4)
        environment = {
            **{"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "TENCENTCLOUD_RUNENV": "SCF", "SECRET_KEY": "x"},
            **{"PUBLIC_URL": "https://survey.example.com", "SQLITE_PATH": str(folder / "db.sqlite3")},
            **{"SUBMISSIONS_PER_HOUR": "0", "LEXICON_DIR": os.environ.get("LEXICON_DIR", str(folder))},
        }
        migrate = [sys.executable, "manage.py", "migrate", "-v0"]
        subprocess.run(migrate, env=environment, cwd=ROOT, check=True)
        first: dict[str, list[float]] = {"event function": [], "Web function": []}
        for _ in range(options.runs):
            first["event function"] += of_events(environment, [0])
            first["Web function"] += of_http(environment, folder, [0])
        warm = {
            "event function": of_events(environment, [10, options.guests]),
            "Web function": of_http(environment, folder, [10, options.guests]),
        }
    print(f"{'':16}first GET /, CPU ms   a guest, CPU ms   GB-seconds of {GUESTS_A_DAY:,} guests at 128 MB")
    for kind, seconds in first.items():
        a_guest = (warm[kind][1] - warm[kind][0]) / options.guests
        bill = a_guest / CORE_SHARE * GIGABYTES * GUESTS_A_DAY
        print(f"{kind:16}{median(seconds) * 1000:19.0f}{a_guest * 1000:18.2f}{bill:20.0f}")
    ratio = median(first["Web function"]) / median(first["event function"])
    print(f"The Web function's first response takes {ratio:.2f} of the event function's CPU.")


if __name__ == "__main__":
    main()
