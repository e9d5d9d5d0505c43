"""The API of Tencent Cloud SCF: credentials, one signed call, its errors, waiting, and a dry run that only prints."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

REQUEST_TIMEOUT = 330  # seconds: a synchronous invocation may take 300 (SCF 58400)
POLL_EVERY = 1.0  # seconds
POLLS = 180  # the component's own command line waits as long, about two to three minutes
WAITING = ("Creating", "Updating", "Publishing", "Deleting")
SECRET_FIELDS = ("ZipFile",)
UNREACHABLE = "ClientNetworkError"  # the SDK's own code where the platform did not answer


class DeployError(Exception):
    """Something that the person who deploys must know or do; the message says what."""


class ApiError(DeployError):
    """The platform refused a call; `code` is its own, such as `ResourceNotFound.Function`."""

    def __init__(self, action: str, code: str, message: str, request_id: str | None = None) -> None:
        super().__init__(f"{action}: {code}: {message}" + (f" (request {request_id})" if request_id else ""))
        self.code = code


class ApiUnreachable(ApiError):
    """The platform did not answer: no network, a wrong address, a time-out."""

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
    """The keys of the environment, under the command line's names or the SDK's; None when there are none."""
    for prefix in ("TENCENT", "TENCENTCLOUD"):
        secret_id, secret_key = (environ.get(f"{prefix}_SECRET_{part}", "").strip() for part in ("ID", "KEY"))
        if secret_id and secret_key:
            token = environ.get(f"{prefix}_TOKEN") or environ.get(f"{prefix}_SESSION_TOKEN") or ""
            return Credentials(secret_id, secret_key, token.strip())
    return None


def required_credentials(environ: Mapping[str, str]) -> Credentials:
    """The keys, or a DeployError that says where they belong."""
    keys = credentials(environ)
    if keys is None:
        raise DeployError(
            "TENCENT_SECRET_ID and TENCENT_SECRET_KEY are not set: put your account's keys (console: CAM, API keys) "
            "into the environment or into .env beside serverless.yml."
        )
    return keys


class Api(Protocol):
    """What deployment needs of the API: real, or a dry run."""

    dry_run: bool

    def call(self, action: str, **parameters: object) -> dict[str, Any]:
        """The `Response` of one call; raises ApiError."""


class ScfApi:
    """The API through the official SDK. `endpoint` is an address such as http://127.0.0.1:8080, '' the usual one."""

    dry_run = False

    def __init__(self, region: str, keys: Credentials, endpoint: str = "") -> None:
        try:
            from tencentcloud.common.credential import Credential
            from tencentcloud.common.profile.client_profile import ClientProfile
            from tencentcloud.common.profile.http_profile import HttpProfile
            from tencentcloud.scf.v20180416.scf_client import ScfClient
        except ImportError as error:
            raise DeployError("The SDK is not installed here: run 'pip install -r requirements-deploy.txt'.") from error
        address = urlsplit(endpoint)
        profile = ClientProfile(
            httpProfile=HttpProfile(
                protocol=address.scheme or "https", endpoint=address.netloc or None, reqTimeout=REQUEST_TIMEOUT
            )
        )
        self._client = ScfClient(Credential(keys.secret_id, keys.secret_key, keys.token or None), region, profile)

    def call(self, action: str, **parameters: object) -> dict[str, Any]:
        """One signed call; what the platform or the network answers instead becomes an ApiError."""
        from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

        try:
            response: dict[str, Any] = self._client.call_json(action, parameters)["Response"]
        except TencentCloudSDKException as error:
            if error.code == UNREACHABLE:
                raise ApiUnreachable(_root_cause(error)) from error
            raise ApiError(action, str(error.code), str(error.message), error.requestId) from error
        return response


def _root_cause(error: BaseException) -> str:
    """What the system said, which the SDK and its HTTP client have wrapped: `Connection refused`."""
    while error.__context__ is not None:
        error = error.__context__
    return str(getattr(error, "strerror", None) or error)


class DryRun:
    """Prints each call that would change something; reads still go to the account, where there are keys for one."""

    dry_run = True

    def __init__(self, api: Api | None, say: Callable[[str], None]) -> None:
        self._api = api
        self._say = say
        self._created: list[dict[str, Any]] = []

    def call(self, action: str, **parameters: object) -> dict[str, Any]:
        """Read, or print and answer with what the later calls need."""
        if action.startswith(("Get", "List")):
            answer = find(self._api, action, **parameters) if self._api else None
            if action == "ListTriggers":
                return {"Triggers": [*(answer or {}).get("Triggers", []), *self._created]}
            if answer is None:
                raise ApiError(
                    action, "ResourceNotFound", "there is no such thing in the account, or no keys to see it"
                )
            return answer
        self._say(f"{action} {json.dumps(masked(parameters), ensure_ascii=False)}")
        if action == "CreateTrigger":
            self._created.append({**parameters, "Enable": 1})
        return {"FunctionVersion": "NEW", "LayerVersion": "NEW"}


def masked(parameters: Any) -> Any:  # noqa: ANN401  (any JSON)
    """The parameters fit to be shown: no value of an environment variable, no archive."""
    if isinstance(parameters, dict):
        if set(parameters) == {"Key", "Value"}:
            return {"Key": parameters["Key"], "Value": "***"}
        return {
            key: f"<{len(value)} characters of base64>" if key in SECRET_FIELDS else masked(value)
            for key, value in parameters.items()
        }
    return [masked(item) for item in parameters] if isinstance(parameters, list) else parameters


def find(api: Api, action: str, **parameters: object) -> dict[str, Any] | None:
    """What a reading call answers, or None when the thing does not exist."""
    try:
        return api.call(action, **parameters)
    except ApiError as error:
        if error.code.startswith("ResourceNotFound"):
            return None
        raise


def wait_until_active(
    api: Api, pause: Callable[[float], None], what: str, action: str, **parameters: object
) -> dict[str, Any]:
    """Ask with `action` until the thing is Active; raises DeployError when it failed or takes minutes."""
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
            raise DeployError(f"{what} is {status}: {reasons or detail.get('StatusDesc') or 'no reason given'}")
        pause(POLL_EVERY)
    raise DeployError(f"{what} is still {status} after {POLLS} questions")
