"""serverless.yml and deploy/layer/serverless.yml are complete and describe the same function to Tencent's component."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import index
from faaskit import function_config
from faaskit.scf import parameters, triggers
from faaskit.scf.parameters import configuration, create_function
from mydjango.settings import EMAIL_SECONDS
from survey.mail import outbox

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
COMPONENT = ROOT / "tests" / "component"
NODE_MODULES = ROOT / "tests" / "node_modules"

# The inputs of component scf (Tencent 1154/42990, and the toolkit's formatInputs), of layer, and of the two triggers.
FUNCTION_FIELDS = {
    *("name", "description", "region", "type", "handler", "runtime", "src", "memorySize", "timeout", "initTimeout"),
    *("layers", "vpcConfig", "publicAccess", "role", "cls", "environment", "events"),
    "instanceConcurrencyConfig",
}
LAYER_FIELDS = {"name", "description", "region", "src", "runtimes"}
HTTP_FIELDS = {"qualifier", "authType", "netConfig", "corsConfig", "name", "enable"}
TIMER_FIELDS = {"name", "cronExpression", "argument", "enable", "qualifier"}

# Settings that a function on the platform, whose instances serve one request at a time, does not use; and the
# allow-list of commands, which stands in mydjango/settings.py alone.
NOT_DEPLOYED = {"DEBUG", "PHOTO_FOLDER", "SQLITE_PATH", "LEXICON_DIR", "WSGI_MULTITHREAD", "MANAGE_COMMANDS"}
ENVIRON = {
    "SECRET_KEY": "s",
    "MYSQL_HOST": "10.0.0.2",
    "VPC_ID": "vpc-1",
    "SUBNET_ID": "subnet-1",
    "REGION": "ap-beijing",
}


def document(name: str) -> dict[str, Any]:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def without_unset(value: Any) -> Any:
    """Remove empty values, as the component's command line does."""
    if isinstance(value, dict):
        return {key: without_unset(item) for key, item in value.items() if item != ""}
    return [without_unset(item) for item in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def config():
    return function_config.load(ROOT / "serverless.yml", ENVIRON)


@pytest.fixture(scope="module")
def layer_config():
    return function_config.load(ROOT / "deploy" / "layer" / "serverless.yml", ENVIRON)


def test_every_field_is_one_that_the_component_knows():
    function, layer = document("serverless.yml"), document("deploy/layer/serverless.yml")
    for file in (function, layer):
        assert set(file) == {"component", "app", "name", "stage", "inputs"}
    assert (function["component"], layer["component"]) == ("scf", "layer")
    assert set(function["inputs"]) <= FUNCTION_FIELDS
    assert set(layer["inputs"]) <= LAYER_FIELDS
    assert function["inputs"]["src"] == "./build/function"
    assert set(layer["inputs"]["src"]) == {"src", "targetDir"}
    for event in function["inputs"]["events"]:
        [(kind, section)] = event.items()
        assert set(section) == {"parameters"}
        assert set(section["parameters"]) <= {"http": HTTP_FIELDS, "timer": TIMER_FIELDS}[kind]


def test_the_function_reads_the_version_of_the_layer_that_the_other_file_describes(config, layer_config):
    assert config.inputs["layers"] == [
        {"name": layer_config.name, "version": "${output:prod:survey:survey-layer.version}"}
    ]
    function, layer = document("serverless.yml"), document("deploy/layer/serverless.yml")
    assert (layer["name"], layer["app"], layer["stage"]) == ("survey-layer", function["app"], function["stage"])


def test_the_function_is_within_the_limits_of_the_platform(config):
    assert config.memory == 64 or config.memory % 128 == 0
    assert 1 <= config.timeout <= 900
    assert 3 <= config.init_timeout <= 300
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]{0,58}[A-Za-z0-9]", config.name)
    assert config.inputs["runtime"] == "Python3.10"


def test_every_setting_of_the_project_is_in_the_file():
    sources = [path for folder in ("mydjango", "survey") for path in (ROOT / folder).rglob("*.py")]
    reading = re.compile(r'environment\.(?:text|flag|integer)\(\s*"([A-Z_]+)"')
    read = {name for path in sources for name in reading.findall(path.read_text(encoding="utf-8"))}
    read |= set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", index.__doc__))  # lists the settings of the bridge
    assert {"SECRET_KEY", "MYSQL_SSL", "STRIP_STAGE_PATH"} <= read
    assert read - NOT_DEPLOYED - set(document("serverless.yml")["inputs"]["environment"]["variables"]) == set()


def test_secrets_come_from_the_environment_alone():
    variables = document("serverless.yml")["inputs"]["environment"]["variables"]
    for name, value in variables.items():
        assert name == "ERROR_PAGE" or value == f"${{env:{name}}}"


def test_the_timers_are_on_and_their_commands_are_allowed(config):
    assert {timer.message: timer.cron for timer in config.timers if timer.enabled} == {
        "drain_outbox --seconds 45": "0 * * * * * *",
        "update_figures --seconds 20": "30 * * * * * *",
        "queue_digests --seconds 40": "15 * 8 * * * *",
        "erase_responses --older-than 365": "0 30 3 * * * *",
    }
    assert EMAIL_SECONDS < outbox.DELIVERY_SECONDS == 45 < config.timeout
    for timer in config.timers:
        assert index.allowed(timer.message.split())
    assert index.allowed(["migrate", "--noinput"])
    assert not index.allowed(["migrate", "survey", "zero"])


