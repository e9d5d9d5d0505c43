"""Commands, links, paths and versions in the documents agree with each other and with the repository."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted({*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")})
ITEM = re.compile(r"    (\S.*?)\s*(?:\s{2}#.*)?")
LINK = re.compile(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)")
FOLDERS = "benchmarks|conformance|deploy|docs|faaskit|mydjango|survey|tests"
PATH = re.compile(rf"(?<![\w./-])(?:{FOLDERS})/[\w./-]*\w/?")
MODULE = re.compile(rf"-m ((?:{FOLDERS})(?:\.\w+)*)")
# A file that readers create, and a module that docs/bridge.md still names at its former place.
EXCEPTIONS = {"survey/dishes.txt"}


def commands(name: str) -> list[str]:
    """Return the indented lines of a document, without their comments."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    found = [match[1] for line in lines if (match := ITEM.fullmatch(line))]
    return [line for line in found if not line.startswith("#")]


def anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub makes of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


TRANSLATED = ["README.md", "docs/deploy.md", "docs/maintain.md", "docs/settings.md", "docs/staff.md"]


@pytest.mark.parametrize("name", TRANSLATED)
def test_a_translation_has_the_headings_tables_and_commands_of_its_original(name):
    translation = name.replace(".md", ".zh-CN.md")
    assert outline(translation) == outline(name)
    assert commands(translation) == commands(name)


def outline(name: str) -> list[str]:
    """Return the level of each heading and each row of a table, with the variable that it begins with."""
    text = (ROOT / name).read_text(encoding="utf-8")
    return re.findall(r"^(?:#+(?= )|\|(?: `[A-Z_]+` \|)?)", text, re.MULTILINE)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files_and_headings(document):
    for path, anchor in LINK.findall(document.read_text(encoding="utf-8")):
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_paths_and_modules_exist(document):
    text = document.read_text(encoding="utf-8")
    paths = {path for path in PATH.findall(text) if not (ROOT / path).exists()}
    modules = {module for module in MODULE.findall(text) if not list(ROOT.glob(f"{module.replace('.', '/')}*"))}
    assert paths - EXCEPTIONS == set()
    assert modules == set()


def test_every_decision_is_in_the_index():
    folder = ROOT / "docs" / "decisions"
    index = folder / "README.md"
    linked = {path for path, _anchor in LINK.findall(index.read_text(encoding="utf-8"))}
    assert linked == {page.name for page in folder.glob("*.md")} - {index.name}


def test_one_version_everywhere():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    unreleased, newest = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)[:2]
    assert unreleased == "Unreleased"
    project = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.MULTILINE)
    assert project[1] == newest
    for name in ("survey/guest/openapi.json", "docs/swagger2.json"):
        assert json.loads((ROOT / name).read_bytes())["info"]["version"] == newest, name


def test_the_workflow_only_calls_ci_run():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    [job] = workflow["jobs"].values()
    assert job["strategy"]["matrix"] == {"python-version": ["3.10", "3.11", "3.12", "3.13"]}
    checkout, python, run = job["steps"]
    assert (checkout.keys(), python.keys(), run.keys()) == ({"uses"}, {"uses", "with"}, {"run"})
    assert run["run"].endswith('.ci/run "${{ matrix.python-version }}"')
