"""`deploy --policy`: the permissions of the calls that deployments make, and no others."""

from __future__ import annotations

import json

import pytest

from faaskit import cli
from faaskit.scf import policy
from faaskit.scf.api import PRODUCTS
from tests.faaskit.test_deploy import ENVIRON, build, change, deploy, project, scf

__all__ = ["project", "scf"]  # the fixtures
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")  # the SDK's
CLS = "  cls:\n    logsetId: ${env:CLS_LOGSET_ID}\n    topicId: ${env:CLS_TOPIC_ID}\n"


def printed(folder, capsys) -> dict:
    capsys.readouterr()
    assert cli.main(["deploy", "--policy", "--folder", str(folder)]) == 0
    return json.loads(capsys.readouterr().out)


def resources(printed: dict) -> dict[str, list[str]]:
    """Return the resources of each action; an action stands in one statement."""
    assert printed["version"] == "2.0"
    assert all(statement["effect"] == "allow" for statement in printed["statement"])
    names = [name for statement in printed["statement"] for name in statement["action"]]
    assert len(names) == len(set(names))
    return {name: statement["resource"] for statement in printed["statement"] for name in statement["action"]}


def received(scf) -> set[str]:
    """Return the names in CAM of the actions that the API received."""
    product = {action: name for name, (_version, actions) in PRODUCTS.items() for action in actions}
    return {f"{product[action]}:{policy.CAM_NAMES.get(action, action)}" for action in scf.actions}


@pytest.mark.parametrize(
    "log", ["  cls: auto\n", "  cls: {logsetId: logset-1, topicId: topic-1}\n"], ids=["auto", "own"]
)
def test_the_actions_are_exactly_those_that_the_api_receives(project, scf, capsys, monkeypatch, log):
    """Deploy, update all that can differ, prune, try a canary, roll back, read the log and the status, invoke."""
    change(project / "serverless.yml", CLS, log)
    deploy(project)
    for index in scf.log_service.indexes.values():
        index["KeyValue"]["KeyValues"] = []
    change(project / "serverless.yml", "name: queue-digests", "name: queue-digests-renamed")
    change(project / "serverless.yml", "cronExpression: '0 * * * * * *'", "cronExpression: '5 * * * * * *'")
    for number in range(8):
        build(project, b"code %d" % number, b"the packages")
        deploy(project)
    monkeypatch.setattr("faaskit.scf.canary.LEAST", 0)
    build(project, b"the last code", b"the packages")
    folder = ["--folder", str(project)]
    assert cli.main(["deploy", "--canary", "5", "--watch", "15s", *folder]) == 0
    for arguments in (["rollback"], ["status"], ["logs", "--no-follow"], ["invoke", "--remote", "--manage", "doctor"]):
        assert cli.main([*arguments, *folder]) == 0
    assert set(resources(printed(project, capsys))) == received(scf)


def test_resources_are_narrowed_to_the_function_the_topic_and_the_bucket(project, scf, capsys, monkeypatch):
    change(project / "serverless.yml", CLS, "  cls: {logsetId: logset-1, topicId: topic-1}\n  role: survey-role\n")
    change(project / "serverless.yml", "  role: ${env:FUNCTION_ROLE}\n", "")
    monkeypatch.setenv("CODE_BUCKET", "code-1250000000")
    monkeypatch.setenv("PHOTO_BUCKET_URL", "https://photos-1250000000.cos.ap-shanghai.myqcloud.com")
    found = resources(printed(project, capsys))
    function = ["qcs::scf:ap-guangzhou::namespace/default/function/survey-prod"]
    assert found["scf:CreateFunction"] == found["scf:UpdateFunctionCode"] == function
    assert found["cls:SearchLog"] == ["qcs::cls:ap-guangzhou::topic/topic-1"]
    assert found["name/cos:PutObject"] == ["qcs::cos:ap-guangzhou:uid/1250000000:code-1250000000/*"]
    assert found["name/cos:PutBucketCORS"] == ["qcs::cos:ap-shanghai:uid/1250000000:photos-1250000000/*"]
    assert found["cam:PassRole"] == ["qcs::cam::uin/:roleName/survey-role"]
    assert found["scf:UpdateAlias"] == ["*"]
    assert scf.calls == []


def test_the_policy_needs_no_keys_and_shows_no_value(project, scf, capsys, monkeypatch):
    monkeypatch.delenv("TENCENT_SECRET_ID")
    monkeypatch.delenv("TENCENT_SECRET_KEY")
    text = json.dumps(printed(project, capsys))
    assert not [name for name, value in ENVIRON.items() if name != "MYSQL_USER" and value in text]
    assert 'scf:DeleteFunction"' not in text  # a deployment deletes no function
    assert scf.calls == []


def test_the_bucket_to_which_pages_upload_gets_its_rule(project, scf, capsys, monkeypatch):
    monkeypatch.setenv("PHOTO_BUCKET_URL", "https://photos-1250000000.cos.ap-beijing.myqcloud.com")
    granted = resources(printed(project, capsys))
    assert granted["name/cos:PutBucketCORS"] == ["qcs::cos:ap-beijing:uid/1250000000:photos-1250000000/*"]
