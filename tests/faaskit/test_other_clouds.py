"""deploy/aws and deploy/aliyun are valid, name existing files and configure the function as serverless.yml does."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

import index
from mydjango.settings import EMAIL_SECONDS
from survey.mail import outbox

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TEMPLATES = ("deploy/aws/template.yaml", "deploy/aliyun/s.yaml")
# Written by `package` (docs/package.md): folder and archive of the code, folder and archive of the packages.
CODE = {ROOT / "build" / name for name in ("function", "function.zip")}
LAYER = {ROOT / "build" / name for name in ("layer", "layer.zip")}
LINT = "import sys; from cfnlint.runner import main; sys.exit(main())"
# Login, mail and its links need these.
NEEDED = {
    *("SECRET_KEY", "MYSQL_HOST", "MYSQL_USER", "MYSQL_PASSWORD", "PUBLIC_URL"),
    *("EMAIL_HOST", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD", "DEFAULT_FROM_EMAIL", "DJANGO_SUPERUSER_PASSWORD"),
}
SECRETS = {"SecretKey", "MysqlPassword", "EmailHostPassword", "SuperuserPassword"}


class Loader(yaml.SafeLoader):
    """Read CloudFormation's short functions (`!Ref Name`) as their argument."""


Loader.add_multi_constructor("!", lambda loader, tag, node: getattr(node, "value", None))


def found(value: Any, names: set[str]) -> list[Any]:
    """Return every value of one of these keys, at any depth."""
    if isinstance(value, dict):
        own = [item for key, item in value.items() if key in names]
        return own + [entry for item in value.values() for entry in found(item, names)]
    return [entry for item in value for entry in found(item, names)] if isinstance(value, list) else []


def function(document: Any) -> dict[str, Any]:
    """Return the properties of the survey's function."""
    return (
        document["Resources"]["Survey"]["Properties"]
        if "Resources" in document
        else document["resources"]["survey"]["props"]
    )


def variables(document: Any) -> dict[str, Any]:
    """Return the environment of the function."""
    [environment] = found(function(document), {"Variables", "environmentVariables"})
    return environment


@pytest.fixture(params=TEMPLATES)
def template(request) -> tuple[Path, Any]:
    path = ROOT / request.param
    return path, yaml.load(path.read_text(encoding="utf-8"), Loader=Loader)


def test_the_handler_exists_in_index_py(template):
    assert found(function(template[1]), {"Handler", "handler"}) == ["index.main_handler"]
    assert callable(index.main_handler)


def test_the_runtime_is_a_python_that_the_project_runs_on(template):
    runtimes = [runtime for runtime in found(template[1], {"Runtime", "runtime"}) if isinstance(runtime, str)]
    assert runtimes
    for runtime in runtimes:
        match = re.fullmatch(r"python3\.(\d+)", runtime)
        assert match
        assert int(match[1]) >= 10


def test_code_and_layer_are_files_that_package_writes(template):
    path, document = template
    named = [place for place in found(document, {"CodeUri", "ContentUri", "code"}) if isinstance(place, str)]
    places = {(path.parent / place).resolve() for place in named}
    assert places <= CODE | LAYER
    assert places & CODE
    assert places & LAYER or "build/layer" in path.read_text(encoding="utf-8")


def test_the_layer_is_on_the_path(template):
    """`package` puts the packages at the root of the layer, as SCF needs them; the others need PYTHONPATH for it."""
    values = [value for value in found(template[1], {"PYTHONPATH"}) if isinstance(value, str)]
    assert values
    for value in values:
        assert "/opt" in value.split(":")


def test_the_allow_list_is_the_one_of_the_settings(template):
    assert "MANAGE_COMMANDS" not in template[0].read_text(encoding="utf-8")


def test_each_timer_names_a_command_of_the_allow_list(template):
    inputs = [json.loads(entry)["Message"] for entry in found(template[1], {"Input"})]
    commands = inputs + found(template[1], {"payload"})
    assert [command.split()[0] for command in commands] == [
        "drain_outbox",
        "update_figures",
        "queue_digests",
        "erase_responses",
    ]
    for command in commands:
        assert index.allowed(command.split())


def test_a_drain_ends_before_its_function_and_has_time_for_a_mail(template):
    [drain] = re.findall(r"drain_outbox --seconds=(\d+)", template[0].read_text(encoding="utf-8"))
    [timeout] = found(function(template[1]), {"Timeout", "timeout"})
    assert EMAIL_SECONDS < int(drain) == outbox.DELIVERY_SECONDS < timeout


def test_the_function_has_the_settings_of_login_mail_and_links(template):
    assert variables(template[1]).keys() >= NEEDED


@pytest.mark.parametrize(
    ("results", "status"),
    [
        ([{"exit_code": 0}, {"statusCode": 200}], "Succeeded"),
        ([{"exit_code": 1}], "Failed"),
        ([{"exit_code": 0}, {"statusCode": 503}], "Failed"),
    ],
)
def test_traffic_moves_to_a_version_that_migrated_and_is_healthy(
    monkeypatch: pytest.MonkeyPatch, results: list[dict[str, int]], status: str
) -> None:
    """The hook's own code runs; what AWS does is told."""
    template = yaml.load((ROOT / TEMPLATES[0]).read_text(encoding="utf-8"), Loader=Loader)
    aws = Aws(results)
    monkeypatch.setitem(sys.modules, "boto3", SimpleNamespace(client=lambda name: aws))
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("VERSION", "arn:aws:lambda:eu-west-1:1:function:survey:7")
    names: dict[str, Any] = {}
    exec(template["Resources"]["Verify"]["Properties"]["InlineCode"], names)
    names["handler"]({"DeploymentId": "d", "LifecycleEventHookExecutionId": "e"}, None)
    assert aws.statuses == [status]
    assert [event.get("manage", event.get("rawPath")) for event in aws.events] == [
        ["migrate", "--noinput"],
        "/healthz",
    ][: len(results)]
    if status == "Succeeded":
        assert index.handle_request(healthy, aws.events[1], None)["statusCode"] == 200


def healthy(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    assert (environ["PATH_INFO"], environ["wsgi.url_scheme"]) == ("/healthz", "https")
    start_response("200 OK", [])
    return [b""]


class Aws:
    """What the hook calls of Lambda and CodeDeploy."""

    def __init__(self, results: list[dict[str, int]]) -> None:
        self.results = iter(results)
        self.events: list[dict[str, Any]] = []
        self.statuses: list[str] = []

    def invoke(self, FunctionName: str, Payload: str) -> dict[str, Any]:
        assert FunctionName.endswith(":survey:7")
        self.events.append(json.loads(Payload))
        return {"Payload": io.StringIO(json.dumps(next(self.results)))}

    def put_lifecycle_event_hook_execution_status(self, status: str, **ids: str) -> None:
        assert ids == {"deploymentId": "d", "lifecycleEventHookExecutionId": "e"}
        self.statuses.append(status)


def test_the_aws_template_hides_its_secrets():
    parameters = yaml.load((ROOT / TEMPLATES[0]).read_text(encoding="utf-8"), Loader=Loader)["Parameters"]
    assert {name for name, parameter in parameters.items() if parameter.get("NoEcho")} == SECRETS


def test_cfn_lint_accepts_the_aws_template_and_its_runtime():
    template = ROOT / "deploy" / "aws" / "template.yaml"
    ended = subprocess.run([sys.executable, "-c", LINT, template], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout
    assert 'Path: "/{proxy+}"' in template.read_text(encoding="utf-8")
