"""`deploy --canary 5 --watch 10m`: a new version gets a share of the traffic, then all of it or none, by the log."""

from __future__ import annotations

import io
import json
from datetime import datetime, timedelta

import pytest
from django.core.management import CommandError, call_command

from faaskit import cli
from faaskit.scf import canary
from faaskit.timers import PLATFORM_TIME
from tests.faaskit.test_deploy import build, change, deploy, project, scf

__all__ = ["project", "scf"]  # the fixtures
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")  # the SDK's
CLS = "  cls:\n    logsetId: ${env:CLS_LOGSET_ID}\n    topicId: ${env:CLS_TOPIC_ID}\n"
SHARE = {"AdditionalVersionWeights": [{"Version": "2", "Weight": 0.05}]}


@pytest.fixture
def released(project, scf):
    """Return the project with version 1 deployed and a second build."""
    change(project / "serverless.yml", CLS, "  cls: auto\n")
    deploy(project)
    build(project, b"the second code", b"the packages")
    return project


class Clock:
    """Stands still but where the deployment sleeps."""

    moment = datetime(2026, 11, 22, 12, tzinfo=PLATFORM_TIME)

    def now(self, zone: object) -> datetime:
        return self.moment


@pytest.fixture
def traffic(scf, monkeypatch):
    """Return a function that sets what each version logs while the canary waits for the next poll."""
    requests: dict[str, list[dict]] = {}
    seen = []
    clock = Clock()

    def log(version: str, number: int, ms: float = 30, code: int = 200, returned: str = "", own: object = None) -> None:
        for _ in range(number):
            requests.setdefault(version, []).append({"ms": ms, "code": code, "returned": returned, "own": own})

    def sleep(seconds: float) -> None:
        clock.moment += timedelta(seconds=seconds)
        if "RoutingConfig" not in scf.alias:
            return
        seen.append(scf.alias["RoutingConfig"])
        for version, each in requests.items():
            for request in each:
                write(version, **request)
        if len(seen) == log.interrupt_at:
            raise KeyboardInterrupt

    def write(version: str, ms: float, code: int, returned: str, own: object) -> None:
        [topic] = scf.log_service.topics
        moment = int(clock.moment.timestamp() * 1000) - 1000
        entry = {"SCF_FunctionName": "survey-prod", "SCF_Namespace": "default", "SCF_Qualifier": version}
        entry |= {"SCF_Alias": "$DEFAULT", "SCF_RequestId": f"r-{len(scf.log_service.entries)}"}
        report = {
            **entry,
            "SCF_Type": "Platform",
            "SCF_Duration": ms,
            "SCF_StatusCode": code,
            "SCF_Message": "Report …",
        }
        scf.log_service.write(moment, report, topic)
        if returned:
            message = f"Response RequestId: r RetMsg: {returned}"
            scf.log_service.write(moment, {**entry, "SCF_Type": "Platform", "SCF_Message": message}, topic)
        if own:
            scf.log_service.write(moment, {**entry, "SCF_Type": "Custom", **own}, topic)

    monkeypatch.setattr("time.sleep", sleep)
    monkeypatch.setattr(canary, "datetime", clock)
    log.interrupt_at = 0
    log.seen = seen
    return log


def deploy_canary(folder, *options: str) -> str:
    out = io.StringIO()
    call_command("deploy", "--canary", "5", *options, folder=folder, stdout=out)
    return out.getvalue()


def test_a_version_that_does_as_well_gets_all_traffic(released, scf, traffic):
    traffic("1", 20)
    traffic("2", 5, ms=35)
    output = deploy_canary(released, "--watch", "1m")
    assert traffic.seen == [SHARE] * 4
    assert "Version 2 receives 5 % of the traffic for 1 minutes; Ctrl-C takes it back.\n" in output
    assert "Version 1: 80 requests, 0 failed (0.0%), median 30 ms.\n" in output
    assert "Version 2: 20 requests, 0 failed (0.0%), median 35 ms.\n" in output
    assert (scf.alias["FunctionVersion"], "RoutingConfig" in scf.alias) == ("2", False)
    assert scf.alias["Description"] == "version 2, before it: 1"