@pytest.fixture(scope="module")
def component_requests(config, layer_config) -> list[tuple[str, dict[str, Any]]]:
    """Return the requests that Tencent's component forms from the two files, recorded in Node."""
    return recorded(config, layer_config)


def recorded(config, layer_config) -> list[tuple[str, dict[str, Any]]]:
    if not shutil.which("node") or not NODE_MODULES.is_dir():
        reason = "needs Node and 'npm ci --prefix tests --ignore-scripts'"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    inputs = without_unset(config.inputs)
    inputs["layers"][0]["version"] = 7  # the cloud's value of ${output:…}
    ended = subprocess.run(
        ["node", str(COMPONENT / "requests.js")],
        input=json.dumps({"function": inputs, "layer": without_unset(layer_config.inputs)}),
        capture_output=True,
        text=True,
        check=True,
    )
    return [(action, parameters) for action, parameters in json.loads(ended.stdout)]


def parameters_of(requests: list[tuple[str, dict[str, Any]]], action: str) -> list[dict[str, Any]]:
    return [parameters for name, parameters in requests if name == action]


def test_the_component_creates_the_function_that_the_file_describes(component_requests, config):
    [request] = parameters_of(component_requests, "CreateFunction")
    expected = {
        "FunctionName": "survey-prod",
        "Type": "Event",
        "Handler": "index.main_handler",
        "Runtime": "Python3.10",
        "MemorySize": 128,
        "Timeout": 60,
        "InitTimeout": 60,
        "Layers": [{"LayerName": "survey-layer-prod", "LayerVersion": 7}],
        "VpcConfig": {"VpcId": "vpc-1", "SubnetId": "subnet-1"},
    }
    assert expected.items() <= request.items()
    assert request["PublicNetConfig"]["PublicNetStatus"] == "ENABLE"
    assert {entry["Key"]: entry["Value"] for entry in request["Environment"]["Variables"]} == config.environment


def test_the_component_publishes_the_layer_that_the_file_describes(component_requests):
    [request] = parameters_of(component_requests, "PublishLayerVersion")
    assert (request["LayerName"], request["CompatibleRuntimes"]) == ("survey-layer-prod", ["Python3.10"])


def test_the_component_creates_the_url_and_the_timers_on_the_default_alias(component_requests):
    http, drain, figures, digests, erase = parameters_of(component_requests, "CreateTrigger")
    assert json.loads(http["TriggerDesc"]) == {
        "AuthType": "NONE",
        "NetConfig": {"EnableIntranet": False, "EnableExtranet": True},
    }
    assert (http["Type"], http["Qualifier"], http["Enable"]) == ("http", "$DEFAULT", "OPEN")
    for timer, cron, argument in (
        (drain, "0 * * * * * *", "drain_outbox --seconds 45"),
        (figures, "30 * * * * * *", "update_figures --seconds 20"),
        (digests, "15 * 8 * * * *", "queue_digests --seconds 40"),
        (erase, "0 30 3 * * * *", "erase_responses --older-than 365"),
    ):
        assert (timer["Type"], timer["Qualifier"], timer["Enable"]) == ("timer", "$DEFAULT", "OPEN")
        assert (timer["TriggerDesc"], timer["CustomArgument"]) == (cron, argument)


def test_manage_deploy_creates_the_same_function_as_the_component(component_requests, config):
    [theirs] = parameters_of(component_requests, "CreateFunction")
    layers = [{"LayerName": "survey-layer-prod", "LayerVersion": 7}]
    ours = create_function(config, configuration(config, config.environment, layers))
    # The component also sends the platform's defaults, and the code through COS.
    defaults = {"DeployMode": "code", "L5Enable": "FALSE", "InstallDependency": "FALSE", "DiskSize": 512}
    assert defaults.items() <= theirs.items()
    assert {key: value for key, value in theirs.items() if key not in {*defaults, "Code"}} == ours
    for their, our in zip(parameters_of(component_requests, "CreateTrigger"), triggers.wanted(config), strict=True):
        assert {**our, "FunctionName": "survey-prod", "Namespace": "default"} == {
            **their,
            "TriggerDesc": our["TriggerDesc"],
        }
        assert their["TriggerDesc"].replace(" ", "") == our["TriggerDesc"].replace(" ", "")


def test_the_component_makes_the_same_web_function_of_the_one_line(tmp_path, layer_config):
    text = (ROOT / "serverless.yml").read_text(encoding="utf-8")
    (tmp_path / "serverless.yml").write_text(text.replace("\n  type: event\n", "\n  type: web\n"), encoding="utf-8")
    config = function_config.load(tmp_path / "serverless.yml", ENVIRON)
    [theirs] = parameters_of(recorded(config, layer_config), "CreateFunction")
    web = parameters.web_config(config)
    layers = [{"LayerName": "survey-layer-prod", "LayerVersion": 7}]
    ours = create_function(web, configuration(web, web.environment, layers))
    defaults = {"DeployMode": "code", "L5Enable": "FALSE", "InstallDependency": "FALSE", "DiskSize": 512}
    names = {"FunctionName"}  # the component takes that of the file: it makes one function of a file
    kept = {key: value for key, value in theirs.items() if key not in {*defaults, *names, "Code"}}
    assert kept == {key: value for key, value in ours.items() if key not in names}
    assert (ours["Type"], ours["InstanceConcurrencyConfig"]["MaxConcurrency"]) == ("HTTP", 4)
