"""A deployment while the platform, the network, another deployment or a person gets in its way."""

from __future__ import annotations

import io
import json
import random
import re
import shutil
import subprocess
import sys
import zipfile
from datetime import datetime, timedelta

import certifi
import pytest
from django.core.management import CommandError, call_command
from tencentcloud.cls.v20201016.cls_client import ClsClient
from tencentcloud.scf.v20180416.scf_client import ScfClient

from faaskit import cli
from faaskit.scf.api import PRODUCTS
from faaskit.timers import PLATFORM_TIME
from tests.faaskit.test_deploy import ROOT, TRIGGERS, URL, build, change, deploy, project, scf
from tests.support.fake_scf import APPID, RETIRED, healthy

__all__ = ["project", "scf"]  # the fixtures
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")  # the SDK's
CLS = "  cls:\n    logsetId: ${env:CLS_LOGSET_ID}\n    topicId: ${env:CLS_TOPIC_ID}\n"


def add(folder, lines: str) -> None:
    """Add entries below inputs."""
    change(folder / "serverless.yml", "  publicAccess: true\n", f"  publicAccess: true\n{lines}")


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_action_that_is_called_exists_in_the_sdk_and_is_not_retired(product):
    client = {"scf": ScfClient, "cls": ClsClient}[product]
    for action in PRODUCTS[product][1]:
        description = getattr(client, action).__doc__
        assert not RETIRED.search(description), action
    assert RETIRED.search(ScfClient.GetFunctionLogs.__doc__)  # the words that the SDK uses


# --- $LATEST after a failed change


@pytest.mark.parametrize("status", ["UpdateFailed", "PublishFailed"])
def test_a_failed_change_of_latest_is_healed_by_the_next_deployment(project, scf, status):
    deploy(project)
    scf.function["Status"] = status
    build(project, b"the second code", b"the packages")
    assert f"$LATEST is {status}" in deploy(project)
    assert scf.live["content"] == b"the second code"


def test_a_failed_change_of_latest_leaves_a_deployed_version_as_it_is(project, scf):
    deploy(project)
    scf.function["Status"] = "UpdateFailed"
    assert "Version 1 already is this code" in deploy(project)


def test_a_rollback_works_while_latest_has_failed(project, scf):
    deploy(project)
    build(project, b"the second code", b"the packages")
    deploy(project)
    scf.function["Status"] = "PublishFailed"
    assert "Version 1 receives traffic." in deploy(project, rollback="")


def test_a_failed_latest_with_traffic_is_not_published_first(project, scf):
    deploy(project)
    scf.alias = {"FunctionVersion": "$LATEST", "Name": "$DEFAULT", "Description": ""}
    scf.function["Status"] = "UpdateFailed"
    build(project, b"the second code", b"the packages")
    deploy(project)
    assert (scf.alias["FunctionVersion"], scf.live["content"]) == ("2", b"the second code")


# --- What serverless.yml no longer has, or has and nobody sets

REMOVABLE = """\
  deadLetter: {type: CMQ-QUEUE, name: failed}
  cfs:
    - {cfsId: cfs-1, localMountDir: /mnt/, remoteMountDir: /}
"""


def test_what_the_file_no_longer_has_is_taken_away(project, scf, monkeypatch):
    monkeypatch.setenv("FUNCTION_ROLE", "reader")
    before = (project / "serverless.yml").read_text(encoding="utf-8")
    add(project, REMOVABLE)
    deploy(project)
    assert (scf.live["Role"], scf.live["DeadLetterConfig"]["Name"]) == ("reader", "failed")
    assert scf.live["CfsConfig"]["CfsInsList"] == [
        {
            **{"CfsId": "cfs-1", "MountInsId": "cfs-1", "LocalMountDir": "/mnt/", "RemoteMountDir": "/"},
            **{"UserId": "10000", "UserGroupId": "10000"},
        }
    ]
    (project / "serverless.yml").write_text(before, encoding="utf-8")
    for name in ("FUNCTION_ROLE", "VPC_ID", "SUBNET_ID"):
        monkeypatch.delenv(name)
    deploy(project)
    live = scf.live
    assert (live["Role"], live["VpcConfig"]) == ("", {"VpcId": "", "SubnetId": ""})
    assert not any(live["DeadLetterConfig"].values())
    assert live["CfsConfig"] == {"CfsInsList": []}
    assert "already is this code" in deploy(project)


