"""The console script, its verbs, and the same verbs under manage.py."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from faaskit import cli, project

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str, blocked: str = "") -> subprocess.CompletedProcess[str]:
    block = f"sys.modules.update(dict.fromkeys({blocked.split()}))"
    code = f"import sys; {block}; from faaskit import cli; sys.exit(cli.main())"
    return subprocess.run([sys.executable, "-c", code, *arguments], cwd=ROOT, capture_output=True, text=True)


def test_the_help_names_every_verb_and_imports_none():
    done = run("--help", blocked="werkzeug packaging uv babel tencentcloud qcloud_cos django")
    assert done.returncode == 0, done.stderr
    for name, verb in cli.VERBS.items():
        assert f"    {name} " in done.stdout
        assert verb.help in " ".join(done.stdout.split())


@pytest.mark.parametrize("name", cli.VERBS)
def test_every_verb_has_help_of_its_own(name):
    done = run(name, "--help", blocked="django")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--folder" in done.stdout


def test_a_verb_whose_packages_are_missing_names_the_extra():
    done = run("serve", blocked="werkzeug")
    expected = "werkzeug is not installed here: run pip install 'faaskit[local]'.\n"
    assert (done.returncode, done.stderr) == (1, expected)


def test_an_error_is_one_sentence(tmp_path):
    done = run("deploy", "--folder", str(tmp_path), "--dry-run")
    expected = f"{tmp_path / 'serverless.yml'} does not exist: it describes the function.\n"
    assert (done.returncode, done.stderr) == (1, expected)


def test_no_verb_is_an_error_with_their_list():
    done = run()
    assert done.returncode == 2
    assert "the following arguments are required: COMMAND" in done.stderr


def test_manage_py_has_the_same_verbs_with_their_options():
    verbs = {"rungateway": "serve", "invoke": "invoke", "package": "package", "deploy": "deploy", "logs": "logs"}
    for command, verb in verbs.items():
        module = import_module(f"faaskit.management.commands.{command}")
        options = module.Command().create_parser("manage.py", command).format_help()
        assert cli.VERBS[verb].help in " ".join(options.split())
        assert "--folder" in options


def test_the_pins_of_the_requirements_files_satisfy_the_extras():
    metadata = project.tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = list(chain(metadata["dependencies"], *metadata["optional-dependencies"].values()))
    pins = {}
    for name in ("requirements-deploy.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            if "==" in line:
                pin = Requirement(line.partition(" #")[0])
                pins[pin.name.lower()] = next(iter(pin.specifier)).version
    for requirement in map(Requirement, wanted):
        assert requirement.specifier.contains(pins[requirement.name.lower()]), requirement
