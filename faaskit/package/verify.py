"""`package --verify`: run the built archives isolated and read-only, laid out as on the platform.

The zips are unpacked as var/user and opt, in this order on sys.path, with no other packages in reach. On Linux as root
a namespace removes the network and write access; the command reports where the kernel does not allow one.
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

from faaskit.package.build import Package, Report
from faaskit.package.target import PackageError, Target

REPLAY = Path(__file__).with_name("replay.py")
# Mount the folder on itself read-only, then run the rest of the command line.
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'


def verify(package: Package, events: Path, target: Target, report: Report) -> None:
    """Replay the sample events and a request of each endpoint; raises PackageError for the first wrong result."""
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
            if missing:
                report(missing)
            replay([*isolation, *package.python], root, writable, events, report)
        finally:
            set_writable(root, writable=True)


def isolate(root: Path) -> tuple[list[str], str]:
    """Return the command that isolates what follows it, and a sentence on the isolation that is missing here."""
    if sys.platform != "linux" or os.geteuid() != 0 or not shutil.which("unshare"):
        return [], "Not cut off from the network: that takes Linux and root."
    network = ["unshare", "--net"]
    full = [*network, "--mount", "sh", "-c", READ_ONLY, str(root)]
    if subprocess.run([*full, "true"], capture_output=True).returncode == 0:
        return full, ""
    if subprocess.run([*network, "true"], capture_output=True).returncode == 0:
        return network, "Root can write into the read-only folder: this kernel allows no mount namespace."
    return [], "Neither cut off from the network nor read-only for root: this kernel allows no namespaces."


def replay(python: list[str], root: Path, writable: Path, events: Path, report: Report) -> None:
    """Run replay.py over the unpacked package and report its lines; raises PackageError when it fails."""
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
    command = [*python, "-I", "-S", "-B", str(REPLAY), str(root), str(events)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", cwd=writable)
    results = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
    for result in results:
        report(f"{result['status']!s:>14}  {result['request']}")
    for result in results:
        if not result["passed"]:
            raise PackageError(f"The package fails {result['request']}: {result['detail']}\n{ended.stderr}")
    if ended.returncode:
        last = (ended.stderr.strip().splitlines() or ["no message"])[-1]
        raise PackageError(f"The package does not run: {last}\n{ended.stderr}")
    report(f"All {len(results)} requests and events passed.")


def set_writable(root: Path, writable: bool) -> None:
    """Let the owner write below a folder, or nobody."""
    for path in [root, *root.rglob("*")]:
        mode = path.stat().st_mode
        path.chmod(mode | stat.S_IWUSR if writable else mode & ~0o222)
