"""`manage.py deploy` against an account on loopback: the order of its calls, and the traffic when one fails."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

import index
from faaskit import project as configuration
from faaskit.scf import upload
from tests.support.fake_scf import APPID, SECRET_ID, SECRET_KEY, FakeScf, healthy

ROOT = Path(__file__).parents[2]
RELEASE_BEFORE = Path(__file__).with_name("release_before")
NAME = "survey-prod"
TRIGGERS = (ROOT / "serverless.yml").read_text(encoding="utf-8").count("\n          qualifier: $DEFAULT\n")
FIRST_CALLS, SECOND_CALLS = 29 + TRIGGERS, 30
FIRST_PRUNE, SECOND_PRUNE = 28, 28  # the calls whose refusal a deployment survives
URL = f"https://{APPID}-abcdefghij.ap-guangzhou.tencentscf.com"
ENVIRON = {
    "TENCENT_SECRET_ID": SECRET_ID,
    "TENCENT_SECRET_KEY": SECRET_KEY,
    "SECRET_KEY": "of-the-project",
    "MYSQL_HOST": "10.0.0.2",
    "MYSQL_USER": "survey",
    "MYSQL_PASSWORD": "of-the-database",
    "VPC_ID": "vpc-1",
    "SUBNET_ID": "subnet-1",
}
FIRST = [
    "GetFunction",
    "ListLayerVersions",
    "PublishLayerVersion",
    "GetLayerVersion",
    "ListTriggers",
    "CreateFunction",
    "GetFunction",
    "GetFunctionAddress",
    "ListTriggers",
    "CreateTrigger",
    "ListTriggers",
    "UpdateFunctionConfiguration",
    "GetFunction",
    "PublishVersion",
    "GetFunction",
    "GetFunctionAddress",
    "Invoke",
    "UpdateAlias",
    "ListVersionByFunction",
    "ListTriggers",
    "CreateTrigger",
]
SECOND = [
    "GetFunction",
    "GetAlias",
    "GetFunction",
    "ListLayerVersions",
    "ListTriggers",
    "ListVersionByFunction",
    "UpdateFunctionCode",
    "GetFunction",
    "GetFunctionAddress",
    "UpdateFunctionConfiguration",
    "GetFunction",
    "PublishVersion",
    "GetFunction",
    "GetFunctionAddress",
    "Invoke",
    "UpdateAlias",
    "ListVersionByFunction",
    "ListTriggers",
]
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")  # the SDK's


@pytest.fixture
def scf():
    with FakeScf() as fake:
        yield fake


@pytest.fixture
def project(tmp_path, monkeypatch, scf):
    """Return a folder with the project's own serverless.yml and a small build; the environment names the fake."""
    (tmp_path / "deploy" / "layer").mkdir(parents=True)
    for name in ("serverless.yml", "deploy/layer/serverless.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    build(tmp_path, b"the first code", b"the packages")
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    for product in ("SCF", "CLS", "COS"):
        monkeypatch.setenv(f"{product}_ENDPOINT", scf.endpoint)
    for name in ("PUBLIC_URL", "REGION", "CODE_BUCKET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    return tmp_path


def build(folder: Path, function: bytes, layer: bytes) -> None:
    (folder / "build").mkdir(exist_ok=True)
    for name, content in (("function", function), ("layer", layer)):
        with zipfile.ZipFile(folder / "build" / f"{name}.zip", "w") as archive:
            archive.writestr(zipfile.ZipInfo("content"), content)


def deploy(folder: Path, **options) -> str:
    out = io.StringIO()
    call_command("deploy", folder=folder, stdout=out, **options)
    return out.getvalue()


def environment(snapshot) -> dict[str, str]:
    return {entry["Key"]: entry["Value"] for entry in snapshot["Environment"]["Variables"]}


def test_a_first_deployment_ends_with_a_verified_version_behind_the_url(project, scf):
    output = deploy(project)
    assert output.endswith(f"{URL}/\n")
    assert scf.actions == FIRST
    live = scf.live
    assert (scf.alias["FunctionVersion"], live["content"]) == ("1", b"the first code")
    assert (live["Runtime"], live["Handler"], live["Type"]) == ("Python3.10", "index.main_handler", "Event")
    assert (live["MemorySize"], live["Timeout"], live["InitTimeout"]) == (128, 60, 60)
    assert live["VpcConfig"] == {"VpcId": "vpc-1", "SubnetId": "subnet-1"}
    assert live["PublicNetConfig"]["PublicNetStatus"] == "ENABLE"  # mail must be able to leave the VPC
    assert live["Layers"] == [{"LayerName": "survey-layer-prod", "LayerVersion": 1}]
    assert scf.layers["survey-layer-prod"][0]["content"] == b"the packages"
    assert sorted((trigger["Type"], trigger["TriggerName"]) for trigger in scf.triggers) == [
        ("http", "url-trigger"),
        ("timer", "drain-outbox"),
        ("timer", "erase-responses"),
        ("timer", "queue-digests"),
        ("timer", "update-figures"),
    ]
    assert {trigger["Qualifier"] for trigger in scf.triggers} == {"$DEFAULT"}


def test_the_first_deployment_finds_the_url_and_gives_it_to_the_function(project, scf):
    deploy(project)
    assert environment(scf.live)["PUBLIC_URL"] == URL


def test_each_deployment_lets_the_pages_upload_to_the_bucket(project, scf, monkeypatch):
    monkeypatch.setenv("PHOTO_BUCKET_URL", f"https://photos-{APPID}.cos.ap-guangzhou.myqcloud.com")
    scf.buckets[f"photos-{APPID}"] = {}
    for _attempt in range(2):  # the second time the function has not changed
        assert f"Bucket photos-{APPID}: pages of {URL} may upload." in deploy(project)
        [rule] = scf.buckets[f"photos-{APPID}"].values()
        assert f"<AllowedOrigin>{URL}<".encode() in rule
        scf.buckets[f"photos-{APPID}"].clear()
    scf.buckets.clear()
    with pytest.raises(CommandError, match="Could not let pages upload to the bucket"):
        deploy(project)


def test_a_public_url_that_is_set_stays(project, scf, monkeypatch):
    monkeypatch.setenv("PUBLIC_URL", "https://survey.example.com")
    assert "https://survey.example.com/" in deploy(project)
    assert environment(scf.live)["PUBLIC_URL"] == "https://survey.example.com"


def test_unset_settings_are_reported_and_left_out(project, scf):
    output = deploy(project)
    assert re.search(r"Not set, so left at their defaults: \d\d optional settings \('-v 2' names them\)\.\n", output)
    assert "EMAIL_HOST" not in output
    assert "Not set, so left at their defaults: PUBLIC_URL, " in deploy(project, verbosity=2)
    variables = environment(scf.live)
    assert (variables["SECRET_KEY"], variables["MYSQL_HOST"]) == ("of-the-project", "10.0.0.2")
    assert "EMAIL_HOST" not in variables


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_required_setting_that_is_missing_stops_before_the_first_call(project, scf, monkeypatch, dry_run):
    monkeypatch.delenv("SECRET_KEY")
    monkeypatch.setenv("MYSQL_PASSWORD", "")
    with pytest.raises(CommandError, match=r"^Required and not set: SECRET_KEY, MYSQL_PASSWORD\. Put them into "):
        deploy(project, dry_run=dry_run)
    assert scf.calls == []


def test_a_table_that_cannot_be_read_is_one_sentence(project, scf):
    (project / "pyproject.toml").write_text("[tool.faaskit]\nrequired = 1\n", encoding="utf-8")
    with pytest.raises(CommandError, match=r"required of \[tool\.faaskit\] must be a list of strings"):
        deploy(project)
    assert scf.calls == []


def test_the_required_settings_are_those_of_serverless_yml():
    [block] = re.findall(r"# Required\.\n(.+?)\n\n", (ROOT / "serverless.yml").read_text(encoding="utf-8"), re.DOTALL)
    assert tuple(re.findall(r"^ +(\w+): ", block, re.MULTILINE)) == configuration.read(ROOT).required


@pytest.fixture
def staging(project):
    """Return a copy of the project; only the function's file names the stage."""
    folder = project / "staging"
    folder.mkdir()
    shutil.copy(project / "serverless.yml", folder)
    for name in ("deploy/layer", "build"):
        shutil.copytree(project / name, folder / name)
    change(folder / "serverless.yml", "stage: prod", "stage: staging")
    return folder


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_copy_of_the_folder_with_another_stage_has_its_own_function_and_layer(staging, scf):
    assert deploy(staging).endswith(f"{URL}/\n")
    assert scf.function["FunctionName"] == "survey-staging"
    assert scf.live["Layers"] == [{"LayerName": "survey-layer-staging", "LayerVersion": 1}]
    assert list(scf.layers) == ["survey-layer-staging"]


def test_removing_the_copy_leaves_the_layer_of_production(staging, scf):
    scf.layers["survey-layer-prod"] = [{"LayerVersion": 1}]
    deploy(staging)
    deploy(staging, remove=True, noinput=True)
    assert scf.layers == {"survey-layer-prod": [{"LayerVersion": 1}], "survey-layer-staging": []}


def test_a_missing_file_of_the_layer_is_an_error_that_names_it(staging, scf):
    shutil.rmtree(staging / "deploy" / "layer")
    with pytest.raises(CommandError, match=r"deploy/layer/serverless\.yml is missing: layer survey-layer-"):
        deploy(staging)


def test_a_layer_of_another_name_is_an_error_that_names_both(staging, scf):
    change(staging / "deploy" / "layer" / "serverless.yml", "name: survey-layer\n", "name: packages\n")
    with pytest.raises(CommandError, match=r"describes layer packages-staging, wanted survey-layer-staging\."):
        deploy(staging)


def test_a_second_deployment_without_a_change_changes_nothing(project, scf):
    deploy(project)
    before = (dict(scf.alias), dict(scf.versions), list(scf.triggers), dict(scf.layers))
    scf.calls.clear()
    assert "already is this code" in deploy(project)
    assert (scf.alias, scf.versions, scf.triggers, scf.layers) == before
    assert all(action.startswith(("Get", "List")) for action in scf.actions)


def test_new_code_becomes_a_version_with_the_same_layer(project, scf):
    deploy(project)
    scf.calls.clear()
    build(project, b"the second code", b"the packages")
    deploy(project)
    assert scf.actions == SECOND
    assert (scf.alias["FunctionVersion"], scf.live["content"]) == ("2", b"the second code")
    assert len(scf.layers["survey-layer-prod"]) == 1


def test_new_packages_make_a_new_layer_version_and_a_new_function_version(project, scf):
    deploy(project)
    build(project, b"the first code", b"other packages")
    deploy(project)
    assert scf.live["Layers"] == [{"LayerName": "survey-layer-prod", "LayerVersion": 2}]


def test_a_deployment_over_the_release_before_updates_it_in_place(project, scf):
    for name in ("serverless.yml", "deploy/layer/serverless.yml"):
        shutil.copy(RELEASE_BEFORE / name.removeprefix("deploy/"), project / name)
    deploy(project)
    before = {trigger["TriggerName"] for trigger in scf.triggers}
    scf.calls.clear()
    for name in ("serverless.yml", "deploy/layer/serverless.yml"):
        shutil.copy(ROOT / name, project / name)
    build(project, b"this release", b"its packages")
    assert deploy(project).endswith(f"{URL}/\n")
    changes = {action for action in scf.actions if action.startswith(("Create", "Delete"))}
    assert changes <= {"CreateTrigger"}
    assert before <= {trigger["TriggerName"] for trigger in scf.triggers}
    assert (scf.alias["FunctionVersion"], scf.live["content"]) == ("2", b"this release")
    assert scf.live["Layers"] == [{"LayerName": "survey-layer-prod", "LayerVersion": 2}]
    assert list(scf.layers) == ["survey-layer-prod"]


def test_a_changed_setting_makes_a_new_version(project, scf, monkeypatch):
    deploy(project)
    monkeypatch.setenv("EMAIL_HOST", "smtp.example.com")
    deploy(project)
    assert scf.alias["FunctionVersion"] == "2"
    assert environment(scf.live)["EMAIL_HOST"] == "smtp.example.com"


def test_triggers_follow_the_file(project, scf):
    deploy(project)
    path = project / "serverless.yml"
    text = path.read_text(encoding="utf-8")
    start = text.index("    - timer:", text.index("    - timer:") + 1)
    path.write_text(text[:start].replace("0 * * * * * *", "30 * * * * * *"), encoding="utf-8")
    output = deploy(project)
    assert "updated drain-outbox" in output
    assert "deleted erase-responses" in output
    timers = [trigger for trigger in scf.triggers if trigger["Type"] == "timer"]
    assert [json.loads(trigger["TriggerDesc"])["cron"] for trigger in timers] == ["30 * * * * * *"]


def test_the_alias_moves_only_after_the_new_version_has_migrated_and_is_healthy(project, scf):
    seen = []

    def function(snapshot, event):
        seen.append((snapshot["content"], event.get("manage") or event["path"], scf.alias["FunctionVersion"]))
        return healthy(snapshot, event)

    deploy(project)
    build(project, b"the second code", b"the packages")
    scf.run = function
    deploy(project)
    assert seen == [
        (b"the second code", ["migrate", "--noinput"], "1"),
        (b"the second code", "/healthz", "1"),
    ]


def broken(outcome):
    """Return a function whose second code ends each event with `outcome`."""

    def run(snapshot, event):
        if snapshot["content"] == b"the second code":
            return outcome(event)
        return healthy(snapshot, event)

    return run


def raises(event):
    raise RuntimeError("No module named 'django'")


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        (lambda event: {"exit_code": 1, "output": "no such table"}, "Could not migrate the database: .*no such table"),
        (lambda event: {"exit_code": 126, "output": "MANAGE_COMMANDS does not allow"}, "MANAGE_COMMANDS does not"),
        (raises, "Could not migrate the database: .*No module named 'django'"),
        (
            lambda event: {"exit_code": 0, "output": ""} if "manage" in event else {"statusCode": 500, "body": "Oops"},
            "Could not verify the new version: version 2, /healthz: 500: Oops",
        ),
        (
            lambda event: {"exit_code": 0, "output": ""} if "manage" in event else {"statusCode": 503, "body": "down"},
            "Could not verify the new version: version 2, /healthz: 503",
        ),
    ],
)
def test_a_broken_version_never_receives_traffic(project, scf, outcome, sentence):
    deploy(project)
    build(project, b"the second code", b"the packages")
    scf.run = broken(outcome)
    with pytest.raises(CommandError, match=sentence) as error:
        deploy(project)
    assert "Version 1 receives traffic." in str(error.value)
    assert "START" in str(error.value)  # the log's tail
    assert scf.live["content"] == b"the first code"


