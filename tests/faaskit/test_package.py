"""The archives hold the right files, built for the platform, with the same bytes each time, and run."""

from __future__ import annotations

import hashlib
import io
import struct
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest
from packaging.requirements import Requirement

from faaskit.package import archives, build, shipped_files, verify, wheels
from faaskit.package.archives import Size
from faaskit.package.build import Package
from faaskit.package.target import PackageError, Target, find_python
from faaskit.units import MEGABYTE

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
TARGET = Target.parse("3.10", "manylinux2014_x86_64")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """Build the project's own package once."""
    return build.build(PROJECT, tmp_path_factory.mktemp("build"), TARGET, print)


def names(archive: Path) -> set[str]:
    with zipfile.ZipFile(archive) as file:
        return set(file.namelist())


def test_the_same_input_gives_the_same_bytes(built: Package, tmp_path: Path) -> None:
    again = build.build(PROJECT, tmp_path / "again", TARGET, print)
    for name in ("function.zip", "layer.zip"):
        first, second = ((folder / name).read_bytes() for folder in (built.folder, again.folder))
        assert hashlib.sha256(first).hexdigest() == hashlib.sha256(second).hexdigest(), name


def test_the_package_passes_its_verification(built: Package) -> None:
    if built.python is None:
        pytest.fail("Python 3.10 is what ships: it is needed here, as python3.10 or in pyenv.")
    lines: list[str] = []
    verify.verify(built, PROJECT / "tests" / "events", TARGET, lines.append)
    assert lines[-1].startswith("All ")


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


def test_the_archives_are_as_small_as_promised(built: Package) -> None:
    assert (built.folder / "function.zip").stat().st_size < 1 * MEGABYTE
    assert (built.folder / "layer.zip").stat().st_size < 20 * MEGABYTE
    unzipped = 0
    for name in ("function.zip", "layer.zip"):
        with zipfile.ZipFile(built.folder / name) as archive:
            unzipped += sum(info.file_size for info in archive.infolist())
    assert unzipped < 70 * MEGABYTE


def test_a_size_over_a_limit_of_the_platform_is_an_error_with_figures() -> None:
    def size(zipped: int, unzipped: int) -> Size:
        return Size(zipped * MEGABYTE, unzipped * MEGABYTE)

    assert archives.over_limit(size(1, 1), size(1, 1)) == []
    (sentence,) = archives.over_limit(size(11, 1), size(1, 1))
    assert sentence == "function.zip has 11.0 MB, more than the 10 MB that the console can edit."
    assert len(archives.over_limit(size(51, 501), size(51, 1))) == 4


# --- Wheels, made here --------------------------------------------------------------------------------------------


def make_wheel(folder: Path, name: str, tag: str, files: dict[str, bytes] | None = None, requires: str = "") -> Path:
    """Write a wheel of version 1.0."""
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-1.0-{tag}.whl"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    if requires:
        metadata += f"Requires-Dist: {requires}\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in (files or {f"{name}.py": b""}).items():
            archive.writestr(path, content)
        archive.writestr(f"{name}-1.0.dist-info/METADATA", metadata)
        archive.writestr(f"{name}-1.0.dist-info/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n")
        archive.writestr(f"{name}-1.0.dist-info/RECORD", "")
    return wheel


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Make an empty folder the only index that pip uses."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "none"))
    yield folder


def fetch(tmp_path: Path, *lines: str) -> list[Path]:
    return wheels.fetch([Requirement(line) for line in lines], TARGET, tmp_path / "wheels")


def test_the_wheel_of_the_target_is_taken_on_any_machine(index: Path, tmp_path: Path) -> None:
    for tag in ("cp310-cp310-manylinux2014_x86_64", "cp311-cp311-win_amd64", "cp313-cp313-macosx_11_0_arm64"):
        make_wheel(index, "binary", tag)
    (wheel,) = fetch(tmp_path, "binary==1.0")
    assert wheel.name == "binary-1.0-cp310-cp310-manylinux2014_x86_64.whl"