def test_leftovers_of_the_release_before_are_taken_away_too(project, scf):
    deploy(project)
    scf.function["Role"] = "reader"  # the file lost it, and the release before left it with the function
    deploy(project)
    assert scf.live["Role"] == ""


def test_what_the_platform_keeps_is_named(project, scf):
    deploy(project)
    scf.function["Role"] = "reader"
    scf.kept = {"Role"}
    with pytest.raises(
        CommandError, match=r"the function still has role, which serverless\.yml no longer has"
    ) as error:
        deploy(project)
    assert "Version 1 receives traffic." in str(error.value)


def test_a_log_topic_that_the_file_no_longer_names_stays_and_is_named(project, scf, monkeypatch):
    monkeypatch.setenv("CLS_LOGSET_ID", "logset-9")
    monkeypatch.setenv("CLS_TOPIC_ID", "topic-9")
    deploy(project)
    monkeypatch.delenv("CLS_LOGSET_ID")
    monkeypatch.delenv("CLS_TOPIC_ID")
    assert "The log stays in topic topic-9: serverless.yml names no other." in deploy(project)


def test_a_function_that_never_had_a_section_is_not_sent_an_empty_one(project, scf, monkeypatch):
    monkeypatch.delenv("VPC_ID")
    monkeypatch.delenv("SUBNET_ID")
    deploy(project)
    update = dict(scf.calls)["UpdateFunctionConfiguration"]
    assert not {"VpcConfig", "Role", "DeadLetterConfig", "CfsConfig"} & set(update)


@pytest.mark.parametrize("entry", ["diskSize: 1024", "provisionedNum: 2", "traffic: 0.1", "l5Enable: true"])
def test_an_entry_that_is_not_set_here_is_refused_before_any_call(project, scf, entry):
    add(project, f"  {entry}\n")
    with pytest.raises(CommandError, match=f"a deployment here does not set {entry.partition(':')[0]}"):
        deploy(project)
    assert scf.calls == []


def test_tags_and_asynchronous_runs_are_set_at_the_creation_and_compared_later(project, scf):
    add(project, "  tags: {team: floor}\n  asyncRunEnable: true\n")
    deploy(project)
    assert (scf.live["Tags"], scf.live["AsyncRunEnable"]) == ([{"Key": "team", "Value": "floor"}], "TRUE")
    change(project / "serverless.yml", "team: floor", "team: kitchen")
    with pytest.raises(CommandError, match=r"The function's Tags is .*floor.*, not .*kitchen.* cannot be changed here"):
        deploy(project)


def test_a_rollback_is_possible_whatever_the_file_says(project, scf):
    deploy(project)
    build(project, b"the second code", b"the packages")
    deploy(project)
    add(project, "  asyncRunEnable: true\n")
    assert "Version 1 receives traffic." in deploy(project, rollback="")


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "- http:",
            "- apigw:",
            r"ended API Gateway on 2025-06-30\. Write a Function URL in place of 'apigw': 'http",
        ),
        ("- http:", "- cos:", "events may be http or timer here, not 'cos'"),
        ("region: ${env:REGION}", "region: guangzhou", "region is 'guangzhou': write it as in ap-guangzhou"),
        ("type: event", "type: http", "type is 'http': write event or web"),
        (
            "vpcConfig:\n    vpcId: ${env:VPC_ID} # vpc-…",
            "vpcConfig:",
            "vpcConfig needs vpcId and subnetId, or neither",
        ),
        (CLS, "  cls: topic-1\n", "cls is 'topic-1': write logsetId and topicId below it, or 'cls: auto'"),
    ],
)
def test_an_unusable_file_is_one_sentence_before_any_call(project, scf, old, new, sentence):
    change(project / "serverless.yml", old, new)
    with pytest.raises(CommandError, match=sentence):
        deploy(project)
    assert scf.calls == []


