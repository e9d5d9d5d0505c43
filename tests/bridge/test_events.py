"""Events that are not HTTP: timers, commands from the allow-list, registered functions, and one named error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest

import index
from tests.support.gateways import Setting, sample

ROOT = Path(__file__).parents[2]


def run_apart(event: Any, tmp_path: Path, **variables: str) -> Any:
    """main_handler's answer in a process of its own, as on a platform; an exception is its name."""
    code = (
        "import json, sys, index\n"
        "try: print(json.dumps(index.main_handler(json.load(sys.stdin), {})))\n"
        "except Exception as error: print(json.dumps([type(error).__name__, str(error)]))"
    )
    environment = {**os.environ, "SQLITE_PATH": str(tmp_path / "db.sqlite3"), **variables}
    environment.pop("DJANGO_SETTINGS_MODULE", None)  # which only the application names on a platform
    ended = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(event), env=environment, cwd=ROOT, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


def test_a_direct_invocation_runs_the_command_and_answers_its_output(tmp_path: Path) -> None:
    answer = run_apart({"manage": ["migrate", "--noinput"]}, tmp_path)
    assert answer["exit_code"] == 0
    assert "Applying auth.0001_initial... OK" in answer["output"]
    assert (tmp_path / "db.sqlite3").exists()


def test_trap_22_a_failing_command_answers_its_true_exit_code(tmp_path: Path) -> None:
    answer = run_apart({"manage": ["migrate", "--check"]}, tmp_path)  # there is something to apply
    assert answer["exit_code"] == 1
    answer = run_apart({"manage": ["check", "--database=nowhere"]}, tmp_path, MANAGE_COMMANDS="check --database=")
    assert answer["exit_code"] == 2
    assert "nowhere" in answer["output"]


def test_a_deployment_without_a_password_makes_no_administrator(tmp_path: Path) -> None:
    variables = {"MANAGE_COMMANDS": "createsuperuser --noinput --username= --email=", "DJANGO_SUPERUSER_PASSWORD": ""}
    command = ["createsuperuser", "--noinput", "--username", "head", "--email", "you@example.com"]
    answer = run_apart({"manage": command}, tmp_path, **variables)
    assert answer["exit_code"] == 1
    assert "DJANGO_SUPERUSER_PASSWORD is empty: no account was made." in answer["output"]


def test_a_command_that_raises_is_named_without_what_its_exception_quotes(tmp_path: Path) -> None:
    nobody = {"MYSQL_HOST": "127.0.0.1", "MYSQL_PORT": "1", "MYSQL_USER": "secret-user", "MYSQL_CONNECT_SECONDS": "0"}
    answer = run_apart({"manage": ["migrate", "--noinput"]}, tmp_path, **nobody)
    assert answer["exit_code"] == 1
    assert answer["output"].endswith("OperationalError: the log says where.\n")
    assert "secret-user" not in answer["output"]
    assert "127.0.0.1" not in answer["output"]


def test_trap_21_a_timers_failing_command_raises_so_that_the_platform_retries(tmp_path: Path) -> None:
    timer = sample("timer")
    assert run_apart(timer | {"Message": "migrate --check"}, tmp_path)[0] == "CommandFailed"
    assert run_apart(timer | {"Message": "migrate --noinput"}, tmp_path)["exit_code"] == 0
    assert run_apart({"triggerName": "t", "triggerTime": "", "payload": "check"}, tmp_path)["exit_code"] == 0


@pytest.mark.parametrize(
    "message", ["", "user define msg body", "flush --noinput", "migrate survey zero", 'an "open quote']
)
def test_a_timer_whose_message_is_no_listed_command_raises(message: str) -> None:
    with pytest.raises(index.CommandFailed):
        index.main_handler(sample("timer") | {"Message": message}, {})


@pytest.mark.parametrize(
    "words",
    [
        ["migrate", "survey", "zero"],
        ["migrate", "--noinput", "survey", "zero"],
        ["migrate", "--noinput=survey"],
        ["migrate", "--fake"],
        ["migrate", "--no"],
        ["flush"],
        ["shell", "-c", "print(1)"],
        ["check", "--", "x"],
        ["migrate "],
    ],
)
def test_only_listed_commands_with_listed_options_run(words: list[str]) -> None:
    answer = index.main_handler({"manage": words}, {})
    assert answer["exit_code"] == 126
    assert "MANAGE_COMMANDS" in answer["output"]


def test_the_log_says_which_invocation_was_refused_a_command(caplog: pytest.LogCaptureFixture) -> None:
    index.main_handler({"manage": ["flush", "personal"]}, {"request_id": "r-1"})
    with pytest.raises(index.CommandFailed):
        index.main_handler(sample("timer") | {"Message": "flush personal"}, {"request_id": "r-2"})
    assert [record.getMessage() for record in caplog.records] == [
        "command.refused request_id=r-1",
        "command.refused request_id=r-2",
    ]
    assert [getattr(record, "request_id", "") for record in caplog.records] == ["r-1", "r-2"]


