"""A dry run: print the calls of a first deployment, and respond as an empty account would. Nothing is sent."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from faaskit.scf.api import ARCHIVE_FIELD, READS, Report, ResourceNotFound
from faaskit.scf.output import report
from faaskit.scf.upload import Archive, cors_rule

URL = "https://the-function-url.example"
# The response to every call that changes something; to Invoke, that a command and a request succeeded.
DONE = {
    "FunctionVersion": "1",
    "LayerVersion": 1,
    "LogsetId": "the-new-logset",
    "TopicId": "the-new-topic",
    "Result": {"RetMsg": '{"exit_code": 0, "statusCode": 200}'},
}


class PlannedApi:
    """The API of an account in which there is nothing yet."""

    def __init__(self, report: Report = report) -> None:
        self.report = report
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.triggers: list[dict[str, Any]] = []  # as the API lists them
        self._functions: dict[str, dict[str, Any]] = {}

    def call(self, action: str, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401  (any JSON)
        """Print a call that changes something; return what the later calls of a deployment are formed with."""
        self.calls.append((action, parameters))
        name = str(parameters.get("FunctionName") or "")
        if action.startswith(READS):
            return self._read(action, name)
        self.report(f"{action} {json.dumps(masked(parameters), ensure_ascii=False)}")
        if action in ("CreateFunction", "UpdateFunctionConfiguration"):
            self._functions[name] = parameters | {"Status": "Active"}
        if action == "CreateTrigger":
            self.triggers.append(_listed(parameters))
        return DONE

    def fetch(self, url: str) -> tuple[int, str]:
        """Print a request to a Function URL; return that it succeeded."""
        self.report(f"GET {url}")
        return 200, ""

    def _read(self, action: str, name: str) -> dict[str, Any]:
        if action == "GetFunction" and name in self._functions:
            return self._functions[name]
        if action in ("GetFunction", "ListLayerVersions", "DescribeIndex", "GetCustomDomain"):
            raise ResourceNotFound(action, "ResourceNotFound", "a dry run begins with an empty account")
        return {"Status": "Active", "Triggers": [each for each in self.triggers if each["FunctionName"] == name]}


@dataclass(frozen=True)
class PlannedBucket:
    """The bucket of a dry run."""

    name: str

    def put(self, archive: Archive) -> dict[str, str]:
        """Print the upload; returns the API's `Code`."""
        report(f"PutObject {json.dumps({'Bucket': self.name, 'File': archive.path.name})}")
        return {"CosBucketName": self.name}

    def allow_uploads(self, origin: str) -> None:
        """Print the rule."""
        report(f"PutBucketCORS {json.dumps({'Bucket': self.name, 'CORSRule': [cors_rule(origin)]})}")


def _listed(trigger: dict[str, Any]) -> dict[str, Any]:
    """Return a new trigger as ListTriggers would, with the address of a Function URL."""
    description = trigger["TriggerDesc"]
    if trigger["Type"] == "http":
        details = json.loads(description)
        if details["NetConfig"]["EnableExtranet"]:
            details["NetConfig"]["ExtranetUrl"] = URL
        description = json.dumps(details)
    return {**trigger, "TriggerDesc": description, "Enable": int(trigger["Enable"] == "OPEN")}


def masked(parameters: Any) -> Any:  # noqa: ANN401  (any JSON)
    """Return the parameters without values of environment variables and without archives."""
    if isinstance(parameters, dict):
        if set(parameters) == {"Key", "Value"} and isinstance(parameters["Value"], str):
            return {"Key": parameters["Key"], "Value": "***"}
        return {
            key: f"<{len(value)} characters of base64>" if key == ARCHIVE_FIELD else masked(value)
            for key, value in parameters.items()
        }
    return [masked(item) for item in parameters] if isinstance(parameters, list) else parameters
