"""`package --verify`: run the built archives isolated and read-only, laid out as on the platform.

The zips are unpacked as var/user and opt, in this order on sys.path, with no other packages in reach. On Linux as root
a namespace removes the network and write access; the command reports where the kernel does not allow one.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from faaskit.function_config import FunctionConfig
from faaskit.gateways import platforms
from faaskit.package.build import PLACES, Package, Report, variables
from faaskit.package.target import PackageError, Target
from faaskit.package.verify_server import verify_server
from faaskit.project import Project, Smoke

REPLAY = Path(__file__).with_name("replay.py")
# Mount the folder on itself read-only, then run the rest of the command line.
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'


def verify(package: Package, target: Target, report: Report) -> None:
    """Try what the project's table names; raises PackageError for the first wrong result."""
    if package.python is None:
        raise PackageError(f"--verify needs a CPython {target.python} here, and there is none.")
    project = package.project
    config = package.config
    with tempfile.TemporaryDirectory(prefix="verify-") as temporary:
        root, writable = Path(temporary, "root"), Path(temporary, "tmp")
        writable.mkdir()
        for name in package.archives:
            with zipfile.ZipFile(package.folder / f"{name}.zip") as archive:
                archive.extractall(root / PLACES[name].lstrip("/"))
        environment = environment_of(project, config, root, writable)
        plan = plan_of(package, config, root, environment)
        if project.settings:
            replay([package.python], plan | {"migrate": True}, writable, environment, lambda line: None)
        set_writable(root, writable=False)
        try:
            isolation, missing = isolate(root)
            if missing:
                report(missing)
            count = replay([*isolation, package.python], plan, writable, environment, report)
            if config.is_web:
                verify_server(package, root, environment, report)
        finally:
            set_writable(root, writable=True)
    report(f"All {count} requests and events passed.")


def environment_of(project: Project, config: FunctionConfig, root: Path, writable: Path) -> dict[str, str]:
    """Return the environment of an instance, in which nothing but PATH is this machine's."""
    code = str(root / PLACES["function"].lstrip("/"))
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "TMPDIR": str(writable),
        "WSGI_APPLICATION": project.application,
        "PUBLIC_URL": "http://127.0.0.1",  # a host that most settings allow; the events name none
        **platforms.environment(platforms.SCF, config, config.memory, code),
        **config.environment,
        **variables(project, writable),
    }
    if os.name == "nt":
        environment |= {name: os.environ[name] for name in ("SYSTEMROOT", "TEMP") if name in os.environ}
    return {name: value for name, value in environment.items() if value}


def plan_of(package: Package, config: FunctionConfig, root: Path, environment: dict[str, str]) -> dict[str, Any]:
    """Return what replay.py reads."""
    project = package.project
    names = [name for name in environment if name in config.environment]
    shown = {name: environment[name] for name in names}
    smoke = project.smoke or (Smoke(path=project.health or "/"),)
    return {
        "root": str(root),
        "places": [PLACES[name].lstrip("/") for name in package.archives],
        "migrate": False,
        "handler": config.handler,
        "context": platforms.context(platforms.SCF, config, "verify", config.memory, config.timeout, shown),
        "imports": project.imports,
        "get": event_of(Smoke(path="/")),
        "tests": [
            {
                "request": f"manage {each.manage}" if each.manage else f"{each.method} {each.path}",
                "event": event_of(each),
                "statuses": each.status or ([0] if each.manage else list(range(200, 500))),
            }
            for each in smoke
        ],
        "events": str(project.folder / project.events) if project.events else "",
    }


def event_of(smoke: Smoke) -> dict[str, Any]:
    """Return the event of a Function URL, or that of a direct invocation with a command."""
    if smoke.manage:
        return {"manage": shlex.split(smoke.manage)}
    path, _, query = smoke.path.partition("?")
    body, content_type = smoke.content()
    headers = {"accept": "*/*", **({"content-type": content_type} if content_type else {}), **smoke.headers}
    parameters = dict(part.partition("=")[::2] for part in query.split("&")) if query else {}
    return {"httpMethod": smoke.method, "path": path, "queryString": parameters, "headers": headers, "body": body}


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


def replay(python: list[str], plan: dict[str, Any], writable: Path, environment: dict[str, str], report: Report) -> int:
    """Run replay.py, report its lines and return their number; raises PackageError when it fails."""
    file = writable / "plan.json"
    file.write_text(json.dumps(plan), encoding="utf-8")
    command = [*python, "-I", "-S", "-B", str(REPLAY), str(file)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, encoding="utf-8", cwd=writable)
    results = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith('{"request": ')]
    for result in results:
        report(f"{result['status']!s:>14}  {result['request']}")
    for result in results:
        if not result["passed"]:
            raise PackageError(f"The package fails {result['request']}: {result['detail']}\n{ended.stderr}")
    if ended.returncode:
        last = (ended.stderr.strip().splitlines() or ["no message"])[-1]
        raise PackageError(f"The package does not run: {last}\n{ended.stderr}")
    return len(results)


def set_writable(root: Path, writable: bool) -> None:
    """Let the owner write below a folder, or nobody."""
    for path in [root, *root.rglob("*")]:
        mode = path.stat().st_mode
        path.chmod(mode | stat.S_IWUSR if writable else mode & ~0o222)