# --- The network


def test_calls_that_come_too_often_are_repeated(project, scf):
    scf.limited = 2
    assert deploy(project).endswith(f"{URL}/\n")


@pytest.mark.parametrize("fault", ["close", "cut", "502", "html", "list"])
def test_a_read_without_a_response_is_repeated(project, scf, fault):
    scf.faults = [fault, fault]
    assert deploy(project).endswith(f"{URL}/\n")


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("close", "Remote end closed connection without response"),
        ("cut", "its response was cut off or is not the API's JSON"),
        ("502", "502 Bad Gateway"),
        ("html", "its response was cut off or is not the API's JSON"),
        ("list", "its response was cut off or is not the API's JSON"),
    ],
)
def test_a_network_that_stays_broken_is_one_sentence(project, scf, fault, reason):
    scf.faults = [fault] * 100
    with pytest.raises(CommandError) as error:
        deploy(project)
    assert str(error.value) == f"The API cannot be reached: {reason}."


def test_a_change_whose_response_is_lost_is_not_sent_twice(project, scf, monkeypatch):
    deploy(project)
    build(project, b"the second code", b"the packages")
    publish = scf.PublishVersion
    with monkeypatch.context() as patch:
        patch.setattr(scf, "PublishVersion", lambda **parameters: lose_connection(publish(**parameters)))
        with pytest.raises(CommandError, match=r"Could not publish a version: .*cannot be reached.*\nVersion 1 r"):
            deploy(project)
    assert sorted(scf.versions) == ["1", "2"]
    deploy(project)
    assert scf.live["content"] == b"the second code"


def test_a_lost_response_while_traffic_moves_names_both_versions(project, scf, monkeypatch):
    deploy(project)
    build(project, b"the second code", b"the packages")
    monkeypatch.setattr(scf, "UpdateAlias", lambda **parameters: lose_connection())
    with pytest.raises(CommandError, match=r"Could not move the alias: .*\nVersion 1 or 2 receives traffic\."):
        deploy(project)


def lose_connection(response=None):
    raise ConnectionResetError  # the server's thread ends without a response


# --- The end of a deployment


def test_a_refused_deletion_of_old_versions_does_not_stop_the_triggers(project, scf, monkeypatch):
    for number in range(8):
        build(project, b"code %d" % number, b"the packages")
        deploy(project)
    scf.triggers.pop()
    monkeypatch.delattr(type(scf), "DeleteFunctionVersion")
    build(project, b"the last code", b"the packages")
    output = deploy(project)
    assert "Old versions stay: " in output
    assert output.endswith(f"{URL}/\n")
    assert len(scf.triggers) == TRIGGERS


# --- Two deployments at once


@pytest.mark.parametrize("other", ["code", "settings"])
def test_another_deployments_code_or_settings_are_not_published_as_this_ones(project, scf, monkeypatch, other):
    deploy(project)
    build(project, b"the second code", b"the packages")
    publish = scf.PublishVersion

    def meanwhile(**parameters):
        if other == "code":
            scf.function.update(content=b"their code", archive="0" * 64)
        else:
            scf.function["Environment"] = {"Variables": [{"Key": "SECRET_KEY", "Value": "theirs"}]}
        return publish(**parameters)

    with monkeypatch.context() as patch:
        patch.setattr(scf, "PublishVersion", meanwhile)
        with pytest.raises(CommandError, match=r"somebody else deployed at the same time.*\nVersion 1 receives"):
            deploy(project)
    assert sorted(scf.versions) == ["1"]
    deploy(project)
    assert scf.live["content"] == b"the second code"


# --- People


