"""The packages of a project are resolved, locked and installed for the platform, from each file that may name them."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path

import pytest

from faaskit.package import requirements
from faaskit.package.requirements import Installation
from faaskit.package.target import PackageError, Target, find_python
from faaskit.project import Project
from tests.support.package_index import make_source, make_wheel

pytestmark = pytest.mark.slow

TARGET = Target.parse("3.10", "manylinux2014_x86_64")
PYTHON = find_python("3.10") or sys.executable
OLD, NEW = "cp310-cp310-manylinux2014_x86_64", "cp310-cp310-manylinux_2_28_x86_64"


def install(
    folder: Path, *lines: str, target: Target = TARGET, unneeded: tuple[str, ...] = (), file: str = "requirements.txt"
) -> dict[str, str]:
    """Return the version of each package that these requirements install."""
    if lines:
        (folder / file).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "work").mkdir(exist_ok=True)
    installation = Installation(
        Project(folder, unneeded=unneeded), target, PYTHON, folder / "requirements.lock", folder / "work"
    )
    installed = folder / "installed"
    shutil.rmtree(installed, ignore_errors=True)
    owners = installation.install(installed)
    assert {path.relative_to(installed).as_posix() for path in installed.rglob("*.py")} <= owners.keys()
    return dict(owner.split() for owner in owners.values())


def refusal(folder: Path, *lines: str, target: Target = TARGET) -> str:
    """Return the sentence with which these requirements are refused."""
    with pytest.raises(PackageError) as caught:
        install(folder, *lines, target=target)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_wheel_of_the_target_is_taken_on_any_machine(index: Path, tmp_path: Path) -> None:
    for tag in (OLD, "cp311-cp311-win_amd64", "cp313-cp313-macosx_11_0_arm64"):
        make_wheel(index, "binary", tag, files={"binary.py": tag.encode()})
    assert install(tmp_path, "binary==1.0") == {"binary": "1.0"}
    assert (tmp_path / "installed/binary.py").read_text() == OLD


@pytest.mark.parametrize("tag", ["cp311-cp311-manylinux2014_x86_64", NEW, "cp310-cp310-win_amd64"])
def test_a_package_without_a_fitting_wheel_is_one_sentence_with_its_name(index: Path, tmp_path: Path, tag: str) -> None:
    make_wheel(index, "binary", tag)
    sentence = refusal(tmp_path, "binary==1.0")
    assert sentence.startswith(
        "requirements.txt cannot be resolved for manylinux2014_x86_64 and CPython 3.10: Because binary==1.0 has no "
    )
    assert ("manylinux_2_28" if tag == NEW else tag.rpartition("-")[2]) in sentence or "abi" in sentence


def test_a_newer_platform_accepts_wheels_of_older_ones(index: Path, tmp_path: Path) -> None:
    make_wheel(index, "older", OLD)
    make_wheel(index, "newer", NEW)
    target = Target.parse("3.10", "manylinux_2_28_x86_64")
    assert install(tmp_path, "older", "newer", target=target) == {"older": "1.0", "newer": "1.0"}


def test_an_older_version_with_a_wheel_is_taken_before_a_newer_one_without(index: Path, tmp_path: Path) -> None:
    make_wheel(index, "binary", OLD, "1.0")
    make_wheel(index, "binary", NEW, "2.0")
    make_source(index, "binary", "cp310-cp310-linux_x86_64", "3.0")
    assert install(tmp_path, "binary") == {"binary": "1.0"}


def test_versions_that_are_not_pinned_stay_until_the_lock_is_removed(index: Path, tmp_path: Path) -> None:
    make_wheel(index, "one", requires="two>=1")
    make_wheel(index, "two")
    assert install(tmp_path, "one") == {"one": "1.0", "two": "1.0"}
    make_wheel(index, "two", version="2.0")
    assert install(tmp_path, "one") == {"one": "1.0", "two": "1.0"}
    (tmp_path / "requirements.lock").unlink()
    assert install(tmp_path, "one") == {"one": "1.0", "two": "2.0"}


def test_a_version_whose_wheels_are_spread_over_two_indexes_is_found_again(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = []
    for number, tag in enumerate(("cp311-cp311-manylinux2014_x86_64", OLD)):
        folder = tmp_path / f"simple{number}" / "one"
        folder.mkdir(parents=True)
        wheel = make_wheel(folder, "one", tag)
        (folder / "index.html").write_text(f'<a href="{wheel.name}">{wheel.name}</a>')
        places.append(folder.parent.as_uri())
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", places[0])
    monkeypatch.setenv("PIP_INDEX_URL", places[1])
    for _build in range(2):
        assert install(tmp_path, "one") == {"one": "1.0"}


def test_what_needs_another_python_is_refused_as_wheel_and_as_source(index: Path, tmp_path: Path) -> None:
    make_wheel(index, "wheel", python=">=3.11")
    make_source(index, "source", python=">=3.11")
    for name in ("wheel", "source"):
        assert f"{name}==1.0 requires Python >=3.11" in refusal(tmp_path, name)
    assert install(tmp_path, "wheel", "source", target=Target.parse("3.11", "manylinux2014_x86_64"))


def test_markers_are_compared_with_the_target_and_not_with_this_machine(index: Path, tmp_path: Path) -> None:
    for name in ("a", "b", "c", "d"):
        make_wheel(index, name, requires='d; python_version < "3.11"' if name == "a" else "")
    lines = ['a ; python_version < "3.11"  # here', 'b ; sys_platform == "win32"', 'c ; python_version >= "3.11"']
    assert install(tmp_path, *lines) == {"a": "1.0", "d": "1.0"}


def test_what_is_not_needed_at_run_time_is_not_resolved(index: Path, tmp_path: Path) -> None:
    make_wheel(index, "needy", requires="setuptools")
    assert install(tmp_path, "needy", unneeded=("setuptools",)) == {"needy": "1.0"}


def test_a_source_archive_counts_when_it_builds_a_pure_wheel(index: Path, tmp_path: Path) -> None:
    make_source(index, "pure_one")
    assert install(tmp_path, "pure-one") == {"pure_one": "1.0"}


@pytest.mark.parametrize(
    ("tag", "library"),
    [
        ("cp310-cp310-linux_x86_64", "built.so"),
        ("cp310-abi3-linux_x86_64", "built.py"),
        ("py3-none-any", "lib/libbuilt.so.1"),
        ("py3-none-any", "built.pyd"),
        ("py3-none-any", "built.dylib"),
    ],
)
def test_a_source_archive_that_builds_a_binary_is_refused(index: Path, tmp_path: Path, tag: str, library: str) -> None:
    make_source(index, "built", tag, files={library: b"\x7fELF"})
    assert refusal(tmp_path, "built") == (
        f"built==1.0 has no wheel for {TARGET}, and its source archive builds into a binary for this machine, "
        "not into a pure wheel."
    )


def test_a_source_archive_that_does_not_build_is_one_sentence_with_the_last_line(index: Path, tmp_path: Path) -> None:
    make_source(index, "broken", tag="")
    assert refusal(tmp_path, "broken") == (
        f"broken==1.0 has no wheel for {TARGET}, and its source archive could not be built: AssertionError: no compiler"
    )


def test_a_name_or_version_that_does_not_exist_is_one_sentence(index: Path, tmp_path: Path) -> None:
    make_wheel(index, "one")
    assert "missing was not found" in refusal(tmp_path, "missing")
    assert "there is no version of one==3.0" in refusal(tmp_path, "one==3.0")
    assert "requirements.txt" in refusal(tmp_path, "one = 3")


def test_an_index_that_does_not_answer_is_one_sentence(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    assert "Failed to fetch: http://127.0.0.1:9/simple/one/" in refusal(tmp_path, "one")


def test_hashes_that_the_project_demands_are_compared(index: Path, tmp_path: Path) -> None:
    wheel = make_wheel(index, "one")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert install(tmp_path, f"one==1.0 --hash=sha256:{digest}") == {"one": "1.0"}
    assert "hash" in refusal(tmp_path, f"one==1.0 --hash=sha256:{'0' * 64}")


def test_the_packages_of_pyproject_toml_are_taken_without_a_requirements_file(index: Path, tmp_path: Path) -> None:
    make_wheel(index, "one")
    table = ["[project]", 'name = "shop"', 'version = "1"', 'dependencies = ["one"]']
    assert install(tmp_path, *table, file="pyproject.toml") == {"one": "1.0"}


def test_the_versions_of_uv_lock_are_taken(index: Path, tmp_path: Path) -> None:
    one = make_wheel(index, "one")
    make_wheel(index, "one", version="2.0")
    digest = hashlib.sha256(one.read_bytes()).hexdigest()
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.10"\ndependencies = ["one"]\n'
    )
    (tmp_path / "uv.lock").write_text(
        'version = 1\nrevision = 3\nrequires-python = ">=3.10"\n'
        '[[package]]\nname = "shop"\nversion = "1"\nsource = { virtual = "." }\ndependencies = [{ name = "one" }]\n'
        '[package.metadata]\nrequires-dist = [{ name = "one" }]\n'
        f'[[package]]\nname = "one"\nversion = "1.0"\nsource = {{ registry = {json.dumps(str(index))} }}\n'
        f'wheels = [{{ path = "{one.name}", hash = "sha256:{digest}" }}]\n'
    )
    assert install(tmp_path) == {"one": "1.0"}


@pytest.mark.parametrize(("name", "command"), requirements.EXPORTS.items())
def test_other_locks_are_read_as_their_export(tmp_path: Path, name: str, command: str) -> None:
    (tmp_path / name).write_text("")
    with pytest.raises(PackageError, match=f"{name} is read as its export: run '{command}'"):
        requirements.find_source(Project(tmp_path))


def test_a_project_that_names_no_packages_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.faaskit]\n")  # as init writes it
    with pytest.raises(PackageError, match=r"names no packages: write requirements\.txt\.$"):
        requirements.find_source(Project(tmp_path))
    with pytest.raises(PackageError, match=r"names no packages: write base\.txt\.$"):
        requirements.find_source(Project(tmp_path, requirements="base.txt"))


def test_uv_takes_the_index_that_pip_is_configured_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_CERT", *requirements.UV_INDEX_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    file = tmp_path / "pip.conf"
    file.write_text("[global]\nindex-url = http://a/simple\n[install]\ntrusted-host = a\n    b\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(file))
    monkeypatch.setenv("PIP_INDEX_URL", "http://b/simple")
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", "http://c http://d")
    options = requirements.index_options()
    assert "--default-index=http://b/simple" in options
    assert [option for option in options if option.startswith("--index=")] == ["--index=http://c", "--index=http://d"]
    assert {"--allow-insecure-host=a", "--allow-insecure-host=b", "unsafe-best-match"} <= set(options)
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://e/simple")
    assert requirements.index_options() == []
