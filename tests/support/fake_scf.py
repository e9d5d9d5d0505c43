"""A fake of Tencent's SCF and CLS APIs and of COS on loopback: keep state, verify signatures, fail at a chosen call.

The fake refuses calls as the platform is documented to do: unsigned ones, actions that the SDK calls retired, fields
unknown to the SDK's models or called retired there, a second change before the first is done, empty environment
variables, versions and aliases that do not exist.
"""

from __future__ import annotations

import copy
import hashlib
import hmac
import inspect
import io
import json
import re
import threading
import time
import warnings
import zipfile
from base64 import b64decode
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tencentcloud.cls.v20201016 import cls_client
from tencentcloud.cls.v20201016 import models as cls_models
from tencentcloud.scf.v20180416 import models, scf_client

from tests.support.fake_cls import FakeCls, Refused

SECRET_ID = "AKIDexampleexampleexample"
SECRET_KEY = "example-secret-key"
APPID = "1250000000"
POLLS = 2  # how many polls find a change unfinished
REQUEST_LIMIT = 10 << 20  # bytes
Snapshot = dict[str, Any]
SDK = {  # version of the API: the product, its client and its models
    "2018-04-16": ("scf", scf_client.ScfClient, models),
    "2020-10-16": ("cls", cls_client.ClsClient, cls_models),
}
RETIRED = re.compile("已下线|已废弃|deprecated|offline", re.IGNORECASE)
# What a proxy or a bad line makes of a response.
FAULTS = {
    "502": (502, b"<html><head><title>502 Bad Gateway</title></head><body><hr>nginx</body></html>", "text/html"),
    "html": (200, b"<html><body>Please log in to the network.</body></html>", "text/html"),
    "list": (200, b"[]", "application/json"),
}


def healthy(snapshot: Snapshot, event: Any) -> Any:
    """Run a function that succeeds with every event."""
    if "manage" in event:
        return {"exit_code": 0, "output": "Operations to perform: none\n"}
    return {"statusCode": 200, "headers": {}, "isBase64Encoded": False, "body": '{"status": "ok"}'}


