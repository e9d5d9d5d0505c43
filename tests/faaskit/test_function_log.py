"""`manage.py logs` and remote invocations, against an account on loopback."""

from __future__ import annotations

import io
import json
from datetime import datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from faaskit.scf import function_log, remote
from faaskit.scf.account import open_account
from faaskit.timers import PLATFORM_TIME
from tests.faaskit.test_deploy import deploy, project, raises, scf

__all__ = ["project", "scf"]  # the fixtures
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")  # the SDK's


def entry(request_id: str, ago: timedelta, code: int = 0) -> dict:
    return {
        "RequestId": request_id,
        "StartTime": (datetime.now(PLATFORM_TIME) - ago).strftime(function_log.TIME),
        "RetCode": code,
        "InvokeFinished": 1,
        "Duration": 41.6,
        "BillDuration": 42,
        "MemUsage": 52_000_000,
        "RetMsg": '{"body": "Tom, 1234567890"}',
        "Log": f"START {request_id}\nresponse.accepted\nEND",
    }


def logs(folder, **options) -> str:
    out = io.StringIO()
    call_command("logs", folder=folder, stdout=out, **options)
    return out.getvalue()


def test_the_log_shows_each_invocation_without_its_result(project, scf):
    deploy(project)
    scf.logs = [entry("r-old", timedelta(hours=2)), entry("r-1", timedelta(minutes=2)), entry("r-2", timedelta(0), 430)]
    output = logs(project, no_follow=True)
    assert "r-1 ok 42 ms, billed 42 ms, 50 MB\n    START r-1\n    response.accepted" in output
    assert "r-2 FAILED" in output
    assert "r-old" not in output
    assert "Tom" not in output


def test_the_log_may_be_limited_to_errors_or_to_one_request(project, scf):
    deploy(project)
    scf.logs = [entry("r-1", timedelta(minutes=2)), entry("r-2", timedelta(minutes=1), 430)]
    assert "r-1" not in logs(project, no_follow=True, errors=True)
    assert "r-2" not in logs(project, request="r-1")


def test_following_shows_late_entries_once_until_it_is_interrupted(project, scf, monkeypatch):
    deploy(project)
    scf.logs = [entry("r-1", timedelta(seconds=20))]
    pauses = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 1:
            scf.logs.insert(0, entry("r-late", timedelta(seconds=30)))
        if len(pauses) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", pause)
    output = logs(project)
    assert [output.count(f"{name} ok") for name in ("r-1", "r-late")] == [1, 1]


def test_entries_of_all_pages_are_read(project, scf):
    deploy(project)
    scf.logs = [entry(f"r-{number}", timedelta(minutes=1)) for number in range(250)]
    assert logs(project, no_follow=True).count(" ok ") == 250


@pytest.mark.parametrize("since", ["yesterday", "25h", "15"])
def test_an_invalid_time_is_explained(project, since):
    with pytest.raises(CommandError, match="is not a time such as 90s"):
        call_command("logs", f"--since={since}", f"--folder={project}", "--no-follow")


def test_a_remote_invocation_returns_result_log_and_cost(project, scf):
    deploy(project)
    account = open_account(project)
    done = remote.invoke(account.api, account.config, remote.manage_event(["doctor"]))
    assert (done.result, done.exit_code) == ({"exit_code": 0, "output": "Operations to perform: none\n"}, 0)
    assert (done.log, done.billed, done.memory, done.memory_limit) == ("START\nEND", 13, 4 << 20, 128)
    assert done.gigabyte_seconds == pytest.approx(13 / 1000 * 128 / 1024)


def test_the_exit_code_of_a_remote_invocation_tells_success_from_failure(project, scf):
    deploy(project)
    account = open_account(project)
    scf.run = lambda snapshot, event: {"exit_code": 3, "output": ""}
    assert remote.invoke(account.api, account.config, {"manage": ["doctor"]}).exit_code == 3
    scf.run = lambda snapshot, event: {"statusCode": 503, "body": ""}
    assert remote.invoke(account.api, account.config, {"httpMethod": "GET"}).exit_code == 1
    scf.run = lambda snapshot, event: raises(event)
    failed = remote.invoke(account.api, account.config, {})
    assert (failed.exit_code, failed.result, failed.error) == (1, None, "No module named 'django'")
    scf.run = lambda snapshot, event: "plain text"
    assert remote.invoke(account.api, account.config, {}).result == "plain text"


def test_invoke_remote_sends_a_command_to_the_deployed_function(project, scf, capsys):
    deploy(project)
    received = []
    scf.run = lambda snapshot, event: received.append(event) or {"exit_code": 0, "output": "done"}
    call_command("invoke", "--remote", "--manage", "migrate --noinput", f"--folder={project}")
    printed = capsys.readouterr()
    assert received == [{"manage": ["migrate", "--noinput"]}]
    assert json.loads(printed.out) == {"exit_code": 0, "output": "done"}
    assert "START\nEND\nReport RequestId: f-1 Duration:12ms BilledDuration:13ms Memory:128MB" in printed.err


def test_invoke_remote_exits_with_the_exit_code_of_the_command(project, scf):
    deploy(project)
    scf.run = lambda snapshot, event: {"exit_code": 3, "output": "failed"}
    with pytest.raises(SystemExit) as end:
        call_command("invoke", "--remote", "--manage", "doctor", f"--folder={project}")
    assert end.value.code == 3


def test_invoke_remote_sends_an_event_of_the_function_url(project, scf, capsys):
    deploy(project)
    received = []
    scf.run = lambda snapshot, event: received.append(event) or {"statusCode": 200, "body": "hello Tom"}
    call_command("invoke", "--remote", "--http", "GET", "/hello/Tom", f"--folder={project}")
    assert (received[0]["httpMethod"], received[0]["path"]) == ("GET", "/hello/Tom")
    assert json.loads(capsys.readouterr().out)["body"] == "hello Tom"


def test_invoke_remote_of_a_missing_function_is_an_error(project, scf):
    with pytest.raises(CommandError, match="Invoke: ResourceNotFound"):
        call_command("invoke", "--remote", "--manage", "doctor", f"--folder={project}")
