"""The API of Tencent Cloud SCF: credentials, signed calls, errors, pages, waiting, and a dry run that only prints."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from faaskit.errors import FaaskitError

REQUEST_TIMEOUT = 330  # seconds: a synchronous invocation may take 300 (SCF 58400)
PAGE = 100  # entries, the most that the API returns at once
POLL_EVERY = 1.0  # seconds
POLLS = 180  # the component's own command line also waits two to three minutes
WAITING = ("Creating", "Updating", "Publishing", "Deleting")
ARCHIVE_FIELD = "ZipFile"
UNREACHABLE = "ClientNetworkError"  # the SDK's code for a network that fails
NO_SDK = "The SDK is not installed here: run 'pip install -r requirements-deploy.txt'."


class DeployError(FaaskitError):
    """A deployment cannot go on; the message tells the person who deploys what to know or to do."""


class ApiError(DeployError):
    """The platform refused a call; `code` is the platform's, such as `InvalidParameterValue.Memory`."""

    def __init__(self, action: str, code: str, message: str, request_id: str | None = None) -> None:
        super().__init__(f"{action}: {code}: {message}" + (f" (request {request_id})" if request_id else ""))
        self.code = code


class ResourceNotFound(ApiError):
    """The function, version, layer or alias of the call does not exist."""


class ApiUnreachable(ApiError):
    """The call got no response: no network, a wrong address, a time-out."""

    def __init__(self, reason: str) -> None:
        DeployError.__init__(self, f"The API cannot be reached: {reason}.")
        self.code = UNREACHABLE


@dataclass(frozen=True)
class Credentials:
    """The account's API keys. Neither `repr` nor an error ever shows them."""

    secret_id: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str = field(default="", repr=False)


def credentials(environ: Mapping[str, str]) -> Credentials | None:
    """Return the keys of the environment, under the command line's names or the SDK's, or None."""
    for prefix in ("TENCENT", "TENCENTCLOUD"):
        secret_id, secret_key = (environ.get(f"{prefix}_SECRET_{part}", "").strip() for part in ("ID", "KEY"))
        if secret_id and secret_key:
            token = environ.get(f"{prefix}_TOKEN") or environ.get(f"{prefix}_SESSION_TOKEN") or ""
            return Credentials(secret_id, secret_key, token.strip())
    return None


class Api(Protocol):
    """The interface that ScfApi and DryRun share."""

    dry_run: bool

    def call(self, action: str, **parameters: object) -> dict[str, Any]:
        """Return the `Response` of one call; raises ApiError."""


class ScfApi:
    """The API through the official SDK. `endpoint` is an address such as http://127.0.0.1:8080, or ''."""

    dry_run = False

    def __init__(self, region: str, keys: Credentials, endpoint: str = "") -> None:
        try:
            from tencentcloud.common.credential import Credential
            from tencentcloud.common.profile.client_profile import ClientProfile
            from tencentcloud.common.profile.http_profile import HttpProfile
            from tencentcloud.scf.v20180416.scf_client import ScfClient
        except ImportError as error:
            raise DeployError(NO_SDK) from error
        address = urlsplit(endpoint)
        profile = ClientProfile(
            httpProfile=HttpProfile(
                protocol=address.scheme or "https", endpoint=address.netloc or None, reqTimeout=REQUEST_TIMEOUT
            )
        )
        self._client = ScfClient(Credential(keys.secret_id, keys.secret_key, keys.token or None), region, profile)

    def call(self, action: str, **parameters: object) -> dict[str, Any]:
        from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

        try:
            response: dict[str, Any] = self._client.call_json(action, parameters)["Response"]
        except TencentCloudSDKException as error:
            code = str(error.code)
            if code == UNREACHABLE:
                raise ApiUnreachable(_root_cause(error)) from error
            kind = ResourceNotFound if code.startswith("ResourceNotFound") else ApiError
            raise kind(action, code, str(error.message), error.requestId) from error
        return response


def _root_cause(error: BaseException) -> str:
    """Return the system's own message, such as `Connection refused`, from below the SDK and its HTTP client."""
    while error.__context__ is not None:
        error = error.__context__
    return str(getattr(error, "strerror", None) or error)


class DryRun:
    """Print each call that would change the account; pass on the others, if there are keys to read an account with."""

    dry_run = True

    def __init__(self, api: Api | None, report: Callable[[str], None]) -> None:
        self._api = api
        self._report = report
        self._created: list[dict[str, Any]] = []

    def call(self, action: str, **parameters: object) -> dict[str, Any]:
        """Return a response with which the later calls of a deployment can be formed."""
        if action.startswith(("Get", "List")):
            found = find(self._api, action, **parameters) if self._api else None
            if action == "ListTriggers":
                return {"Triggers": [*(found or {}).get("Triggers", []), *self._created]}
            if found is None:
                raise ResourceNotFound(action, "ResourceNotFound", "not in the account, or no keys to read it with")
            return found
        self._report(f"{action} {json.dumps(masked(parameters), ensure_ascii=False)}")
        if action == "CreateTrigger":
            self._created.append({**parameters, "Enable": 1})
        return {"FunctionVersion": "NEW", "LayerVersion": "NEW"}


def masked(parameters: Any) -> Any:  # noqa: ANN401  (any JSON)
    """Return the parameters without values of environment variables and without archives."""
    if isinstance(parameters, dict):
        if set(parameters) == {"Key", "Value"}:
            return {"Key": parameters["Key"], "Value": "***"}
        return {
            key: f"<{len(value)} characters of base64>" if key == ARCHIVE_FIELD else masked(value)
            for key, value in parameters.items()
        }
    return [masked(item) for item in parameters] if isinstance(parameters, list) else parameters


def find(api: Api, action: str, **parameters: object) -> dict[str, Any] | None:
    """Return the response of a reading call, or None where the resource does not exist; raises ApiError."""
    try:
        return api.call(action, **parameters)
    except ResourceNotFound:
        return None


def list_all(api: Api, action: str, key: str, **parameters: object) -> Iterator[dict[str, Any]]:
    """Yield the entries under `key` of every page of a reading call; raises ApiError."""
    count = 0
    while True:
        page = api.call(action, **parameters, Limit=PAGE, Offset=count)
        entries = page.get(key) or []
        yield from entries
        count += len(entries)
        if not entries or count >= int(page.get("TotalCount") or 0):
            return


def wait_until_active(
    api: Api, pause: Callable[[float], None], name: str, action: str, **parameters: object
) -> dict[str, Any]:
    """Poll with `action` until its Status is Active; raises DeployError for a failure or after three minutes."""
    if api.dry_run:
        return {}
    status = ""
    for _ in range(POLLS):
        detail = api.call(action, **parameters)
        status = str(detail.get("Status", ""))
        if status == "Active":
            return detail
        if status not in WAITING:
            reasons = "; ".join(reason.get("ErrorMessage", "") for reason in detail.get("StatusReasons") or [])
            raise DeployError(f"{name} is {status}: {reasons or detail.get('StatusDesc') or 'no reason given'}")
        pause(POLL_EVERY)
    raise DeployError(f"{name} is still {status} after {POLLS} polls")
