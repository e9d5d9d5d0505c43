"""The archives hold the right files, built for the platform, with the same bytes each time, and run."""

from __future__ import annotations

import hashlib
import io
import marshal
import shutil
import struct
import subprocess
import sys
import zipfile
from importlib.util import source_from_cache
from pathlib import Path, PurePosixPath

import pytest
from django.core.management import templates
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from faaskit import project
from faaskit.package import archives, build, shipped_files, verify
from faaskit.package.archives import Size
from faaskit.package.build import Package
from faaskit.package.target import PackageError, Target, find_python
from faaskit.project import Project
from faaskit.units import MEGABYTE
from mydjango.cold_start import bytecode_importer

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
TARGET = Target.parse("3.10", "manylinux2014_x86_64")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """Build the project's own package once."""
    return build.build(project.read(PROJECT), tmp_path_factory.mktemp("build"), TARGET, print)


def names(archive: Path) -> set[str]:
    with zipfile.ZipFile(archive) as file:
        return set(file.namelist())


def test_the_same_input_gives_the_same_bytes(built: Package, tmp_path: Path) -> None:
    again = build.build(project.read(PROJECT), tmp_path / "again", TARGET, print)
    for name in ("function.zip", "layer.zip"):
        first, second = ((folder / name).read_bytes() for folder in (built.folder, again.folder))
        assert hashlib.sha256(first).hexdigest() == hashlib.sha256(second).hexdigest(), name


def test_the_package_passes_its_verification(built: Package) -> None:
    if built.python is None:
        pytest.fail("Python 3.10 is what ships: it is needed here, as python3.10 or in pyenv.")
    lines: list[str] = []
    verify.verify(built, TARGET, lines.append)
    assert lines[-1].startswith("All ")


def test_requirements_txt_pins_every_package_of_the_layer(built: Package) -> None:
    lock = (built.folder / build.LOCK).read_text().splitlines()
    pinned = [
        Requirement(line.partition(" #")[0])
        for line in (PROJECT / "requirements.txt").read_text().splitlines()
        if "==" in line
    ]
    versions = {f"{canonicalize_name(each.name)}{each.specifier}" for each in pinned}
    assert {line.partition(" ")[0] for line in lock if "==" in line} <= versions


def test_the_function_holds_no_development_files(built: Package) -> None:
    function = names(built.folder / "function.zip")
    assert {"index.py", "mydjango/wsgi.py", "survey/models/__init__.py", "staticfiles/staticfiles.json"} <= function
    assert "survey/locale/zh_Hans/LC_MESSAGES/django.mo" in function
    assert "survey/management/commands/drain_outbox.py" in function
    for name in function:
        assert not name.startswith(("faaskit/", "tests/", "benchmarks/", "docs/")), name
        assert not any(part.startswith(".") for part in PurePosixPath(name).parts), name
        assert not name.endswith((".po", ".sqlite3", ".env")), name
    for command in ("dev", "runserver", "rungateway", "invoke", "package", "deploy"):
        assert f"mydjango/management/commands/{command}.py" not in function


def test_the_layer_holds_its_packages_at_the_root_and_no_unused_files(built: Package) -> None:
    layer = names(built.folder / "layer.zip")
    assert {"django/__init__.py", "jieba/__init__.py", "pymysql/__init__.py", "jieba/jieba.lexicon"} <= layer
    tops = {name.partition("/")[0] for name in layer}
    assert not tops & {"pip", "setuptools", "pkg_resources", "wheel", "pycparser", "cffi", "bin", "werkzeug", "python"}
    for name in layer:
        assert "/tests/" not in name, name
        assert not name.startswith(("django/contrib/gis/", "jieba/lac_small/", "jieba/dict.txt")), name
        language = shipped_files.LANGUAGE_FOLDER.search(name)
        assert language is None or language["language"] in ("en", "zh_Hans"), name