class FakeScf:
    """One account in one region and its server; a context manager."""

    def __init__(self, main: FakeScf | None = None) -> None:
        """Make the account, or the second function of an account, which shares all but its own state with it."""
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.function: dict[str, Any] | None = None  # GetFunction's response for $LATEST, with "content"
        self.versions: dict[str, dict[str, Any]] = {}
        self.numbers = 0  # versions ever published: the platform never reuses a number
        self.alias: dict[str, Any] = {}
        self.triggers: list[dict[str, Any]] = []
        self.layers: dict[str, list[dict[str, Any]]] = {}
        self.buckets: dict[str, dict[str, bytes]] = {}
        self.log_service = FakeCls()
        self.kept: set[str] = set()  # parameters that the platform does not take away when they are sent empty
        self.faults: list[str] = []  # of the next responses: "close", "cut", or a key of FAULTS
        self.limited = 0  # how many of the next calls come too often
        self.run: Callable[[Snapshot, Any], Any] = healthy
        self.fail_at: int | None = None  # calls from now until one fails, 0 for the next
        self.pending = 0
        self.domains: dict[str, dict[str, Any]] = {}
        self.fetched: list[str] = []  # paths of requests to Function URLs of single versions
        self.health: Callable[[Snapshot, str], int] = lambda snapshot, path: 200
        if main is not None:
            self.layers, self.buckets, self.log_service, self.run = (
                main.layers,
                main.buckets,
                main.log_service,
                main.run,
            )
            self._server = main._server
            return
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.web = FakeScf(self)  # the function whose name ends in -web

    @property
    def endpoint(self) -> str:
        """Return the address of the server."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def actions(self) -> list[str]:
        """Return the actions called so far, repeated ones once."""
        names = [action for action, _ in self.calls]
        return [name for before, name in zip([None, *names], names, strict=False) if name != before]

    def __enter__(self) -> FakeScf:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def live(self) -> Snapshot:
        """Return the version that receives traffic."""
        return self._qualified("$DEFAULT")

    def request(self, version: str, action: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Handle one call: record it, fail if its turn has come, check its fields, change the state."""
        with self._lock:
            self.calls.append((action, parameters))
            if self.limited:
                self.limited -= 1
                raise Refused("RequestLimitExceeded", "too many requests")
            if self.fail_at is not None:
                self.fail_at -= 1
                if self.fail_at < 0:
                    self.fail_at = None
                    raise Refused("InternalError", "the fake fails here")
            product = _check_fields(version, action, parameters)
            function = self.web if str(parameters.get("FunctionName", "")).endswith("-web") else self
            return getattr(function if product == "scf" else self.log_service, action)(**parameters) or {}

    # --- Layers

    def PublishLayerVersion(
        self, LayerName: str, CompatibleRuntimes: list[str], Content: dict, Description: str
    ) -> dict:
        versions = self.layers.setdefault(LayerName, [])
        number = len(versions) + 1
        versions.append(
            {
                "LayerVersion": number,
                "Description": Description,
                "CompatibleRuntimes": CompatibleRuntimes,
                "Status": "Active",
                **self._code(Content),
            }
        )
        self.pending = POLLS
        return {"LayerVersion": number}

    def GetLayerVersion(self, LayerName: str, LayerVersion: int) -> dict:
        version = self.layers[LayerName][LayerVersion - 1]
        return {"Status": self._status("Publishing"), "LayerVersion": version["LayerVersion"]}

    def ListLayerVersions(self, LayerName: str) -> dict:
        if not self.layers.get(LayerName):
            raise Refused("ResourceNotFound.Layer")
        return {
            "LayerVersions": [
                {key: item for key, item in version.items() if key[0].isupper()} for version in self.layers[LayerName]
            ]
        }

    def DeleteLayerVersion(self, LayerName: str, LayerVersion: int) -> None:
        self.layers[LayerName] = [
            version for version in self.layers[LayerName] if version["LayerVersion"] != LayerVersion
        ]

    # --- The function

    def CreateFunction(self, FunctionName: str, Namespace: str, Code: dict, **rest: Any) -> None:
        if self.function is not None:
            raise Refused("ResourceInUse.Function")
        self.function = {"FunctionName": FunctionName, **self._code(Code)}
        self._configure(rest)
        self.alias = {"FunctionVersion": "$LATEST", "Name": "$DEFAULT", "Description": ""}
        self.pending = POLLS

    def GetFunction(self, FunctionName: str, Namespace: str, Qualifier: str = "$LATEST") -> dict:
        self._named(FunctionName)
        snapshot = self._qualified(Qualifier)
        status = snapshot.get("Status") or self._status("Updating")
        if status == "Deleting" and self.pending == 0:
            self.function, self.versions, self.triggers = None, {}, []
            raise Refused("ResourceNotFound.Function")
        if status == "Deleting":
            self.pending -= 1
        return {**_shown(snapshot), "Status": status}

    def GetFunctionAddress(self, FunctionName: str, Namespace: str, Qualifier: str) -> dict:
        self._named(FunctionName)
        return {"Url": "https://code.example", "CodeSha256": self._qualified(Qualifier)["archive"]}

    def UpdateFunctionCode(self, FunctionName: str, Namespace: str, Code: dict, Handler: str = "") -> None:
        self._changeable(FunctionName).update(self._code(Code))
        self.function.pop("Status", None)  # new code heals a failed change
        self._only_of("HTTP" if not Handler else "Event", "Handler")
        self.function["Handler"] = Handler
        self.pending = POLLS

    def UpdateFunctionConfiguration(self, FunctionName: str, Namespace: str, **rest: Any) -> None:
        self._active(FunctionName)
        self._configure(rest)
        self.pending = POLLS

    def DeleteFunction(self, FunctionName: str, Namespace: str) -> None:
        self._named(FunctionName)["Status"] = "Deleting"
        self.pending = POLLS

    # --- Versions and the default alias

    def PublishVersion(self, FunctionName: str, Namespace: str, Description: str) -> dict:
        snapshot = copy.deepcopy(self._active(FunctionName))
        self.numbers += 1
        self.versions[str(self.numbers)] = {**snapshot, "version_description": Description}
        self.pending = POLLS
        return {"FunctionVersion": str(self.numbers)}

    def ListVersionByFunction(self, FunctionName: str, Namespace: str, Limit: int, Offset: int) -> dict:
        self._named(FunctionName)
        found = [{"Version": "$LATEST", "Description": ""}] + [
            {"Version": number, "Description": version["version_description"]}
            for number, version in self.versions.items()
        ]
        return {"Versions": found[Offset : Offset + Limit], "TotalCount": len(found)}

    def DeleteFunctionVersion(self, FunctionName: str, Namespace: str, Qualifier: str) -> None:
        weights = self.alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", [])
        if Qualifier in (self.alias["FunctionVersion"], *(entry["Version"] for entry in weights)):
            raise Refused("FailedOperation.DeleteFunction", "an alias points at this version")
        del self.versions[Qualifier]

    def GetAlias(self, FunctionName: str, Namespace: str, Name: str) -> dict:
        self._named(FunctionName)
        return self.alias

    def UpdateAlias(
        self, FunctionName: str, Namespace: str, Name: str, FunctionVersion: str, RoutingConfig: dict, Description: str
    ) -> None:
        further = RoutingConfig["AdditionalVersionWeights"]
        for version in [FunctionVersion, *(entry["Version"] for entry in further)]:
            if version not in self.versions:
                raise Refused("ResourceNotFound.FunctionVersion")
        if len(further) > 1 or any(entry["Version"] == FunctionVersion for entry in further):
            raise Refused("InvalidParameterValue.RoutingConfig", "one further version, another than the alias's")
        if self.pending:
            raise Refused("FailedOperation.FunctionVersionStatusNotActive")
        self.alias = {"Name": Name, "FunctionVersion": FunctionVersion, "Description": Description}
        if further:
            self.alias["RoutingConfig"] = RoutingConfig

    # --- Triggers

    def ListTriggers(self, FunctionName: str, Namespace: str, Limit: int, Offset: int) -> dict:
        self._named(FunctionName)
        return {"Triggers": self.triggers[Offset : Offset + Limit], "TotalCount": len(self.triggers)}

    def CreateTrigger(self, FunctionName: str, Namespace: str, **trigger: str) -> dict:
        self._changeable(FunctionName)
        if self._trigger(trigger):
            raise Refused("ResourceInUse.Trigger")
        self._only_of("Event" if trigger["Type"] == "timer" else "", "timers")
        self.triggers.append(_listed(trigger))
        if trigger["Qualifier"].isdecimal():  # of one version: the fake itself serves it
            self._qualified(trigger["Qualifier"])
            url = f"{self.endpoint}/version/{trigger['Qualifier']}"
            details = json.loads(trigger["TriggerDesc"])
            details["NetConfig"]["ExtranetUrl"] = url
            self.triggers[-1]["TriggerDesc"] = json.dumps(details)
        return {"TriggerInfo": self.triggers[-1]}

    def UpdateTrigger(self, FunctionName: str, Namespace: str, **trigger: str) -> None:
        old = self._trigger(trigger)
        if old is None:
            raise Refused("ResourceNotFound.Trigger")
        old.update(_listed(trigger))

    def DeleteTrigger(self, FunctionName: str, Namespace: str, **trigger: str) -> None:
        self.triggers.remove(self._trigger(trigger))

    # --- Invocations

    def Invoke(
        self, FunctionName: str, Namespace: str, Qualifier: str, InvocationType: str, LogType: str, ClientContext: str
    ) -> dict:
        self._named(FunctionName)
        self._only_of("Event", "Invoke")
        snapshot = self._qualified(Qualifier)
        result = {
            "Log": "START\nEND",
            "FunctionRequestId": "f-1",
            "Duration": 12.5,
            "BillDuration": 13,
            "MemUsage": 4 << 20,
        }
        try:
            returned = self.run(snapshot, json.loads(ClientContext))
        except Exception as error:  # noqa: BLE001  (the function under test may raise anything)
            return {"Result": {**result, "InvokeResult": -1, "ErrMsg": str(error), "RetMsg": ""}}
        return {"Result": {**result, "InvokeResult": 0, "ErrMsg": "", "RetMsg": json.dumps(returned)}}

    # --- Custom domains

    def GetCustomDomain(self, Domain: str) -> dict:
        if Domain not in self.domains:
            raise Refused("ResourceNotFound.CustomDomain")
        return self.domains[Domain]

    def UpdateCustomDomain(self, Domain: str, Protocol: str, EndpointsConfig: list, **rest: Any) -> None:
        if "HTTPS" in Protocol and not rest.get("CertConfig"):
            raise Refused("InvalidParameterValue.CertConfig")
        self.domains[Domain] = {"Domain": Domain, "Protocol": Protocol, "EndpointsConfig": EndpointsConfig, **rest}

    # --- State shared by the actions

    def open_url(self, path: str) -> int:
        """Return the status of a request to the Function URL of one version of the Web function."""
        version, _, rest = path.removeprefix("/version/").partition("/")
        if not any(trigger["Qualifier"] == version for trigger in self.triggers):
            return 404
        self.fetched.append(path)
        return self.health(self._qualified(version), f"/{rest}")

    def _only_of(self, kind: str, what: str) -> None:
        """Refuse what the platform has for functions of one type alone."""
        if kind and self.function is not None and self.function.get("Type", "Event") != kind:
            raise Refused("UnsupportedOperation", f"{what}: the function is of another type")

    def _named(self, name: str) -> dict[str, Any]:
        if self.function is None or self.function["FunctionName"] != name:
            raise Refused("ResourceNotFound.Function")
        return self.function

    def _changeable(self, name: str) -> dict[str, Any]:
        function = self._named(name)
        if self.pending:
            raise Refused("FailedOperation.FunctionStatusError", "the function is being updated")
        return function

    def _active(self, name: str) -> dict[str, Any]:
        function = self._changeable(name)
        if "Status" in function:
            raise Refused("FailedOperation.FunctionStatusError", f"the function is {function['Status']}")
        return function

    def _qualified(self, qualifier: str) -> Snapshot:
        if qualifier == "$DEFAULT":
            qualifier = self.alias["FunctionVersion"]
        if qualifier == "$LATEST" and self.function is not None:
            return self.function
        if qualifier not in self.versions:
            raise Refused("ResourceNotFound.FunctionVersion")
        return self.versions[qualifier]

    def _configure(self, parameters: dict[str, Any]) -> None:
        variables = parameters.get("Environment", {}).get("Variables", [])
        if any(not entry["Value"] for entry in variables) and variables != [{"Key": "", "Value": ""}]:
            raise Refused("InvalidParameterValue.EnvironmentVariables", "a value is empty")
        memory = parameters.get("MemorySize", 128)
        if memory != 64 and memory % 128:
            raise Refused("InvalidParameterValue.Memory")
        for used in parameters.get("Layers", []):
            if used["LayerName"] and len(self.layers.get(used["LayerName"], [])) < used["LayerVersion"]:
                raise Refused("ResourceNotFound.LayerVersion")
        if not any(used["LayerName"] for used in parameters.get("Layers", [])):
            parameters["Layers"] = []
        self.function.update({key: value for key, value in parameters.items() if key not in self.kept})

    def _code(self, code: dict[str, str]) -> dict[str, Any]:
        """Return the file `content` of the archive, and the archive's hash."""
        if "ZipFile" in code:
            archive = b64decode(code["ZipFile"])
        else:
            archive = self.buckets[f"{code['CosBucketName']}-{APPID}"][code["CosObjectName"]]
        with zipfile.ZipFile(io.BytesIO(archive)) as unpacked:
            return {"content": unpacked.read("content"), "archive": hashlib.sha256(archive).hexdigest()}

    def _trigger(self, wanted: dict[str, str]) -> dict[str, Any] | None:
        same = ("TriggerName", "Type", "Qualifier")
        return next((old for old in self.triggers if all(old[key] == wanted[key] for key in same)), None)

    def _status(self, unfinished: str) -> str:
        if self.pending:
            self.pending -= 1
            return unfinished
        return "Active"


