"""The permissions that deploying needs, as a policy of CAM: those of the calls that a deployment plans, and no others.

The plan is made twice: for an account where there is nothing yet, and for one where everything is there and differs.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from faaskit.function_config import FunctionConfig
from faaskit.project import Project
from faaskit.scf import bucket_cors, function_log, remote, status, versions
from faaskit.scf.account import Account
from faaskit.scf.api import PRODUCTS
from faaskit.scf.deployment import Deployment
from faaskit.scf.parameters import NAMESPACE
from faaskit.scf.planned import PlannedApi
from faaskit.scf.upload import Archive
from faaskit.scf.web_deployment import WebDeployment
from faaskit.timers import PLATFORM_TIME

CREATE = "CreateFunction"
CAM_NAMES = {"Invoke": "InvokeFunction"}  # where the permission has another name than the action
# Actions that CAM grants for one function (CAM 57149, SCF 18014) or one topic (CLS 45877); all others for "*" only.
OF_A_FUNCTION = frozenset(
    {
        *("CreateFunction", "GetFunction", "UpdateFunctionCode", "UpdateFunctionConfiguration"),
        *("CreateTrigger", "DeleteTrigger", "ListVersionByFunction"),
    }
)
OF_A_TOPIC = frozenset({"SearchLog", "DescribeIndex", "CreateIndex", "ModifyIndex"})
COS = ("name/cos:HeadBucket", "name/cos:PutBucket", "name/cos:PutObject")
EVERYTHING = "*"
FORMER = {"Type": "timer", "TriggerName": "a-former-one", "TriggerDesc": "", "Enable": 1}


class EstablishedApi(PlannedApi):
    """An account where the function has ten versions, other triggers, and a log whose index lacks fields."""

    names: frozenset[str] = frozenset()  # of the functions

    def _read(self, action: str, name: str) -> dict[str, Any]:
        of_function = [trigger for trigger in self.triggers if trigger["FunctionName"] == name]
        changed = [{**trigger, "Enable": 1 - trigger["Enable"]} for trigger in of_function]
        endpoint = {"FunctionName": min(self.names, default=""), "Namespace": NAMESPACE}
        described = versions.PREFIX + versions.BESIDE
        if action == "GetFunction" and name not in self.names:
            return super()._read(action, name)
        responses: dict[str, dict[str, Any]] = {
            "GetFunction": {**self._functions.get(name, {}), "Status": "Active", "ClsTopicId": "topic"},
            "GetCustomDomain": {"Domain": "example.com", "Protocol": "HTTP", "EndpointsConfig": [endpoint]},
            "GetAlias": {"FunctionVersion": "10", "Description": "version 10, before it: 9"},
            "ListVersionByFunction": {
                "Versions": [{"Version": str(number), "Description": f"{described}{number}"} for number in range(1, 11)]
            },
            "ListTriggers": {"Triggers": [*changed, FORMER]},
            "DescribeIndex": {"Rule": {"FullText": {}}},
            "SearchLog": {"ListOver": True},
        }
        return responses[action] if action in responses else super()._read(action, name)


def policy(account: Account, described: Project) -> dict[str, Any]:
    """Return the policy for deploying with a canary, rolling back, the log and the status; not for removing."""
    calls = planned_calls(account, described)
    resources: dict[str, set[str]] = defaultdict(set)  # of each action
    for action, parameters in calls:
        product = next(name for name, (_version, actions) in PRODUCTS.items() if action in actions)
        name = f"{product}:{CAM_NAMES.get(action, action)}"
        resources[name] |= _resources(action, parameters, account.config)
    code = str(getattr(account.bucket, "name", ""))
    if code.rpartition("-")[2].isdecimal():  # CODE_BUCKET is set
        resources |= {name: {_bucket(code, account.config.region)} for name in COS}
    uploads = bucket_cors.bucket_of(account.config.environment.get(described.uploads, ""))
    if uploads:
        resources["name/cos:PutBucketCORS"] = {_bucket(*uploads)}
    if account.config.inputs.get("role"):
        resources["cam:PassRole"] = {f"qcs::cam::uin/:roleName/{account.config.inputs['role']}"}
    return {"version": "2.0", "statement": _statements(resources)}


def planned_calls(account: Account, described: Project) -> list[tuple[str, dict[str, Any]]]:
    """Return the calls of both plans."""
    archive = Archive(Path("function.zip"), b"")
    empty = PlannedApi(report=_nothing)
    _deployment(account, described, empty).deploy(archive, archive)
    established = EstablishedApi(report=_nothing)
    established.triggers = empty.triggers
    established.names = frozenset(str(parameters["FunctionName"]) for name, parameters in empty.calls if name == CREATE)
    deployment = _deployment(account, described, established)
    deployment.deploy(archive, archive)
    deployment.rollback("1")
    list(status.lines(replace(account, api=established), described.doctor))
    now = datetime.now(PLATFORM_TIME)
    list(function_log.lines(established, account.config, now, now))  # as a canary reads it
    remote.invoke(established, account.config, {})
    return empty.calls + established.calls


def _deployment(account: Account, described: Project, api: PlannedApi) -> Deployment:
    kind = WebDeployment if account.config.is_web else Deployment
    return kind(
        account.config,
        account.layer_config,
        api,
        report=_nothing,
        health=described.health,
        migrate=described.migrate,
        log_fields=described.log_fields,
    )


def _nothing(line: str) -> None:
    """Report nothing: the policy alone is printed."""


def _bucket(name: str, region: str) -> str:
    """Return a bucket of COS, whose name ends in -APPID."""
    return f"qcs::cos:{region}:uid/{name.rpartition('-')[2]}:{name}/*"


def _resources(action: str, parameters: dict[str, Any], config: FunctionConfig) -> set[str]:
    """Return what one call works on. An empty account is the one to which the policy belongs."""
    if action in OF_A_FUNCTION:
        namespace = parameters.get("Namespace") or NAMESPACE
        return {f"qcs::scf:{config.region}::namespace/{namespace}/function/{parameters['FunctionName']}"}
    if action in OF_A_TOPIC:
        named = config.inputs.get("cls")
        topic = named.get("topicId") if isinstance(named, dict) else None
        return {f"qcs::cls:{config.region}::topic/{topic or '*'}"}
    return {EVERYTHING}


def _statements(resources: dict[str, set[str]]) -> list[dict[str, Any]]:
    """Return a statement for each set of resources."""
    actions: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for name in sorted(resources):
        actions[tuple(sorted(resources[name]))].append(name)
    return [{"effect": "allow", "action": names, "resource": list(where)} for where, names in sorted(actions.items())]