def test_the_health_check_waits_for_a_database_that_resumes(project, scf):
    statuses = iter([503, 200])

    def run(snapshot, event):
        return {"exit_code": 0, "output": ""} if "manage" in event else {"statusCode": next(statuses)}

    scf.run = run
    deploy(project)
    assert scf.alias["FunctionVersion"] == "1"


@pytest.mark.parametrize("step", [step for step in range(FIRST_CALLS) if step != FIRST_PRUNE])
def test_whichever_call_of_the_first_deployment_fails_the_next_one_completes_it(project, scf, step):
    scf.fail_at = step
    with pytest.raises(CommandError, match="InternalError") as error:
        deploy(project)
    assert "Run the same command again" in str(error.value) or "deploy again" in str(error.value)
    assert "of-the-database" not in str(error.value)
    assert deploy(project).endswith(f"{URL}/\n")
    assert scf.live["content"] == b"the first code"
    assert environment(scf.live)["PUBLIC_URL"] == URL
    assert len(scf.triggers) == TRIGGERS


@pytest.mark.parametrize("step", [step for step in range(SECOND_CALLS) if step != SECOND_PRUNE])
def test_whichever_call_of_an_update_fails_traffic_goes_to_the_old_version_or_the_whole_new_one(project, scf, step):
    deploy(project)
    build(project, b"the second code", b"new packages")
    scf.calls.clear()
    scf.fail_at = step
    with pytest.raises(CommandError, match="InternalError") as error:
        deploy(project)
    succeeded = [action for action, _ in scf.calls[:-1]]
    moved = "UpdateAlias" in succeeded
    assert scf.live["content"] == (b"the second code" if moved else b"the first code")
    assert succeeded.count("Invoke") == 2 or not moved
    if "GetAlias" in succeeded:
        assert f"Version {'2' if moved else '1'} receives traffic." in str(error.value)
    deploy(project)
    assert scf.live["content"] == b"the second code"
    assert scf.live["Layers"] == [{"LayerName": "survey-layer-prod", "LayerVersion": 2}]


