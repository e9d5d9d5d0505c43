"""`package --verify`: runs what would be uploaded, laid out, isolated and read-only as on the platform.

The zips are unpacked into a folder as var/user and opt, in this order on sys.path, with no other packages in reach.
On Linux as root a namespace takes away the network and write access, as far as the kernel lets it; else that is said.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from faaskit.package.build import Package, Say
from faaskit.package.target import PackageError, Target

REPLAY = Path(__file__).with_name("replay.py")
# Mount the folder on itself read-only, then run the rest of the command line.
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'


def verify(package: Package, events: Path, target: Target, say: Say) -> None:
    """Replay sample events and one request of each endpoint; PackageError for the first that is not answered."""
    if package.python is None:
        raise PackageError(f"--verify needs a CPython {target.python} here, and there is none.")
    with tempfile.TemporaryDirectory(prefix="verify-") as temporary:
        root, writable = Path(temporary, "root"), Path(temporary, "tmp")
        writable.mkdir()
        for name, place in (("function", "var/user"), ("layer", "opt")):
            with zipfile.ZipFile(package.folder / f"{name}.zip") as archive:
                archive.extractall(root / place)
        set_writable(root, writable=False)
        try:
            isolation, missing = isolate(root)
            for sentence in missing:
                say(sentence)
            replay(isolation, package.python, root, writable, events, say)
        finally:
            set_writable(root, writable=True)


def isolate(root: Path) -> tuple[list[str], list[str]]:
    """(what to put before the command, what cannot be had here)."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("unshare"):
        return [], ["Not cut off from the network: that takes Linux and root."]
    full = ["unshare", "--net", "--mount", "sh", "-c", READ_ONLY, str(root)]
    if subprocess.run([*full, "true"], capture_output=True).returncode == 0:
        return full, []
    network = ["unshare", "--net"]
    if subprocess.run([*network, "true"], capture_output=True).returncode == 0:
        return network, ["Root can write into the read-only folder: this kernel allows no mount namespace."]
    return [], ["Neither cut off from the network nor read-only for root: this kernel allows no namespaces."]


def replay(isolation: list[str], python: list[str], root: Path, writable: Path, events: Path, say: Say) -> None:
    """Run replay.py over the unpacked package and report its lines; PackageError when it failed."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "TENCENTCLOUD_RUNENV": "SCF",
        "SCF_FUNCTIONNAME": "verify",
        "SECRET_KEY": "for-verifying-only",
        "PUBLIC_URL": "https://survey.example.com",
        "ALLOWED_HOSTS": "*",
        "SQLITE_PATH": str(writable / "db.sqlite3"),
        "TMPDIR": str(writable),
    }
    if os.name == "nt":
        environment |= {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP") if name in os.environ}
    command = [*isolation, *python, "-I", "-S", "-B", str(REPLAY), str(root), str(events)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", cwd=writable)
    answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    for answer in answers:
        say(f"{answer['status']!s:>14}  {answer['request']}")
    wrong = [answer for answer in answers if not answer["right"]]
    if wrong:
        raise PackageError(f"The package does not answer {wrong[0]['request']}: {wrong[0]['detail']}\n{done.stderr}")
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise PackageError(f"The package does not run: {last}\n{done.stderr}")
    say(f"All {len(answers)} requests and events were answered by the package.")


def set_writable(root: Path, writable: bool) -> None:
    """Take or give everyone the right to write below a folder."""
    rights = stat.S_IWUSR
    for path in [root, *root.rglob("*")]:
        mode = path.stat().st_mode
        path.chmod(mode | rights if writable else mode & ~0o222)
