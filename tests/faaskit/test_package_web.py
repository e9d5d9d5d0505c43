"""A package of `type: web` starts a server of its own; one of an event function has nothing of it."""

from __future__ import annotations

import importlib.util
import shutil
import stat
import zipfile
from pathlib import Path

import pytest

from faaskit import project
from faaskit.package import build, verify
from faaskit.package.build import Package
from faaskit.package.target import PackageError, Target
from faaskit.web import bootstrap
from tests.support.package_index import make_wheel

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
TARGET = Target.parse("3.10", "manylinux2014_x86_64")
APPLICATION = """
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ["PATH_INFO"].encode()]
"""


@pytest.fixture
def shop(tmp_path: Path, index: Path) -> Path:
    """A WSGI project of type web, and an index that has the server alone, of two versions."""
    folder = tmp_path / "shop"
    folder.mkdir()
    source = Path(importlib.util.find_spec("waitress").origin).parent
    files = {f"waitress/{path.name}": path.read_bytes() for path in source.glob("*.py")}
    make_wheel(index, "waitress", version="3.0.2", files=files)
    make_wheel(index, "waitress", version="3.0.1", files=files)
    shutil.copy(ROOT / "index.py", folder)
    (folder / "requirements.txt").write_text("# nothing\n")
    (folder / "shop.py").write_text(APPLICATION)
    (folder / "pyproject.toml").write_text('[tool.faaskit]\napplication = "shop:application"\n')
    describe(folder, "web")
    return folder


def describe(folder: Path, kind: str) -> None:
    config = f"component: scf\nname: shop\ninputs:\n  name: shop\n  type: {kind}\n  timeout: 10\n"
    (folder / "serverless.yml").write_text(config)


def packaged(folder: Path, output: Path) -> Package:
    return build.build(project.read(folder), output, TARGET, print)


def modes(archive: Path) -> dict[str, int]:
    with zipfile.ZipFile(archive) as file:
        return {info.filename: info.external_attr >> 16 for info in file.infolist()}


def test_the_server_ships_with_a_web_function_and_runs(shop: Path, tmp_path: Path) -> None:
    built = packaged(shop, tmp_path / "build")
    found = modes(built.folder / "function.zip")
    assert {"web_function.py", "index.py", "waitress/server.py"} <= found.keys()
    assert found.pop(bootstrap.NAME) == stat.S_IFREG | 0o755
    assert set(found.values()) == {stat.S_IFREG | 0o644}
    # Tencent's component packs this folder itself.
    assert stat.S_IMODE((built.folder / "function" / bootstrap.NAME).stat().st_mode) == 0o755
    assert f"{bootstrap.WAITRESS} \\" in (built.folder / "requirements.lock").read_text()
    lines: list[str] = []
    verify.verify(built, TARGET, lines.append)
    assert "           200  GET / through scf_bootstrap" in lines
    again = packaged(shop, tmp_path / "again")
    assert (built.folder / "function.zip").read_bytes() == (again.folder / "function.zip").read_bytes()


def test_an_event_function_has_nothing_of_the_server(shop: Path, tmp_path: Path) -> None:
    describe(shop, "event")
    found = modes(packaged(shop, tmp_path / "build").folder / "function.zip")
    assert not [name for name in found if "waitress" in name or name in (bootstrap.NAME, "web_function.py")]


def test_a_project_that_names_the_server_chooses_its_version(shop: Path, tmp_path: Path) -> None:
    (shop / "requirements.txt").write_text("Waitress == 3.0.1\n")
    assert "waitress==3.0.1" in (packaged(shop, tmp_path / "build").folder / "requirements.lock").read_text()


def test_a_server_that_does_not_start_fails_the_verification(shop: Path, tmp_path: Path) -> None:
    (shop / bootstrap.NAME).write_bytes(b"#!/bin/bash\r\nexit 3\r\n")
    (shop / "pyproject.toml").write_text('[tool.faaskit]\napplication = "shop:application"\n')
    built = packaged(shop, tmp_path / "build")
    with pytest.raises(PackageError, match=r"scf_bootstrap does not start: Process exited with code 3\."):
        verify.verify(built, TARGET, print)


def test_a_web_function_needs_the_bridge(shop: Path, tmp_path: Path) -> None:
    (shop / "index.py").unlink()
    (shop / "own.py").write_text("def handler(event, context): pass\n")
    with (shop / "serverless.yml").open("a") as file:
        file.write("  handler: own.handler\n")
    with pytest.raises(PackageError, match=r"index\.py is not among the files that ship: a Web function needs it too"):
        packaged(shop, tmp_path / "build")


def test_the_server_is_the_one_that_the_tests_run() -> None:
    assert f"\n{bootstrap.WAITRESS} " in (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
