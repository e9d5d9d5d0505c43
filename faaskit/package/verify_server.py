"""`package --verify` of a Web function: start scf_bootstrap of the unpacked package and send it requests."""

from __future__ import annotations

from pathlib import Path

from faaskit.gateways import platforms
from faaskit.gateways.invocation import SUCCESS, Invocation
from faaskit.gateways.request import HttpRequest
from faaskit.local.instance import Launch
from faaskit.local.web_instance import Bootstrap, WebInstance
from faaskit.package.build import PLACES, Package, Report
from faaskit.package.target import PackageError
from faaskit.project import Smoke


def verify_server(package: Package, root: Path, environment: dict[str, str], report: Report) -> None:
    """Send the table's requests without a body to the server; raises PackageError for the first wrong response."""
    folder = root / PLACES["function"].lstrip("/")
    paths = ":".join(str(root / PLACES[name].lstrip("/")) for name in package.archives)
    launch = Launch(
        folder=folder,
        handler=package.config.handler,
        platform=platforms.SCF,
        variables=environment | {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"},
        memory=0,
        timeout=package.config.timeout,
        init_timeout=package.config.init_timeout,
        python=str(package.python),
    )
    instance = WebInstance(launch, Bootstrap.of(folder), 1, lambda spawn: spawn())
    try:
        invocation = Invocation()
        if not instance.start(invocation):
            raise PackageError(f"scf_bootstrap does not start: {invocation.error}.")
        smoke = package.project.smoke or (Smoke(path=package.project.health or "/"),)
        for each in smoke:
            if each.path and each.method == "GET":
                _try(instance, each, report)
    finally:
        instance.close()


def _try(instance: WebInstance, smoke: Smoke, report: Report) -> None:
    invocation = Invocation()
    request = HttpRequest(target=smoke.path, headers=[("Host", "127.0.0.1"), *smoke.headers.items()])
    exchange = instance.open(invocation, request, {})
    if exchange is None:
        raise PackageError(f"The server fails GET {smoke.path}: {invocation.error}.")
    body = b""
    while part := exchange.read():
        body += part
    exchange.end()
    status = exchange.response.status
    report(f"{status:>14}  GET {smoke.path} through scf_bootstrap")
    if invocation.code != SUCCESS or status not in (smoke.status or range(200, 500)):
        raise PackageError(f"The server fails GET {smoke.path}: {body[:500].decode(errors='replace')}")
