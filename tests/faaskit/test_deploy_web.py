"""`type: web`: a Web function and, on the same code, the event function beside it; both move or neither."""

from __future__ import annotations

import io
import time

import pytest
from django.core.management import CommandError, call_command

from faaskit.cli import main
from tests.faaskit.test_deploy import build, change, deploy, environment, project, scf
from tests.support.fake_scf import APPID

__all__ = ["project", "scf"]  # the fixtures
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")  # the SDK's
DOMAIN = "survey.example.com"
OLD_URL = f"https://{APPID}-abcdefghij.ap-guangzhou.tencentscf.com"


@pytest.fixture
def web(project):
    """Return the project with `type: web`."""
    change(project / "serverless.yml", "  type: event", "  type: web")
    return project


@pytest.fixture
def domain(scf, monkeypatch):
    """Lead a custom domain to the event function, and set it as PUBLIC_URL."""
    endpoint = {"FunctionName": "survey-prod", "Namespace": "default", "Qualifier": "$DEFAULT", "PathMatch": "/*"}
    other = {**endpoint, "FunctionName": "shop", "PathMatch": "/shop/*"}
    scf.domains[DOMAIN] = {
        "Domain": DOMAIN,
        "Protocol": "HTTPS",
        "CertConfig": {"CertificateId": "c-1"},
        "EndpointsConfig": [endpoint, other],
    }
    monkeypatch.setenv("PUBLIC_URL", f"https://{DOMAIN}")
    return lambda: [endpoint["FunctionName"] for endpoint in scf.domains[DOMAIN]["EndpointsConfig"]]


def versions_of(scf) -> tuple[str, str]:
    """Return the versions that receive traffic, of the event function and of the Web function."""
    return scf.alias["FunctionVersion"], scf.web.alias["FunctionVersion"]


def test_a_first_deployment_makes_both_functions_on_the_same_code(web, scf):
    output = deploy(web)
    assert output.endswith(f"{OLD_URL}/\n")
    beside, live = scf.live, scf.web.live
    assert (live["FunctionName"], live["Type"], beside["FunctionName"], beside["Type"]) == (
        *("survey-prod-web", "HTTP"),
        *("survey-prod", "Event"),
    )
    assert live["content"] == beside["content"] == b"the first code"
    assert live["InstanceConcurrencyConfig"] == {"DynamicEnabled": "FALSE", "MaxConcurrency": 4}
    assert "InstanceConcurrencyConfig" not in beside
    assert "Handler" not in live or not live["Handler"]
    assert environment(live) == environment(beside)
    assert environment(live)["PUBLIC_URL"] == OLD_URL
    assert [trigger["Type"] for trigger in scf.web.triggers] == ["http"]
    assert {trigger["Type"] for trigger in scf.triggers} == {"timer"}
    assert versions_of(scf) == ("1", "1")


def test_the_migration_runs_in_the_event_function_and_health_is_asked_over_http(web, scf):
    events = []
    scf.run = lambda snapshot, event: events.append(event) or {"exit_code": 0, "statusCode": 200}
    deploy(web)
    assert {"manage": ["migrate", "--noinput"]} in events
    assert scf.web.fetched == ["/version/1/healthz"]
    assert [trigger["Qualifier"] for trigger in scf.web.triggers] == ["$DEFAULT"]  # the one on the version is closed


def test_a_second_deployment_of_the_same_does_nothing(web, scf):
    deploy(web)
    calls = len(scf.calls)
    assert "Version 1 of survey-prod-web already is this code and configuration." in deploy(web)
    assert not [name for name, _ in scf.calls[calls:] if not name.startswith(("Get", "List"))]


def test_a_new_version_moves_both(web, scf):
    deploy(web)
    build(web, b"the second code", b"the packages")
    deploy(web)
    assert versions_of(scf) == ("2", "2")
    assert scf.web.live["content"] == b"the second code"


@pytest.mark.parametrize("broken", ["event", "web"])
def test_a_version_that_is_not_healthy_moves_neither(web, scf, broken):
    deploy(web)
    build(web, b"the second code", b"the packages")

    def fails(snapshot) -> bool:
        return snapshot["content"] == b"the second code"

    if broken == "web":
        scf.web.health = lambda snapshot, path: 500 if fails(snapshot) else 200
    else:
        scf.run = lambda snapshot, event: {"exit_code": 0, "statusCode": 500 if fails(snapshot) else 200}
    with pytest.raises(
        CommandError, match=r"Could not verify the new version: version 2 of survey-prod(-web)?, /healthz"
    ):
        deploy(web)
    assert versions_of(scf) == ("1", "1")
    assert [trigger["Qualifier"] for trigger in scf.web.triggers] == ["$DEFAULT"]


def calls_of_a_second_deployment(web, scf) -> int:
    deploy(web)
    build(web, b"the second code", b"the packages")
    before = len(scf.calls)
    deploy(web)
    return len(scf.calls) - before