def test_the_log_says_which_invocation_ran_a_command_that_failed_and_why(
    caplog: pytest.LogCaptureFixture, bridge_setting: Setting
) -> None:
    bridge_setting("MANAGE_COMMANDS", "shell --no-imports --command=")
    fail = ["shell", "--no-imports", "--command", "print('so far'); raise OSError('personal')"]
    answer = index.main_handler({"manage": fail}, {"request_id": "r-1"})
    assert answer == {"exit_code": 1, "output": "so far\nOSError: the log says where.\n"}
    (record,) = caplog.records
    assert record.getMessage() == "command.failed request_id=r-1 shell"
    assert (record.levelname, getattr(record, "request_id", "")) == ("ERROR", "r-1")
    assert record.exc_info
    assert str(record.exc_info[1]) == "personal"


@pytest.mark.parametrize("words", [[], None, 5, [1], {"a": 1}, 'an "open quote'])
def test_what_is_no_command_is_a_usage_error(words: object) -> None:
    assert index.main_handler({"manage": words}, {})["exit_code"] == 2


def test_the_allow_list_is_an_environment_variable(bridge_setting: Setting) -> None:
    bridge_setting("MANAGE_COMMANDS", "drain_outbox --seconds= --quiet; loaddata branches")
    assert index.allowed(["drain_outbox"]) == ["drain_outbox"]
    assert index.allowed(["drain_outbox", "--seconds", "50", "--quiet"]) == ["drain_outbox", "--seconds=50", "--quiet"]
    assert index.allowed(["drain_outbox", "--seconds=50"]) == ["drain_outbox", "--seconds=50"]
    assert index.allowed(["loaddata", "branches"]) == ["loaddata", "branches"]
    assert index.allowed(["loaddata", "users"]) == []
    assert index.allowed(["migrate"]) == []
    bridge_setting("MANAGE_COMMANDS", "")
    assert index.allowed(["check"]) == []


def test_without_the_variable_the_allow_list_is_djangos_setting_else_the_default(settings: Any) -> None:
    settings.MANAGE_COMMANDS = "doctor;\n    drain_outbox --seconds=;\n"
    assert index.allowed(["doctor"]) == ["doctor"]
    assert index.allowed(["drain_outbox", "--seconds", "50"]) == ["drain_outbox", "--seconds=50"]
    assert index.allowed(["migrate"]) == []
    del settings.MANAGE_COMMANDS
    assert index.allowed(["migrate", "--noinput"]) == ["migrate", "--noinput"]
    assert index.allowed(["doctor"]) == []


def test_the_projects_own_list_decides_before_a_command_runs(tmp_path: Path) -> None:
    assert run_apart({"manage": ["erase_submissions", "--help"]}, tmp_path)["exit_code"] == 126
    assert not (tmp_path / "db.sqlite3").exists()
    run_apart({"manage": ["migrate", "--noinput"]}, tmp_path)
    assert run_apart({"manage": ["erase_submissions"]}, tmp_path)["exit_code"] == 0


@pytest.mark.usefixtures("real_project")
@pytest.mark.parametrize(
    "name", ["apigw", "function-url", "aws-rest", "aws-http", "aws-lambda-url", "aws-alb", "fc-http", "fc-apigateway"]
)
def test_a_command_is_never_reachable_through_http(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "run_command", lambda argv, request_id: pytest.fail("a command ran"))
    command = {"manage": ["check"], "Type": "Timer", "Message": "check"}
    event = sample(name) | command | {"body": json.dumps(command)}
    assert "statusCode" in index.main_handler(event, {})
    for key in ("httpMethod", "requestContext", "headers"):  # and with a part of it lost
        assert "statusCode" in index.main_handler({k: v for k, v in event.items() if k != key}, {})


@pytest.mark.parametrize(("name", "source"), [("cos", "cos"), ("ckafka", "ckafka"), ("cmq", "cmq"), ("cls", "cls")])
def test_other_triggers_go_to_the_registered_function_else_one_named_error(
    name: str, source: str, monkeypatch: pytest.MonkeyPatch, bridge_setting: Setting
) -> None:
    with pytest.raises(index.UnknownEvent, match=source):
        index.main_handler(sample(name), {})
    module = types.ModuleType("registered")
    module.handle = lambda event, context: ("handled", event, context)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "registered", module)
    bridge_setting("EVENT_HANDLERS", f"other=x:y; {source} = registered:handle")
    assert index.main_handler(sample(name), {"request_id": "r"}) == ("handled", sample(name), {"request_id": "r"})


@pytest.mark.parametrize(
    "event",
    [
        *({}, {"key1": "personal"}, {"source": "A personal name"}, {"Records": [{"eventSource": "A personal name"}]}),
        *({"Records": []}, {"Records": [5]}, [], None, 5, b"no JSON", "[]", b"[" * 100_000),
    ],
)
def test_trap_21_an_unknown_event_raises_one_named_error_without_its_values(event: object) -> None:
    with pytest.raises(index.UnknownEvent) as error:
        index.main_handler(event, {})
    assert "personal" not in str(error.value)


def test_handle_request_takes_http_events_only() -> None:
    with pytest.raises(index.UnknownEvent, match="timer"):
        index.handle_request(lambda environ, start_response: [], sample("timer"), {})