def test_trap_25_the_bytecode_is_unchecked_and_of_the_target(built: Package) -> None:
    with zipfile.ZipFile(built.folder / "layer.zip") as layer:
        codes = [name for name in layer.namelist() if name.endswith(".pyc")]
        sources = [name for name in layer.namelist() if name.endswith(".py")]
        assert len(codes) == len(sources)
        for name in codes:
            head = layer.read(name)[:8]
            assert name.endswith(".cpython-310.pyc")
            assert struct.unpack("<I", head[4:])[0] == 0b01, name  # by hash, not to be checked


def test_each_module_of_the_function_has_bytecode_once(built: Package) -> None:
    with zipfile.ZipFile(built.folder / "function.zip") as function:
        sources = {name for name in function.namelist() if name.endswith(".py")}
        own = {source_from_cache(name) for name in function.namelist() if name.endswith(".pyc")}
        archive = function.read(bytecode_importer.FILE_NAME)
    length = int.from_bytes(archive[4:8], "little")
    collected = {source for source, *_ in marshal.loads(archive[8 : 8 + length]).values()}
    assert own | collected == sources
    assert not own & collected
    assert {"survey/models/submission.py", "mydjango/http/request.py"} <= collected
    # They are imported before the archive is.
    assert {"index.py", "mydjango/wsgi.py", "mydjango/cold_start/bytecode_importer.py"} <= own


def test_the_archives_are_as_small_as_promised(built: Package) -> None:
    assert (built.folder / "function.zip").stat().st_size < 1.25 * MEGABYTE
    assert (built.folder / "layer.zip").stat().st_size < 20 * MEGABYTE
    unzipped = 0
    for name in ("function.zip", "layer.zip"):
        with zipfile.ZipFile(built.folder / name) as archive:
            unzipped += sum(info.file_size for info in archive.infolist())
    assert unzipped < 70 * MEGABYTE


def test_a_size_over_a_limit_of_the_platform_is_an_error_with_figures() -> None:
    def size(zipped: int, unzipped: int) -> Size:
        return Size(zipped * MEGABYTE, unzipped * MEGABYTE)

    assert archives.over_limit({"function": size(1, 1), "layer": size(1, 1)}) == []
    (sentence,) = archives.over_limit({"function": size(11, 1), "layer": size(1, 1)})
    assert sentence == "function.zip has 11.0 MB, more than the 10 MB that the console can edit."
    assert len(archives.over_limit({"function": size(51, 501), "layer": size(51, 1)})) == 4
    assert archives.over_limit({"function": size(11, 1)}) == []
    assert archives.over_limit({"function": size(51, 501)}) == [
        "function.zip has 51.0 MB, more than the 50 MB that can be uploaded.",
        "function unzipped has 501.0 MB, more than the 500 MB that an instance holds.",
    ]


def test_the_bytecode_does_not_depend_on_the_environment_that_compiles_it(tmp_path: Path) -> None:
    plain, laden = tmp_path / "plain", tmp_path / "laden"
    for place, text in ((plain, ""), (laden, "import tempfile, shutil, urllib.request, http.client\n")):
        subprocess.run([find_python("3.10") or "python3.10", "-m", "venv", "--without-pip", str(place)], check=True)
        (package,) = place.glob("lib/python*/site-packages")
        (package / "more.pth").write_text(text)
        (place / "code").mkdir()
        shutil.copy(templates.__file__, place / "code")
        build.compile_bytecode(str(place / "bin" / "python"), place / "code", "/opt")
    (first,), (second,) = (list(place.glob("code/__pycache__/*.pyc")) for place in (plain, laden))
    assert first.read_bytes() == second.read_bytes()


# --- Target and files -------------------------------------------------------------------------------------------------