def test_the_two_tests_above_fail_every_call(project, scf):
    deploy(project)
    first = len(scf.calls)
    build(project, b"the second code", b"new packages")
    deploy(project)
    assert (first, len(scf.calls) - first) == (FIRST_CALLS, SECOND_CALLS)
    pruned = [position for position, (action, _) in enumerate(scf.calls) if action == "ListVersionByFunction"]
    assert pruned == [FIRST_PRUNE, first + 10, first + SECOND_PRUNE]


def test_latest_with_traffic_is_published_before_it_is_updated(project, scf):
    """`scf deploy` leaves the triggers on the default alias, which points at $LATEST."""
    deploy(project)
    scf.alias = {"FunctionVersion": "$LATEST", "Name": "$DEFAULT", "Description": ""}
    build(project, b"the second code", b"the packages")
    scf.run = broken(lambda event: {"exit_code": 1, "output": "no such table"})
    with pytest.raises(CommandError, match=r"Version 2 receives traffic\."):
        deploy(project)
    assert scf.live["content"] == b"the first code"


def test_an_interrupted_deployment_continues_when_repeated(project, scf, monkeypatch):
    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    with (
        monkeypatch.context() as patch,
        pytest.raises(CommandError, match=r"Interrupted\. No version receives traffic\. Run the same"),
    ):
        patch.setattr("time.sleep", interrupt)
        deploy(project)
    deploy(project)
    assert scf.live["content"] == b"the first code"


