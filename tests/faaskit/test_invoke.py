"""`manage.py invoke`: one event, its result, its cost, its exit code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from faaskit.gateways.registry import GATEWAYS
from tests.support.local_servers import ROOT

pytestmark = pytest.mark.slow

EVENTS = ROOT / "tests" / "events"


@pytest.fixture
def invoke(tmp_path: Path):
    """Run the command on the project with a database and a serverless.yml of its own."""
    config = tmp_path / "serverless.yml"
    variables = {"SQLITE_PATH": str(tmp_path / "db.sqlite3")}
    inputs = {"timeout": 60, "environment": {"variables": variables}}
    config.write_text(json.dumps({"name": "survey", "inputs": inputs}), encoding="utf-8")

    def run(*arguments: str, given: str = "", **environ: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "manage.py", "invoke", "--config", str(config), *arguments],
            cwd=ROOT,
            env=os.environ | environ,
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def test_a_recorded_event_prints_its_result_and_its_cost(invoke):
    done = invoke(str(EVENTS / "apigw-real.json"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["body"] == "GET Tom"
    assert "Coldstart:" in done.stderr
    assert "BilledDuration:" in done.stderr


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_request_becomes_the_event_of_the_gateway(invoke, gateway, tmp_path):
    saved = tmp_path / "event.json"
    target = "/hello/?name=%E7%8E%8B"
    done = invoke("--http", "GET", target, "--gateway", gateway, "--save", str(saved))
    assert (done.returncode, json.loads(done.stdout)["body"]) == (0, "Hello world ! 王")
    again = invoke("-", "--gateway", gateway, given=saved.read_text(encoding="utf-8"))
    assert json.loads(again.stdout)["body"] == "Hello world ! 王"


def test_a_body_is_sent_as_a_form_by_default(invoke, tmp_path):
    assert json.loads(invoke("--http", "POST", "/welcome/post", "--data", "name=Tom").stdout)["body"] == "POST Tom"
    body = tmp_path / "body.json"
    body.write_text('{"name": ""}', encoding="utf-8")
    done = invoke("--http", "POST", "/submitSurvey", "--header", "Content-Type: application/json", "--data", f"@{body}")
    assert done.returncode == 1
    assert json.loads(json.loads(done.stdout)["body"])["errors"]


def test_the_exit_code_of_a_refused_request_is_1(invoke):
    assert invoke("--http", "GET", "/nothing").returncode == 1


def test_a_management_command_runs_and_reports_its_own_success(invoke):
    done = invoke("--manage", "migrate --noinput")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["exit_code"] == 0
    assert "Applying" in result["output"]


def test_a_command_that_is_not_allowed_fails(invoke):
    assert invoke("--manage", "flush --noinput").returncode == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nothing.json"], "nothing.json cannot be read: No such file or directory."),
        (["manage.py"], "manage.py is not JSON"),
        (["--http", "GET", "/", "--header", "x"], "--header x: write 'Name: value'."),
        (["--http", "POST", "/", "--data", "@nothing"], "nothing cannot be read"),
        (["--http", "GET", "/", "--save", "no/folder"], "--save no/folder: it cannot be written: No such file or dir"),
        (["--http", "GET", "/", "--save", "no/folder", "--remote"], "--save no/folder: it cannot be written: No such"),
        (["--manage", "migrate 'database"], "--manage migrate 'database: it cannot be read: No closing quotation."),
        (["--manage", ""], "--manage: name a command, as in --manage 'migrate --noinput'."),
        (["--manage", " "], "--manage: name a command"),
    ],
)
def test_bad_arguments_are_one_sentence(invoke, arguments, sentence):
    done = invoke(*arguments)
    assert done.returncode == 1
    assert done.stderr.startswith(f"CommandError: {sentence}")
    assert done.stderr.count("\n") == 1


def test_the_report_can_be_json(invoke):
    done = invoke("--http", "GET", "/hello/Tom", "--json")
    report = json.loads(done.stderr.splitlines()[-1])
    assert (report["code"], report["status"], report["cold"], report["what"]) == (200, 200, True, "GET /hello/Tom")


@pytest.mark.parametrize("strict", [[], ["--strict"]])
def test_text_is_analysed_in_a_fresh_clone_within_the_functions_memory(invoke, tmp_path, strict):
    """The command builds the lexicon before it starts the instance."""
    done = invoke("--http", "GET", "/jieba/", "--memory", "128", *strict, XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert done.returncode == 0, done.stderr
    assert json.loads(json.loads(done.stdout)["body"])["keywords"][0]["word"] == "Serverless"


def test_a_submission_is_stored_in_a_fresh_clone(tmp_path):
    """The command migrates the instance's database, not another one that the shell names, before it starts."""
    clone, exported = tmp_path / "clone", tmp_path / "exported.sqlite3"
    shutil.copytree(
        ROOT, clone, ignore=shutil.ignore_patterns(".*", "tests", "docs", "build", "*.sqlite3*", "staticfiles")
    )
    event = {
        "httpMethod": "POST",
        "path": "/submitSurvey",
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"name": "Tom", "phone": "1234567890", "satisfaction": 5}),
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "invoke", "-"],
        cwd=clone,
        env=os.environ | {"SQLITE_PATH": str(exported)},
        input=json.dumps(event),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["statusCode"] == 201
    assert (clone / "db.sqlite3").is_file()
    assert not exported.exists()