def test_an_interruption_names_the_version_with_traffic(project, scf, monkeypatch):
    deploy(project)
    build(project, b"the second code", b"the packages")

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupt)
    with pytest.raises(CommandError, match=r"^Interrupted\. Version 1 receives traffic\. Run the same command again"):
        deploy(project)


@pytest.mark.parametrize("version", ["$LATEST", "$DEFAULT", "one"])
def test_a_rollback_to_what_is_no_published_version_is_refused_before_any_call(project, scf, version):
    deploy(project)
    scf.calls.clear()
    with pytest.raises(CommandError, match=r"is not a published version: name one by its number, as in 'rollback 3'"):
        deploy(project, rollback=version)
    assert scf.calls == []


def test_remove_without_anybody_to_ask_deletes_nothing(project, scf, monkeypatch):
    deploy(project)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(CommandError, match=r"Nothing was deleted: there is nobody to ask\. --noinput deletes"):
        deploy(project, remove=True)
    assert scf.function is not None


@pytest.mark.parametrize("option", ["--remove", "--rollback"])
def test_a_dry_run_is_one_of_a_deployment(project, option):
    with pytest.raises(CommandError, match="not allowed with argument"):
        call_command("deploy", option, "--dry-run", f"--folder={project}")


def faaskit(folder, *arguments: str) -> subprocess.Popen[str]:
    code = "import sys, time; time.sleep = lambda seconds: None; from faaskit import cli; sys.exit(cli.main())"
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", code, *arguments, "--folder", str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_deployment_goes_on_to_its_end_when_nobody_reads_its_output(project, scf):
    with faaskit(project, "deploy") as process:
        process.stdout.readline()
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == ("", 0)
    assert scf.alias["FunctionVersion"] == "1"
    assert len(scf.triggers) == TRIGGERS


# --- Archives


def test_an_archive_of_more_than_ten_megabytes_of_base64_goes_through_cos(project, scf, monkeypatch):
    monkeypatch.setenv("CODE_BUCKET", f"survey-code-{APPID}")
    with zipfile.ZipFile(project / "build" / "layer.zip", "w") as archive:
        archive.writestr("content", random.Random(1).randbytes(7_500_001))
    deploy(project)
    [layer] = [parameters for action, parameters in scf.calls if action == "PublishLayerVersion"]
    assert set(layer["Content"]) == {"CosBucketName", "CosObjectName", "CosBucketRegion"}
    [create] = [parameters for action, parameters in scf.calls if action == "CreateFunction"]
    assert set(create["Code"]) == {"ZipFile"}
    monkeypatch.delenv("CODE_BUCKET")
    assert 'PutObject {"Bucket": "the value of CODE_BUCKET", "File": "layer.zip"}' in deploy(project, dry_run=True)


# --- The log topic


def test_cls_auto_makes_logset_topic_and_index_once(project, scf, monkeypatch):
    change(project / "serverless.yml", CLS, "  cls: auto\n")
    service = scf.log_service
    service.logsets["logset-0"] = "survey-prod-of-somebody"
    assert "Log topic survey-prod: created, keeps 7 days." in deploy(project)
    [(topic, made)] = service.topics.items()
    assert (made["TopicName"], made["Period"], service.logsets[made["LogsetId"]]) == ("survey-prod", 7, "survey-prod")
    keys = {key["Key"]: key["Value"]["Type"] for key in service.indexes[topic]["KeyValue"]["KeyValues"]}
    assert (keys["SCF_RequestId"], keys["SCF_StatusCode"], keys["SCF_MemUsage"]) == ("text", "long", "double")
    assert (keys["status"], keys["ms"], keys["route"]) == ("long", "double", "text")  # of [tool.faaskit]
    assert (scf.live["ClsLogsetId"], scf.live["ClsTopicId"]) == (made["LogsetId"], topic)
    del service.indexes[topic]  # as if the last deployment had ended between the two calls
    assert "already is this code" in deploy(project)
    assert (len(service.logsets), len(service.topics), list(service.indexes)) == (2, 1, [topic])