@pytest.mark.parametrize(
    "worse",
    [
        {"code": 433},
        {"returned": '{"headers": {}, "statusCode": 503, "body": ""}'},
        {"own": {"event": "request.served", "status": 500}},
        {"own": {"SCF_Message": '{"event": "request.served", "status": 500}\n'}},
        {"ms": 400},
    ],
    ids=["an invocation that failed", "a returned status", "a status in fields", "a status in a line", "a slow one"],
)
def test_a_worse_version_loses_its_share_before_the_end(released, scf, traffic, worse):
    traffic("1", 40)
    traffic("2", 20, **worse)
    with pytest.raises(CommandError, match=r"version 2 is worse: .*\.\nVersion 1 receives traffic\. Version 2 stays "):
        deploy_canary(released, "--watch", "1h")
    assert traffic.seen == [SHARE]
    assert (scf.alias["FunctionVersion"], "RoutingConfig" in scf.alias) == ("1", False)


def test_failures_that_the_old_version_has_too_do_not_count(released, scf, traffic):
    for version in ("1", "2"):
        traffic(version, 20)
        traffic(version, 5, code=433)
    deploy_canary(released)
    assert scf.alias["FunctionVersion"] == "2"


def test_what_a_guest_wrote_is_no_status(released, scf, traffic):
    traffic("1", 40)
    body = json.dumps({"statusCode": 200, "body": json.dumps({"comment": '"statusCode": 500'})})
    traffic("2", 20, returned=body)
    deploy_canary(released)
    assert scf.alias["FunctionVersion"] == "2"


def test_too_few_requests_to_judge_are_said_and_take_the_share_back(released, scf, traffic):
    traffic("1", 40)
    with pytest.raises(CommandError, match=r"version 2 had 0 requests, of which 20 are needed to judge: watch it for"):
        deploy_canary(released, "--watch", "30s")
    assert len(traffic.seen) == 2
    assert (scf.alias["FunctionVersion"], "RoutingConfig" in scf.alias) == ("1", False)


def test_control_c_takes_the_share_back_and_says_what_was_seen(released, scf, traffic, capsys):
    traffic("2", 4)
    traffic.interrupt_at = 2  # polls
    assert cli.main(["deploy", "--canary", "5", "--folder", str(released)]) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith("Interrupted. Version 1 receives traffic. ")
    assert "Version 2: 4 requests, 0 failed (0.0%), median 30 ms.\n" in printed.out
    assert (scf.alias["FunctionVersion"], "RoutingConfig" in scf.alias) == ("1", False)


def test_a_log_that_cannot_be_read_takes_the_share_back(released, scf, traffic, monkeypatch):
    def refuse(*arguments):
        raise ValueError("not the JSON of a log")

    monkeypatch.setattr(canary.function_log, "search", refuse)
    with pytest.raises(ValueError, match="not the JSON"):
        deploy_canary(released)
    assert (scf.alias["FunctionVersion"], "RoutingConfig" in scf.alias) == ("1", False)


def test_a_share_that_could_not_be_taken_back_is_named_and_a_rollback_takes_it(released, scf, traffic, capsys):
    traffic("1", 40)
    update, refused = scf.UpdateAlias, []

    def refuse_the_second(**parameters):
        refused.append(parameters)
        if len(refused) == 2:
            raise RuntimeError
        return update(**parameters)

    scf.UpdateAlias = refuse_the_second
    with pytest.raises(CommandError, match=r"Version 1 \(and, with 5 % of the traffic until 'rollback 1', version 2\)"):
        deploy_canary(released, "--watch", "30s")
    assert scf.alias["RoutingConfig"] == SHARE
    assert cli.main(["status", "--folder", str(released)]) == 0
    assert "traffic   version 1, and 5 % for version 2" in capsys.readouterr().out
    assert cli.main(["rollback", "--folder", str(released)]) == 0
    assert (scf.alias["FunctionVersion"], "RoutingConfig" in scf.alias) == ("1", False)


def test_the_first_version_has_nothing_to_be_compared_with(project, scf, traffic):
    deploy_canary(project)
    assert (scf.alias["FunctionVersion"], traffic.seen) == ("1", [])


def test_without_a_log_topic_nothing_is_deployed(project, scf):
    deploy(project)
    build(project, b"the second code", b"the packages")
    with pytest.raises(CommandError, match=r"Function survey-prod has no log topic"):
        deploy_canary(project)
    assert (list(scf.versions), scf.alias["FunctionVersion"]) == (["1"], "1")


@pytest.mark.parametrize("option", [("--canary", "0"), ("--canary", "100"), ("--watch", "10"), ("--watch", "0m")])
def test_a_share_or_a_duration_that_is_none_is_refused(option, capsys):
    with pytest.raises(SystemExit):
        cli.main(["deploy", *option])
    assert "is not a" in capsys.readouterr().err