def test_a_rollback_moves_traffic_to_the_version_before_and_a_second_one_back(project, scf):
    deploy(project)
    build(project, b"the second code", b"the packages")
    deploy(project)
    assert "Version 1 receives traffic." in deploy(project, rollback="")
    assert scf.live["content"] == b"the first code"
    assert "Version 2 receives traffic." in deploy(project, rollback="")
    assert "Version 1 receives traffic." in deploy(project, rollback="1")


def test_a_rollback_without_a_version_before_is_an_error(project, scf):
    deploy(project)
    with pytest.raises(CommandError, match="No version before 1 is known"):
        deploy(project, rollback="")


def test_a_rollback_to_a_broken_version_is_an_error(project, scf):
    deploy(project)
    build(project, b"the second code", b"the packages")
    deploy(project)
    scf.run = lambda snapshot, event: {"statusCode": 500, "body": "Oops"}
    with pytest.raises(CommandError, match=r"Could not verify the version: .*500"):
        deploy(project, rollback="")


def test_after_a_rollback_the_same_build_deploys_again(project, scf):
    deploy(project)
    build(project, b"the second code", b"the packages")
    deploy(project)
    deploy(project, rollback="")
    deploy(project)
    assert (scf.alias["FunctionVersion"], scf.live["content"]) == ("3", b"the second code")