def test_an_index_of_an_older_release_gets_the_fields_that_it_lacks_and_keeps_its_own(project, scf, monkeypatch):
    change(project / "serverless.yml", CLS, "  cls: auto\n")
    deploy(project)
    [topic] = scf.log_service.indexes
    rule = scf.log_service.indexes[topic]
    own = {"Key": "of_the_operator", "Value": {"Type": "text", "SqlFlag": False, "Tokenizer": "-"}}
    kept = [key for key in rule["KeyValue"]["KeyValues"] if key["Key"] not in ("status", "ms")] + [own]
    rule["KeyValue"]["KeyValues"] = kept
    assert "Log topic survey-prod: indexes status, ms too." in deploy(project)
    keys = scf.log_service.indexes[topic]["KeyValue"]["KeyValues"]
    assert keys[: len(kept)] == kept
    assert [key["Key"] for key in keys[len(kept) :]] == ["status", "ms"]
    assert "indexes" not in deploy(project)


# --- What is deployed already


def test_a_deployment_over_the_release_before_updates_in_place(project, scf):
    """The release before published version 1 with a fingerprint of its own making."""
    deploy(project)
    scf.versions["1"]["version_description"] = "manage.py deploy " + "0" * 64
    names = {trigger["TriggerName"] for trigger in scf.triggers}
    scf.calls.clear()
    deploy(project)
    assert {"CreateFunction", "PublishLayerVersion", "CreateTrigger", "DeleteTrigger"}.isdisjoint(scf.actions)
    assert (scf.function["FunctionName"], scf.alias["FunctionVersion"]) == ("survey-prod", "2")
    assert {trigger["TriggerName"] for trigger in scf.triggers} == names
    assert scf.alias["Description"] == "version 2, before it: 1"


def test_a_project_without_health_path_and_migrations_is_tried_at_its_root(project, scf):
    (project / "pyproject.toml").write_text("[tool.faaskit]\n", encoding="utf-8")
    seen = []

    def run(snapshot, event):
        seen.append(event["path"])
        return {**healthy(snapshot, event), "statusCode": 404}

    scf.run = run
    assert "Version 1 passes /." in deploy(project)
    assert seen == ["/"]


def test_a_project_without_a_layer_ships_one_archive(project, scf):
    (project / "deploy" / "layer" / "serverless.yml").unlink()
    (project / "build" / "layer.zip").unlink()
    text = (project / "serverless.yml").read_text(encoding="utf-8")
    start, end = text.index("  layers:\n"), text.index("  # The database's network")
    (project / "serverless.yml").write_text(text[:start] + text[end:], encoding="utf-8")
    deploy(project)
    assert (scf.live["Layers"], scf.layers, scf.live["content"]) == ([], {}, b"the first code")


# --- status


def test_the_status_is_one_screen(project, scf, capsys):
    deploy(project)
    build(project, b"the second code", b"the packages")
    deploy(project)
    scf.function["ClsTopicId"] = "topic-1"
    now = datetime.now(PLATFORM_TIME)
    for hours in range(7):  # the last is older than a day
        moment = now - timedelta(hours=4 * (hours + 1), minutes=1)
        own = {"level": "ERROR", "event": f"failed.{hours}", "SCF_Type": "Custom", "SCF_RequestId": "r-1"}
        own |= {"SCF_FunctionName": "survey-prod", "SCF_Namespace": "default", "exception": '[{"type": "E"}]'}
        scf.log_service.write(int(moment.timestamp() * 1000), own)
    output = "ok   database: answers\nFAIL mail queue: 3 queued, the oldest due for 900 s, 0 given up\n"
    scf.run = lambda snapshot, event: {"exit_code": 1, "output": output if event == {"manage": ["doctor"]} else ""}
    with faaskit(project, "status") as process:
        output = process.stdout.read()
        assert process.wait() == 0, process.stderr.read()
    assert [re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}", "TIME", line) for line in output.splitlines()] == [
        "function  survey-prod in ap-guangzhou: Active",
        "          Python3.10, 128 MB, 60 s",
        f"url       {URL}",
        "traffic   version 2, before it 1",
        "versions  2, 1",
        "log topic topic-1",
        "http      url-trigger: $DEFAULT",
        "timer     drain-outbox: 0 * * * * * * drain_outbox --seconds 45",
        "timer     update-figures: 30 * * * * * * update_figures --seconds 20",
        "timer     queue-digests: 15 * 8 * * * * queue_digests --seconds 40",
        "timer     erase-responses: 0 30 3 * * * * erase_responses --older-than 365",
        "errors    TIME ERROR   r-1 failed.4",
        *(f"          TIME ERROR   r-1 failed.{hours}" for hours in (3, 2, 1, 0)),
        "doctor    ok   database: answers",
        "          FAIL mail queue: 3 queued, the oldest due for 900 s, 0 given up",
    ]