@pytest.mark.parametrize(
    "tag", ["cp311-cp311-manylinux2014_x86_64", "cp310-cp310-manylinux_2_28_x86_64", "cp310-cp310-win_amd64"]
)
def test_a_package_without_a_fitting_wheel_is_one_sentence_with_its_name(index: Path, tmp_path: Path, tag: str) -> None:
    make_wheel(index, "binary", tag)
    with pytest.raises(PackageError) as caught:
        fetch(tmp_path, "binary==1.0")
    assert "binary==1.0 has no wheel for manylinux2014_x86_64 and CPython 3.10" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_requirement_that_is_not_pinned_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("Django>=5.2\n")
    with pytest.raises(PackageError, match="does not pin Django"):
        wheels.read_requirements(file, TARGET)


def test_markers_are_compared_with_the_target_and_not_with_this_machine(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text(
        'a==1 ; python_version < "3.11"  # here\nb==1 ; sys_platform == "win32"\nc==1 ; python_version >= "3.11"\n'
    )
    assert [requirement.name for requirement in wheels.read_requirements(file, TARGET)] == ["a"]


def test_a_requirement_of_a_wheel_must_be_pinned_too(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "needy", "py3-none-any", requires='other>=1; python_version < "3.11"')
    pinned = [Requirement("needy==1.0")]
    with pytest.raises(PackageError, match=r"needs other, which requirements\.txt does not pin"):
        wheels.check_complete([wheel], pinned, TARGET, unneeded=())
    wheels.check_complete([wheel], [*pinned, Requirement("other==1.0")], TARGET, unneeded=())
    wheels.check_complete([wheel], pinned, TARGET, unneeded={"other"})


def test_a_wheel_that_writes_outside_of_itself_is_refused(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "evil", "py3-none-any", {"../evil.py": b""})
    with pytest.raises(PackageError, match="outside of itself"):
        list(wheels.files_of(wheel))


@pytest.mark.parametrize("library", ["_brotli.so", "lib/libbrotli.so.1", "_brotli.pyd", "brotli.dll", "brotli.dylib"])
def test_a_wheel_built_here_that_holds_a_library_of_this_machine_is_not_pure(tmp_path: Path, library: str) -> None:
    assert wheels.is_pure(make_wheel(tmp_path, "pure", "py3-none-any"))
    assert not wheels.is_pure(make_wheel(tmp_path, "binary", "cp310-cp310-manylinux2014_x86_64"))
    assert not wheels.is_pure(make_wheel(tmp_path, "compiled", "py3-none-any", {library: b"\x7fELF"}))


def test_a_build_that_fails_leaves_the_last_one(index: Path, tmp_path: Path) -> None:
    project, folder = tmp_path / "project", tmp_path / "build"
    project.mkdir()
    (project / "requirements.txt").write_text("missing==1.0\n")
    folder.mkdir()
    (folder / "function.zip").write_bytes(b"the last one")
    with pytest.raises(PackageError, match=r"missing==1\.0"):
        build.build(project, folder, TARGET, print)
    assert [path.name for path in folder.iterdir()] == ["function.zip"]


# --- Target and files -------------------------------------------------------------------------------------------------


def test_a_python_counts_only_after_it_was_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("python3.99", "uv"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 127\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert find_python("3.99") is None
    here = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert find_python(here) == [sys.executable]


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
def test_the_list_decides_which_files_of_the_layer_stay_behind(path: str, left_out: bool) -> None:
    assert shipped_files.is_left_out(PurePosixPath(path), shipped_files.LAYER_LEFT_OUT) is left_out


def test_secrets_and_editors_folders_stay_behind(tmp_path: Path) -> None:
    for name in ("index.py", ".env", "mydjango/.env", "mydjango/.idea/x.xml", "mydjango/a.py", "faaskit/b.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    shipped = {path.as_posix() for path, _file in shipped_files.function_files(tmp_path)}
    assert shipped == {"index.py", "mydjango/a.py"}


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
