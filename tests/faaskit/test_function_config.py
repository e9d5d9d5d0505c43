"""serverless.yml, which the gateway, the packaging and the deployment read, and its timers."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from faaskit import function_config, timers
from faaskit.function_config import FunctionConfigError
from faaskit.scf.account import open_account
from faaskit.scf.api import DeployError
from faaskit.timers import PLATFORM_TIME, Timer
from tests.support.eventually import eventually

WHOLE = """
component: scf
name: survey
app: chain
stage: dev
inputs:
  name: ${name}-${stage}-${app}
  memorySize: 256
  timeout: 30
  environment:
    variables:
      PUBLIC_URL: ${env:PUBLIC_URL}
      MYSQL_HOST: ${env:MYSQL_HOST}
      DEBUG: false
      PORT: 3306
  layers: [{name: deps, version: "${output:${stage}:${app}:layer.version}"}]
  events:
    - http: {parameters: {qualifier: $DEFAULT}}
    - timer: {parameters: {name: outbox, cronExpression: '0 * * * * * *', argument: drain_outbox, enable: true}}
    - timer: {parameters: {name: erase, cronExpression: '0 0 4 * * * *'}}
"""


def load(folder: Path, text: str, **environ: str) -> function_config.FunctionConfig:
    path = folder / "serverless.yml"
    path.write_text(text, encoding="utf-8")
    return function_config.load(path, environ)


def test_references_are_resolved_and_unset_ones_are_reported_and_left_out(tmp_path):
    config = load(tmp_path, WHOLE, PUBLIC_URL="https://survey.example.com")
    assert config.name == "survey-dev-chain"
    assert (config.memory, config.timeout, config.init_timeout) == (256, 30, 65)
    assert config.environment == {"PUBLIC_URL": "https://survey.example.com", "DEBUG": "false", "PORT": "3306"}
    assert config.unset == {"inputs.environment.variables.MYSQL_HOST": "MYSQL_HOST"}
    assert config.inputs["layers"][0]["version"] == "${output:dev:chain:layer.version}"


def test_a_timer_is_off_unless_enabled(tmp_path):
    config = load(tmp_path, WHOLE)
    assert [(timer.name, timer.message, timer.enabled) for timer in config.timers] == [
        ("outbox", "drain_outbox", True),
        ("erase", "", False),
    ]


def test_values_come_from_the_env_file_and_the_shell_wins(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("PUBLIC_URL=https://file.example.com\nMYSQL_HOST=file\n", encoding="utf-8")
    (tmp_path / "serverless.yml").write_text(WHOLE, encoding="utf-8")
    monkeypatch.setenv("MYSQL_HOST", "shell")
    environment = function_config.load(tmp_path / "serverless.yml").environment
    assert (environment["PUBLIC_URL"], environment["MYSQL_HOST"]) == ("https://file.example.com", "shell")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("inputs: [", "cannot be read"),
        ("component: scf", "no 'inputs' section"),
        ("inputs: {memorySize: big}", "memorySize is 'big'"),
        ("inputs: {timeout: 0}", "timeout is 0"),
        ("inputs: {environment: {variables: {SCF_X: 1}}}", "SCF_X begins with a prefix that the platform reserves"),
        ("inputs: {environment: [A]}", "environment is not a map"),
        ("inputs: {environment: {variables: [A]}}", "variables is not a map"),
        ("inputs: {environment: {variables: {'A=B': 1}}}", "environment variable 'A=B': a name holds letters, digits"),
        ("inputs: {environment: {variables: {'': 1}}}", "environment variable '': a name holds letters, digits"),
        ("name: '${name}'\ninputs: {name: '${name}'}", r"\$\{name\} refers to itself"),
        ("name: '${app}'\napp: '${name}'\ninputs: {name: '${name}'}", r"\$\{name\} refers to itself"),
        ("inputs: {handler: null}", "handler is None: write module.function, such as index.main_handler"),
        ("inputs: {handler: index}", "handler is 'index': write module.function"),
        ("inputs: {events: [null]}", "events is not a list of triggers"),
        ("inputs: {events: {timer: {}}}", "events is not a list of triggers"),
        ("inputs: {events: [timer: null]}", "a timer of events has no parameters: it needs name and cronExpression"),
        ("inputs: {events: [timer: {parameters: [a]}]}", "parameters is not a map"),
        ("inputs: {events: [{timer: {parameters: {name: t, cronExpression: '* * * * *'}}}]}", "not seven fields"),
        ("inputs: {events: [{timer: {parameters: {name: t, cronExpression: '61 * * * * * *'}}}]}", "is not valid"),
    ],
)
def test_a_bad_file_is_one_sentence(tmp_path, text, sentence):
    with pytest.raises(FunctionConfigError, match=sentence) as error:
        load(tmp_path, text)
    assert "\n" not in str(error.value)


def test_an_env_file_that_cannot_be_read_is_one_sentence(tmp_path):
    (tmp_path / "serverless.yml").write_text(WHOLE, encoding="utf-8")
    (tmp_path / ".env").write_bytes("MYSQL_HOST=王".encode("gbk"))
    with pytest.raises(FunctionConfigError, match=r"\.env is not UTF-8: save it as such\.$"):
        function_config.load(tmp_path / "serverless.yml")
    with pytest.raises(DeployError, match="is not UTF-8"):
        open_account(tmp_path, dry_run=True)


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(FunctionConfigError, match="does not exist"):
        function_config.load(tmp_path / "serverless.yml")


@pytest.mark.parametrize(
    ("cron", "after", "expected"),
    [
        ("0 * * * * * *", "2026-11-21 03:00:00", "2026-11-21 03:01:00"),
        ("*/5 * * * * * *", "2026-11-21 03:00:01", "2026-11-21 03:00:05"),
        ("0 0 4 * * * *", "2026-11-21 04:00:00", "2026-11-22 04:00:00"),
        ("0 15 10 * * MON-FRI *", "2026-11-21 00:00:00", "2026-11-23 10:15:00"),
        # Day and week both given: either of them (the 1st, or a Monday).
        ("0 0 2 1 * MON *", "2026-11-24 00:00:00", "2026-11-30 02:00:00"),
        ("0 0 2 1 * MON *", "2026-11-30 02:00:00", "2026-12-01 02:00:00"),
        ("0 0 0 1 1 * 2030", "2026-11-21 03:00:00", "2030-01-01 00:00:00"),
    ],
)
def test_cron_times_are_those_of_the_platform_in_utc_plus_8(cron, after, expected):
    next_time = Timer("t", cron).next_time(datetime.fromisoformat(f"{after}+08:00"))
    assert next_time == datetime.fromisoformat(f"{expected}+08:00")
    assert next_time.utcoffset() == timedelta(hours=8)


def test_a_timer_whose_years_are_over_never_comes():
    assert Timer("t", "0 0 0 1 1 * 2026").next_time(datetime(2026, 11, 21, tzinfo=PLATFORM_TIME)) is None


def test_a_failed_timer_event_is_retried_twice(monkeypatch):
    monkeypatch.setattr(timers, "RETRY_INTERVAL", timedelta(0))
    timer = Timer("outbox", "* * * * * * 2026", "drain_outbox")
    # One regular time, and no other: the timer's years are over afterwards.
    times = iter([datetime.now(PLATFORM_TIME), None])
    monkeypatch.setattr(Timer, "next_time", lambda timer, after: next(times))
    fired = []
    timers.start_timers([timer], lambda timer, event: fired.append(event["Message"]))
    eventually(lambda: len(fired) == 3)
    eventually(lambda: not [thread for thread in threading.enumerate() if isinstance(thread, threading.Timer)])
    assert fired == ["drain_outbox"] * 3


def test_the_timer_event_has_the_platforms_fields():
    event = Timer("outbox", "0 * * * * * *", "drain_outbox").event(datetime(2026, 11, 20, 11, 49, tzinfo=timezone.utc))
    assert event == {
        "Type": "Timer",
        "TriggerName": "outbox",
        "Time": "2026-11-20T11:49:00Z",
        "Message": "drain_outbox",
    }