def test_the_status_of_a_function_without_a_log_and_without_a_doctor(project, scf, capsys):
    (project / "pyproject.toml").write_text("[tool.faaskit]\n", encoding="utf-8")
    deploy(project)
    assert cli.main(["status", "--folder", str(project)]) == 0
    assert capsys.readouterr().out.endswith("errors    not known: there is no log topic\n")
    scf.function["ClsTopicId"] = "topic-1"
    assert cli.main(["status", "--folder", str(project)]) == 0
    assert capsys.readouterr().out.endswith("errors    none in the last 24 hours\n")


def test_a_status_whose_log_or_doctor_fails_says_so_and_shows_the_rest(project, scf, capsys):
    deploy(project)
    scf.function["ClsTopicId"] = "topic-1"

    def fail(snapshot, event):
        raise RuntimeError("out of memory")

    scf.run = fail
    scf.log_service.SearchLog = fail
    assert cli.main(["status", "--folder", str(project)]) == 0
    shown = capsys.readouterr().out
    assert "errors    not known: The API cannot be reached" in shown
    assert "doctor    out of memory\n" in shown


def test_the_status_of_a_missing_function_is_one_sentence(project, scf):
    with faaskit(project, "status") as process:
        assert process.stderr.read() == "There is no function survey-prod in ap-guangzhou.\n"
        assert process.wait() == 1


def test_a_dry_run_prints_valid_json_and_no_secret(project):
    for line in deploy(project, dry_run=True).splitlines():
        if " {" in line:
            json.loads(line.partition(" ")[2])


# --- Values that the project's settings refuse


@pytest.fixture
def with_settings(project):
    """Return the project with the real settings; the tests' folder has none, so that nothing is tried there."""
    (project / "mydjango").symlink_to(ROOT / "mydjango")
    (project / "survey").symlink_to(ROOT / "survey")
    return project


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("EMAIL_PORT", "abc", "EMAIL_PORT='abc' is not a whole number"),
        ("MYSQL_SSL", "no", "MYSQL_SSL='no' is neither 'disabled' nor 'preferred' nor the file of a CA's certificate"),
        ("MYSQL_SSL", "/var/user/missing.pem", "is neither 'disabled' nor"),
    ],
)
def test_a_value_that_the_settings_refuse_is_one_sentence_before_any_call(
    with_settings, scf, monkeypatch, name, value, sentence
):
    monkeypatch.setenv(name, value)
    with pytest.raises(CommandError, match=sentence):
        deploy(with_settings)
    assert scf.calls == []


def test_good_values_and_a_certificate_that_ships_are_deployed(with_settings, scf, monkeypatch):
    ships = with_settings / "build" / "function" / "certs"
    ships.mkdir(parents=True)
    shutil.copy(certifi.where(), ships / "ca.pem")
    monkeypatch.setenv("MYSQL_SSL", "/var/user/certs/ca.pem")
    monkeypatch.setenv("EMAIL_PORT", "587")
    assert deploy(with_settings).endswith(f"{URL}/\n")
