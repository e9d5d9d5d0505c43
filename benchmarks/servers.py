"""Servers that the benchmarks run against: a private MariaDB, and commands that serve HTTP."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RELEASE_BEFORE = "afa9231"
PRODUCTION = {
    "DEBUG": "0",
    "SECRET_KEY": "benchmark" * 8,
    "PUBLIC_URL": "http://127.0.0.1",
    "SUBMISSIONS_PER_HOUR": "0",  # no limit: all guests have one address
}


@contextmanager
def mariadb(*settings: str) -> Iterator[dict[str, str]]:
    """Run a private MariaDB, by default as it comes; yield the variables that name its migrated database."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    variables = {"MYSQL_HOST": "127.0.0.1", "MYSQL_PORT": port, "MYSQL_USER": "root", "MYSQL_PASSWORD": ""}
    with tempfile.TemporaryDirectory(prefix="benchmark-mariadb-") as folder:
        # --tmpdir: a starting server removes the temporary tables of other servers in /tmp.
        options = ["--no-defaults", f"--datadir={folder}/data", f"--tmpdir={folder}"]
        options += ["--user=root"] if os.geteuid() == 0 else []
        install = ["mariadb-install-db", *options, "--skip-test-db", "--auth-root-authentication-method=normal"]
        subprocess.run(install, check=True, stdout=subprocess.DEVNULL)
        options += [
            f"--socket={folder}/socket",
            f"--pid-file={folder}/pid",
            f"--port={port}",
            *settings,
        ]
        server = subprocess.Popen(["mariadbd", *options, "--bind-address=127.0.0.1", "--silent-startup"])
        try:
            admin = ["mariadb-admin", "--no-defaults", f"--socket={folder}/socket", "--user=root", "--silent"]
            subprocess.run([*admin, "--wait=60", "ping"], check=True, stdout=subprocess.DEVNULL)
            yield migrate(str(ROOT), variables, "survey")
        finally:
            server.kill()
            server.wait()


def migrate(release: str, variables: dict[str, str], database: str) -> dict[str, str]:
    """Make a database for the release in this folder; return the variables that name it."""
    execute(variables, f"CREATE DATABASE {database} CHARACTER SET utf8mb4")
    variables = {**variables, "MYSQL_DATABASE": database}
    command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    subprocess.run(command, cwd=release, env={**os.environ, **PRODUCTION, **variables}, check=True)
    return variables


@contextmanager
def release_before() -> Iterator[str]:
    """Put the release before into a temporary folder and yield it."""
    with tempfile.TemporaryDirectory(prefix="release-before-") as folder:
        archive = subprocess.run(["git", "archive", RELEASE_BEFORE], cwd=ROOT, check=True, stdout=subprocess.PIPE)
        subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
        yield folder


def execute(variables: dict[str, str], statements: str) -> list[str]:
    """Run SQL statements on the server of `mariadb`; return every value that they select."""
    client = ["mariadb", "--no-defaults", "--protocol=tcp", f"--port={variables['MYSQL_PORT']}", "--user=root"]
    command = [*client, "--skip-column-names", f"--execute={statements}", variables.get("MYSQL_DATABASE", "")]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()


@contextmanager
def serving(*arguments: str, **variables: str) -> Iterator[int]:
    """Run Python with these arguments and production settings; yield the port that it announces on stderr."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **PRODUCTION, **variables},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    output = []
    for line in process.stderr:
        output.append(line)
        if announced := re.search(r"http://127\.0\.0\.1:(\d+)", line):
            break
    else:
        raise SystemExit("".join(output))
    threading.Thread(target=process.stderr.read, daemon=True).start()  # a full pipe would stop the server
    try:
        yield int(announced[1])
    finally:
        process.terminate()
        process.wait()