def test_only_the_last_versions_are_kept(project, scf):
    for number in range(10):
        build(project, b"code %d" % number, b"the packages")
        deploy(project)
    assert sorted(scf.versions, key=int) == ["4", "5", "6", "7", "8", "9", "10"]


def test_remove_deletes_everything_and_may_be_repeated(project, scf):
    deploy(project)
    deploy(project, remove=True, noinput=True)
    assert (scf.function, scf.versions, scf.triggers, scf.layers) == (None, {}, [], {"survey-layer-prod": []})
    assert "There is no function" in deploy(project, remove=True, noinput=True)


def test_remove_asks_for_the_name(project, scf, monkeypatch):
    deploy(project)
    monkeypatch.setattr("builtins.input", lambda question: "yes")
    with pytest.raises(CommandError, match="Nothing was deleted"):
        deploy(project, remove=True)
    assert scf.function is not None


def test_a_dry_run_prints_the_calls_and_changes_nothing(project, scf):
    output = deploy(project, dry_run=True)
    printed = [line.partition(" {")[0] for line in output.splitlines() if " {" in line]
    assert printed == [
        "PublishLayerVersion",
        "CreateFunction",
        "CreateTrigger",
        "UpdateFunctionConfiguration",
        "PublishVersion",
        "Invoke",
        "Invoke",
        "UpdateAlias",
        "CreateTrigger",
        "CreateTrigger",
        "CreateTrigger",
        "CreateTrigger",
    ]
    assert "A dry run: nothing was sent, and the account was not looked at." in output
    assert "receives traffic" not in output
    assert scf.calls == []


@pytest.mark.parametrize("name", ["function.zip", "layer.zip"])
def test_an_archive_that_is_no_zip_file_fails_a_dry_run(project, name):
    (project / "build" / name).write_bytes(b"no zip")
    with pytest.raises(CommandError, match=f"{name} is not a zip file: run 'package' again.$"):
        deploy(project, dry_run=True)


def test_a_dry_run_needs_no_account(project, scf, monkeypatch):
    monkeypatch.delenv("TENCENT_SECRET_ID")
    assert "CreateFunction" in deploy(project, dry_run=True)
    assert scf.calls == []