def test_whatever_call_fails_both_functions_are_on_one_release(web, scf):
    count = calls_of_a_second_deployment(web, scf)
    for number in range(count):
        content = f"code {number}".encode()
        build(web, content, b"the packages")
        scf.fail_at = number
        try:
            deploy(web)
        except CommandError as error:
            assert "the fake fails here" in str(error)
        assert scf.live["content"] == scf.web.live["content"], number
        scf.fail_at = None
        deploy(web)  # the same command goes on
        assert scf.live["content"] == scf.web.live["content"] == content
        assert {trigger["Qualifier"] for trigger in scf.web.triggers} == {"$DEFAULT"}


def test_a_rollback_moves_both_back_and_forth(web, scf):
    for content in (b"one", b"two", b"three"):
        build(web, content, b"the packages")
        deploy(web)
    main(["rollback", "--folder", str(web)])
    assert (scf.live["content"], scf.web.live["content"]) == (b"two", b"two")
    main(["rollback", "1", "--folder", str(web)])
    assert (scf.live["content"], scf.web.live["content"]) == (b"one", b"one")


def test_a_rollback_to_a_version_that_is_not_healthy_moves_neither(web, scf):
    for content in (b"one", b"two"):
        build(web, content, b"the packages")
        deploy(web)
    scf.web.health = lambda snapshot, path: 500
    with pytest.raises(CommandError, match="Could not verify the version"):
        call_command("deploy", rollback="", folder=web, stdout=io.StringIO())
    assert (scf.live["content"], scf.web.live["content"]) == (b"two", b"two")


def test_the_type_of_a_deployed_function_does_not_change_without_a_custom_domain(project, scf):
    deploy(project)
    change(project / "serverless.yml", "  type: event", "  type: web")
    with pytest.raises(
        CommandError, match=r"survey-prod serves requests at https://.+ Set PUBLIC_URL to a custom domain"
    ):
        deploy(project)
    assert scf.web.function is None


def test_the_custom_domain_moves_last_and_the_old_function_stays(project, scf, domain):
    deploy(project)
    change(project / "serverless.yml", "  type: event", "  type: web")
    output = deploy(project)
    assert domain() == ["survey-prod-web", "shop"]
    assert scf.calls[-1][0] == "UpdateCustomDomain"
    assert "survey.example.com leads to survey-prod-web." in output
    assert "http" in {trigger["Type"] for trigger in scf.triggers}  # its own URL goes on working
    deploy(project)
    assert domain() == ["survey-prod-web", "shop"]


def test_a_broken_web_function_keeps_the_domain_where_it_is(project, scf, domain):
    deploy(project)
    change(project / "serverless.yml", "  type: event", "  type: web")
    scf.web.health = lambda snapshot, path: 500
    with pytest.raises(CommandError, match="Could not verify the new version"):
        deploy(project)
    assert domain() == ["survey-prod", "shop"]


def test_the_type_changes_back_the_same_way(web, scf, domain, monkeypatch):
    deploy(web)
    scf.domains[DOMAIN]["EndpointsConfig"][0]["FunctionName"] = "survey-prod-web"
    change(web / "serverless.yml", "  type: web", "  type: event")
    assert "survey.example.com leads to survey-prod. survey-prod-web stays." in deploy(web)
    assert domain() == ["survey-prod", "shop"]
    assert scf.web.function is not None
    monkeypatch.delenv("PUBLIC_URL")
    with pytest.raises(CommandError, match="survey-prod-web serves requests at"):
        deploy(web)


@pytest.mark.parametrize("kind", ["event", "web"])
def test_remove_deletes_both(web, scf, kind):
    deploy(web)
    if kind == "event":
        change(web / "serverless.yml", "  type: web", "  type: event")
    output = io.StringIO()
    call_command("deploy", remove=True, noinput=True, folder=web, stdout=output)
    assert scf.function is None
    assert scf.web.function is None
    assert "Function survey-prod-web with its versions and triggers is deleted." in output.getvalue()


def test_a_dry_run_prints_the_calls_of_both_and_sends_nothing(web, scf):
    output = deploy(web, dry_run=True)
    assert scf.calls == []
    assert output.count("CreateFunction ") == 2
    assert '"Type": "HTTP"' in output
    assert "\nGET https://the-function-url.example/healthz\n" in output


def test_status_and_logs_know_both(web, scf, capsys):
    deploy(web)
    capsys.readouterr()
    assert main(["status", "--folder", str(web)]) == 0
    shown = capsys.readouterr().out
    assert shown.index("function  survey-prod-web in") < shown.index("function  survey-prod in")
    scf.function["ClsTopicId"] = "topic-1"
    for name in ("survey-prod", "survey-prod-web", "shop"):
        fields = {"SCF_FunctionName": name, "SCF_Namespace": "default", "SCF_Message": f"from {name}"}
        scf.log_service.write(int(time.time() * 1000) - 1000, fields)
    main(["logs", "--no-follow", "--folder", str(web)])
    shown = capsys.readouterr().out
    assert "from survey-prod\n" in shown
    assert "from survey-prod-web\n" in shown
    assert "from shop" not in shown


def test_a_canary_of_two_functions_is_refused(web, scf):
    with pytest.raises(CommandError, match="A canary needs one function"):
        deploy(web, canary=10)
    assert scf.calls == []


def test_a_type_that_nobody_knows_is_one_sentence(project, scf):
    change(project / "serverless.yml", "  type: event", "  type: http")
    with pytest.raises(CommandError, match=r"type is 'http': write event or web\."):
        deploy(project)