def _shown(stored: dict[str, Any]) -> dict[str, Any]:
    """Return the platform's own fields, which begin with a capital."""
    return {key: value for key, value in stored.items() if key[0].isupper()}


def _listed(trigger: dict[str, str]) -> dict[str, Any]:
    """Return a trigger as ListTriggers does: Enable as a number, cron as JSON, with the URL of an http trigger."""
    description = trigger["TriggerDesc"]
    if trigger["Type"] == "timer":
        description = json.dumps({"cron": description})
    else:
        details = json.loads(description)
        if details["NetConfig"]["EnableExtranet"]:
            details["NetConfig"]["ExtranetUrl"] = f"https://{APPID}-abcdefghij.ap-guangzhou.tencentscf.com"
        description = json.dumps(details)
    return {**trigger, "TriggerDesc": description, "Enable": int(trigger["Enable"] == "OPEN")}


def _check_fields(version: str, action: str, parameters: dict[str, Any]) -> str:
    """Return the product. Refuse a retired action, and a field, at any depth, that is retired or not in the SDK."""
    product, client, product_models = SDK[version]
    if RETIRED.search(inspect.getdoc(getattr(client, action)) or ""):
        raise Refused("InvalidAction", f"{action} is retired")
    request = getattr(product_models, f"{action}Request")()
    for field in re.split(r"(?=:param _)", request.__init__.__doc__ or "")[1:]:
        if field.partition(":type")[0] and RETIRED.search(field) and field.split()[1][1:-1] in parameters:
            raise Refused("UnknownParameter", f"{action}: retired: {field}")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            request._deserialize(parameters)
        except UserWarning as warning:
            raise Refused("UnknownParameter", f"{action}: {warning}") from warning
    return product