def test_an_unreachable_api_is_one_sentence(project, monkeypatch):
    monkeypatch.setenv("SCF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(CommandError, match=r"^The API cannot be reached: Connection refused\.$"):
        deploy(project)


def test_a_network_failure_names_the_version_with_traffic_and_the_next_command(project, scf, monkeypatch):
    deploy(project)
    build(project, b"the second code", b"the packages")

    def unplug(**parameters):
        raise ConnectionResetError  # the server's thread ends without a response

    monkeypatch.setattr(scf, "ListTriggers", unplug)
    with pytest.raises(
        CommandError, match=r"The API cannot be reached: .*\nVersion 1 receives traffic\. Run the same command"
    ):
        deploy(project)


def test_no_secret_is_ever_printed(project, scf, capfd):
    output = deploy(project, dry_run=True) + deploy(project)
    output += "".join(capfd.readouterr())
    for secret in (SECRET_ID, SECRET_KEY, "of-the-project", "of-the-database"):
        assert secret not in output


def test_keys_may_come_from_the_env_file(project, scf, monkeypatch):
    monkeypatch.delenv("TENCENT_SECRET_ID")
    monkeypatch.delenv("TENCENT_SECRET_KEY")
    lines = [f"TENCENT_SECRET_ID={SECRET_ID}", f"TENCENT_SECRET_KEY={SECRET_KEY}", ""]
    (project / ".env").write_text("\n".join(lines), encoding="utf-8")
    deploy(project)
    assert scf.alias["FunctionVersion"] == "1"


def test_missing_keys_are_one_sentence_that_says_where_to_put_them(project, scf, monkeypatch):
    monkeypatch.delenv("TENCENT_SECRET_KEY")
    with pytest.raises(CommandError, match="TENCENT_SECRET_ID and TENCENT_SECRET_KEY are not set"):
        deploy(project)


def test_a_wrong_key_is_explained_without_the_key(project, scf, monkeypatch):
    monkeypatch.setenv("TENCENT_SECRET_KEY", "wrong-key")
    with pytest.raises(CommandError, match="AuthFailure") as error:
        deploy(project)
    assert "Check TENCENT_SECRET_ID" in str(error.value)
    assert "wrong-key" not in str(error.value)


def test_a_missing_build_is_one_sentence_with_the_command(project, scf):
    (project / "build" / "function.zip").unlink()
    with pytest.raises(CommandError, match="run 'package' first"):
        deploy(project)
    assert scf.calls == []


def test_another_runtime_cannot_be_changed_and_is_explained(project, scf):
    deploy(project)
    scf.function["Runtime"] = "Python3.6"
    with pytest.raises(CommandError, match=r"Runtime is Python3\.6, not Python3\.10, and cannot be changed"):
        deploy(project)


def test_a_function_whose_creation_failed_is_created_again(project, scf):
    deploy(project)
    scf.function["Status"] = "CreateFailed"
    deploy(project)
    assert scf.live["content"] == b"the first code"


def test_an_archive_over_the_limit_goes_through_cos(project, scf, monkeypatch):
    monkeypatch.setattr(upload, "INLINE_LIMIT", 5)
    monkeypatch.setenv("CODE_BUCKET", f"survey-code-{APPID}")
    deploy(project)
    code = dict(scf.calls[[action for action, _ in scf.calls].index("CreateFunction")][1])["Code"]
    assert set(code) == {"CosBucketName", "CosObjectName", "CosBucketRegion"}
    assert scf.live["content"] == b"the first code"


def test_an_archive_over_the_limit_without_a_bucket_is_explained(project, scf, monkeypatch):
    monkeypatch.setattr(upload, "INLINE_LIMIT", 5)
    with pytest.raises(CommandError, match="set CODE_BUCKET"):
        deploy(project)


def run_index(snapshot, event):
    """Call the project's own handler in the fake's thread, as the platform would."""
    try:
        return index.main_handler(event, {"request_id": "r-1"})
    finally:
        connections.close_all()


@pytest.mark.django_db(transaction=True)
def test_index_py_handles_the_events_of_a_deployment(project, scf, bridge_setting):
    bridge_setting("PUBLIC_URL", "http://testserver")
    scf.run = run_index
    output = deploy(project)
    assert "The database is migrated." in output
    assert "Version 1 passes /healthz." in output


def test_deployment_imports_neither_django_nor_the_project():
    modules = sorted(path.stem for path in (ROOT / "faaskit" / "scf").glob("[!_]*.py"))
    code = f"import sys; from faaskit.scf import {', '.join(modules)}; print(*sys.modules)"
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    imported = {name.partition(".")[0] for name in ended.stdout.split()}
    assert "faaskit" in imported
    assert not imported & {"django", "mydjango", "survey"}
