"""`faaskit logs` and remote invocations, against an account on loopback."""

from __future__ import annotations

import io
import json
import re
from datetime import datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from faaskit.scf import function_log, remote
from faaskit.scf.account import open_account
from faaskit.timers import PLATFORM_TIME
from tests.faaskit.test_deploy import deploy, project, raises, scf
from tests.faaskit.test_deploy_faults import faaskit

__all__ = ["project", "scf"]  # the fixtures
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")  # the SDK's
ACCEPTED = {"time": "…", "level": "INFO", "logger": "survey.guest", "event": "submission.accepted", "branch": 3}
REFUSED = {
    **{"level": "ERROR", "logger": "django.request", "event": "Internal Server Error", "route": "submitSurvey"},
    "exception": [{"type": "pymysql.err.OperationalError", "number": 1205, "frames": ["/var/user/a.py:1 save"]}],
}


@pytest.fixture
def log(project, scf):
    """Return a function that adds an entry to the log of a deployed function, as the platform delivers it."""
    deploy(project)
    scf.function["ClsTopicId"] = "topic-1"

    def add(
        message: str, ago: float = 60, request_id: str = "r-1", name: str = "survey-prod", own=None, **fields
    ) -> None:
        platform = {"SCF_FunctionName": name, "SCF_Namespace": "default", "SCF_Type": "Custom", "SCF_Level": "INFO"}
        moment = datetime.now(PLATFORM_TIME) - timedelta(seconds=ago)
        entry = {**platform, "SCF_RequestId": request_id, "SCF_Message": message, **fields, **(own or {})}
        scf.log_service.write(int(moment.timestamp() * 1000), entry)

    return add


def logs(folder, *options: str) -> str:
    out = io.StringIO()
    call_command("logs", *options, f"--folder={folder}", stdout=out)
    return out.getvalue()


def test_json_lines_are_printed_readably(project, log):
    """CLS holds the fields of a JSON line beside the platform's; nested values are text there."""
    log("", own={**REFUSED, "exception": json.dumps(REFUSED["exception"])})
    log(json.dumps(ACCEPTED), ago=50, request_id="r-2")
    log("Traceback:\n\nplain text", ago=40, request_id="r-3")
    moment = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} "
    assert re.sub(moment, "", logs(project, "--no-follow")).splitlines() == [
        "ERROR   r-1 django.request Internal Server Error route=submitSurvey",
        "    pymysql.err.OperationalError 1205",
        "      /var/user/a.py:1 save",
        "INFO    r-2 survey.guest submission.accepted branch=3",
        "INFO    r-3 Traceback:",
        "INFO    r-3 plain text",
    ]


def test_the_log_shows_how_an_invocation_ended_and_not_what_it_returned(project, log):
    platform = {"SCF_Type": "Platform"}
    log("START RequestId: r-1", **platform)
    log("Report RequestId: r-1 …", **platform, SCF_Duration=41.6, SCF_MemUsage=52_428_800, SCF_StatusCode=200)
    log('Response RequestId: r-1 RetMsg: {"body": "Tom, 1234567890"}', **platform)
    log("END RequestId: r-1", **platform)
    log("Report …", **platform, request_id="r-2", SCF_Duration=60_000, SCF_StatusCode=433, SCF_RetryNum=1)
    first, second = logs(project, "--no-follow").splitlines()
    assert first.endswith("INFO    r-1 ok: 42 ms, 50 MB")
    assert second.endswith("ERROR   r-2 FAILED with 433: 60000 ms, 0 MB, retry 1")


def test_the_log_may_be_limited_to_a_level_a_request_and_a_time(project, log):
    log(json.dumps(ACCEPTED), ago=7_200, request_id="r-old")
    log(json.dumps(ACCEPTED), request_id="r-1")
    log(json.dumps(REFUSED), request_id="r-2")
    log(json.dumps(REFUSED), request_id="r-other", name="other-prod")

    def found(*options: str) -> list[str]:
        output = logs(project, "--no-follow", *options)
        return [name for name in ("r-old", "r-1", "r-2", "r-other") if f" {name} " in output]

    assert found() == ["r-1", "r-2"]
    assert found("--level", "warning") == found("--errors") == ["r-2"]
    assert found("--request", "r-1") == ["r-1"]
    assert found("--since", "1d") == ["r-old", "r-1", "r-2"]
    assert found("--since", "3h", "--until", "1h") == ["r-old"]
    now = datetime.now(PLATFORM_TIME)
    assert found("--since", (now - timedelta(hours=3)).isoformat(), "--until", now.isoformat()) == [
        "r-old",
        "r-1",
        "r-2",
    ]


def test_following_shows_late_entries_once_until_it_is_interrupted(project, log, monkeypatch):
    log("first", ago=20)
    pauses = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 1:
            log("late", ago=30)
        if len(pauses) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", pause)
    assert [line.split()[-1] for line in logs(project, "--follow").splitlines() if line] == ["first", "late"]
    assert pauses == [function_log.POLL_EVERY] * 3


def test_entries_of_all_pages_are_read_each_once(project, log, scf):
    """A Context leads to 10,000 entries."""
    for number in range(10_500):
        log(str(number), ago=600 - number / 20)
    assert [line.split()[-1] for line in logs(project, "--no-follow").splitlines()] == [*map(str, range(10_500))]
    assert [action for action, _ in scf.calls].count("SearchLog") == 11


def test_an_entry_whose_index_is_broken_is_shown_as_it_is(project, log, scf):
    log("lost")
    scf.log_service.entries[0] |= {"RawLog": "as it came"}
    search = scf.log_service.SearchLog

    def broken(**parameters):
        page = search(**parameters)
        return {**page, "Results": [{**entry, "LogJson": ""} for entry in page["Results"]]}

    scf.log_service.SearchLog = broken
    assert logs(project, "--no-follow").endswith(" - as it came\n")


def test_without_a_topic_the_log_says_how_to_get_one(project, scf):
    deploy(project)
    with pytest.raises(CommandError, match=r"has no log topic: write 'cls: auto' below inputs in serverless\.yml"):
        logs(project, "--no-follow")


def test_a_request_id_is_no_query(project, log):
    with pytest.raises(CommandError, match="is no request id"):
        logs(project, "--request", 'r" OR "')


@pytest.mark.parametrize("since", ["yesterday", "2w", "15", "99999d9"])
def test_an_invalid_time_is_explained(project, since):
    with pytest.raises(CommandError, match="is not a time such as 90s"):
        logs(project, f"--since={since}", "--no-follow")


def test_a_reader_that_has_enough_ends_the_log(project, log):
    for number in range(3_000):
        log(f"{number} {'x' * 50}", ago=600 - number / 10)
    with faaskit(project, "logs", "--follow") as process:
        assert " 0 xxx" in process.stdout.readline()
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == ("", 0)


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