def _verify(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    """Compare the TC3-HMAC-SHA256 signature with one of the received request (Tencent 213/30654)."""
    headers = handler.headers
    if len(body) > REQUEST_LIMIT:
        raise Refused("RequestSizeLimitExceeded")
    if headers.get("X-TC-Version") not in SDK or not headers.get("X-TC-Region"):
        raise Refused("InvalidParameter", "version or region is missing")
    product = SDK[headers["X-TC-Version"]][0]
    timestamp = headers.get("X-TC-Timestamp", "0")
    date = time.strftime("%Y-%m-%d", time.gmtime(int(timestamp)))
    scope = f"{date}/{product}/tc3_request"
    signed = f"content-type:{headers['Content-Type']}\nhost:{headers['Host']}\n"
    canonical = f"POST\n/\n\n{signed}\ncontent-type;host\n{hashlib.sha256(body).hexdigest()}"
    text = f"TC3-HMAC-SHA256\n{timestamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"TC3{SECRET_KEY}".encode()
    for part in (date, product, "tc3_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    expected = f"TC3-HMAC-SHA256 Credential={SECRET_ID}/{scope}, SignedHeaders=content-type;host, Signature={signature}"
    if headers.get("Authorization") != expected:
        raise Refused("AuthFailure.SignatureFailure", "the signature does not fit")


def _handler(fake: FakeScf) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            fault = fake.faults.pop(0) if fake.faults else ""
            if fault in FAULTS:
                self._respond(*FAULTS[fault])
                return
            response: dict[str, Any]
            try:
                _verify(self, body)
                response = fake.request(self.headers["X-TC-Version"], self.headers["X-TC-Action"], json.loads(body))
            except Refused as error:
                response = {"Error": {"Code": error.code, "Message": error.message}}
            content = json.dumps({"Response": {**response, "RequestId": "r-1"}}, default=str).encode()
            if fault:  # "close": no response, "cut": half of its body
                self.close_connection = True
            if fault != "close":
                self._respond(200, content, "application/json", sent=len(content) // 2 if fault else None)

        def _cos(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if not self.headers.get("Authorization", "").startswith("q-sign-algorithm=sha1"):
                self._respond(403, b"<Error><Code>AccessDenied</Code><Message>unsigned</Message></Error>")
                return
            name = self.headers["Host"].partition(".")[0]
            if self.command == "PUT" and self.path == "/":
                fake.buckets[name] = {}
            elif name not in fake.buckets:
                self._respond(404, b"")
                return
            elif self.command == "PUT":
                fake.buckets[name][self.path.partition("?")[0]] = body
            self._respond(200, b"")

        def do_GET(self) -> None:
            if self.path.startswith("/version/"):
                self._respond(fake.web.open_url(self.path), b"the body", "text/plain")
            else:
                self._cos()

        do_PUT = do_HEAD = _cos

        def _respond(self, status: int, content: bytes, kind: str = "application/xml", sent: int | None = None) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("x-cos-request-id", "c-1")
            self.send_header("ETag", f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"')
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content[:sent])

        def log_message(self, *args: object) -> None:
            pass  # keep the tests' output clean

    return Handler
