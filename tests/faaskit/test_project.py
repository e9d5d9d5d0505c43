"""[tool.faaskit] of pyproject.toml, and the sentences of the commands that read it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from faaskit import project
from faaskit.project import Project, ProjectError

BROKEN = "[tool.faaskit]\nrequired = 'SECRET_KEY'\n"


def write(folder: Path, text: str) -> Path:
    file = folder / "pyproject.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_entries_of_the_table_are_read(tmp_path):
    write(tmp_path, "[tool.faaskit]\nprepare = ['collectstatic --noinput']\nrequired = ['SECRET_KEY', 'API_KEY']\n")
    assert project.read(tmp_path) == Project(("collectstatic --noinput",), (), ("SECRET_KEY", "API_KEY"))


@pytest.mark.parametrize("text", [None, "", "[tool.other]\nx = 1\n", "[tool.faaskit]\n"])
def test_a_project_without_the_table_has_no_entries(tmp_path, text):
    if text is not None:
        write(tmp_path, text)
    assert project.read(tmp_path) == Project()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[tool.faaskit]\nrequires = []\n", "[tool.faaskit] has no entry requires; it may have prepare, inherit, req"),
        (BROKEN, "required of [tool.faaskit] must be a list of strings."),
        ("[tool.faaskit]\ninherit = ['HOME', 1]\n", "inherit of [tool.faaskit] must be a list of strings."),
        ("[tool.faaskit\n", " is not TOML: "),
    ],
)
def test_a_bad_table_is_one_sentence(tmp_path, text, sentence):
    file = write(tmp_path, text)
    with pytest.raises(ProjectError) as error:
        project.read(tmp_path)
    assert str(error.value).startswith(str(file))
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_utf8_is_one_sentence(tmp_path):
    (tmp_path / "pyproject.toml").write_bytes("name = '王'".encode("gbk"))
    with pytest.raises(ProjectError, match=r"pyproject\.toml is not TOML: "):
        project.read(tmp_path)


@pytest.mark.parametrize("arguments", [("rungateway", "0"), ("invoke", "--manage", "migrate")])
@pytest.mark.parametrize("own", [True, False], ids=["the-project-itself", "another-folder"])
def test_the_commands_report_a_bad_table_as_one_sentence(tmp_path, settings, arguments, own):
    file = write(tmp_path, BROKEN)
    if own:
        settings.BASE_DIR = tmp_path
    with pytest.raises(CommandError) as error:
        call_command(*arguments, "--folder", str(tmp_path))
    assert str(error.value) == f"{file}: required of [tool.faaskit] must be a list of strings."