def test_a_python_counts_only_after_it_was_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("python3.99", "uv"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 127\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert find_python("3.99") is None
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert find_python(here) == sys.executable


@pytest.mark.parametrize("platform", ["win_amd64", "macosx_11_0_arm64", "manylinux2014_ppc64"])
def test_a_platform_other_than_manylinux_is_an_error(platform: str) -> None:
    with pytest.raises(PackageError, match="--platform"):
        Target.parse("3.10", platform)


@pytest.mark.parametrize(
    ("path", "left_out"),
    [
        ("django/contrib/admin/locale/de/LC_MESSAGES/django.mo", True),
        ("django/contrib/admin/locale/zh_Hans/LC_MESSAGES/django.mo", False),
        ("django/conf/locale/zh_Hans/formats.py", False),
        ("django/conf/locale/zh_Hant/formats.py", True),
        ("django/conf/locale/__init__.py", False),
        ("django/test/client.py", True),
        ("jieba/finalseg/prob_emit.py", True),
        ("jieba/finalseg/__init__.py", False),
        ("_cffi_backend.cpython-310-x86_64-linux-gnu.so", False),
    ],
)
def test_the_lists_decide_which_files_of_the_layer_stay_behind(path: str, left_out: bool) -> None:
    own = project.read(PROJECT)
    patterns = (*shipped_files.PACKAGES, *own.layer_exclude)
    assert shipped_files.is_left_out(PurePosixPath(path), patterns, own.languages) is left_out


def shipped(folder: Path, **table: tuple[str, ...]) -> set[str]:
    return {path.as_posix() for path, _file in shipped_files.function_files(Project(folder, **table))}


def test_secrets_and_editors_folders_stay_behind(tmp_path: Path) -> None:
    for name in ("index.py", ".env", "shop/.env", "shop/.idea/x.xml", "shop/a.py", "faaskit/b.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert shipped(tmp_path, include=("index.py", "shop")) == {"index.py", "shop/a.py"}


def test_a_project_that_names_no_files_ships_all_but_tools_and_local_data(tmp_path: Path) -> None:
    stay = ["venv/pyvenv.cfg", "venv/lib/x.py", "web/node_modules/a.js", "build/function/a.py", "instance/config.py"]
    stay += ["db.sqlite3", "data/shop.db", "serverless.yml", "x.egg-info/PKG-INFO", ".git/config", "shop/tests/a.py"]
    ship = ["index.py", "shop/a.py", "shop/static/a.css", "shop/build/b.py", "words.txt"]
    for name in stay + ship:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert shipped(tmp_path) == set(ship)
    assert shipped(tmp_path, exclude=("*.txt",)) == set(ship) - {"words.txt"}


def test_commands_of_the_development_side_stay_behind(tmp_path: Path) -> None:
    folder = tmp_path / "shop/management/commands"
    folder.mkdir(parents=True)
    (folder / "one.py").write_text("from faaskit import project")
    (folder / "two.py").write_text("")
    assert shipped(tmp_path) == {"shop/management/commands/two.py"}


def test_a_zip_does_not_depend_on_dates_and_rights(tmp_path: Path) -> None:
    results = []
    for mode in (0o600, 0o755):
        folder = tmp_path / oct(mode)
        folder.mkdir()
        (folder / "a.py").write_text("a = 1\n")
        (folder / "a.py").chmod(mode)
        archives.write_zip(folder, tmp_path / f"{mode}.zip")
        results.append((tmp_path / f"{mode}.zip").read_bytes())
    assert results[0] == results[1]
    with zipfile.ZipFile(io.BytesIO(results[0])) as archive:
        assert archive.getinfo("a.py").external_attr >> 16 == 0o100644


def test_an_error_of_the_command_is_one_sentence() -> None:
    ended = subprocess.run(
        [sys.executable, "manage.py", "package", "--platform", "win32"], cwd=PROJECT, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert "CommandError: --platform win32: give a wheel's tag such as manylinux2014_x86_64." in ended.stderr
    assert "Traceback" not in ended.stderr
