"""Tencent Cloud's API: credentials, signed calls, retries, errors, pages and waiting."""

from __future__ import annotations

import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from faaskit.errors import FaaskitError

# Each product's version and the actions that are called; a test holds them against the SDK, which marks retired ones.
PRODUCTS = {
    "scf": (
        "2018-04-16",
        {
            *("CreateFunction", "GetFunction", "GetFunctionAddress", "UpdateFunctionCode"),
            *("UpdateFunctionConfiguration", "DeleteFunction", "Invoke"),
            *("PublishVersion", "ListVersionByFunction", "DeleteFunctionVersion", "GetAlias", "UpdateAlias"),
            *("CreateTrigger", "ListTriggers", "UpdateTrigger", "DeleteTrigger"),
            *("GetCustomDomain", "UpdateCustomDomain"),
            *("PublishLayerVersion", "GetLayerVersion", "ListLayerVersions", "DeleteLayerVersion"),
        },
    ),
    "cls": (
        "2020-10-16",
        {
            *("SearchLog", "DescribeLogsets", "CreateLogset", "DescribeTopics", "CreateTopic"),
            *("DescribeIndex", "CreateIndex", "ModifyIndex"),
        },
    ),
}
READS = ("Get", "List", "Describe", "Search")  # actions that change nothing begin so
REQUEST_TIMEOUT = 330  # seconds: a synchronous invocation may take 300 (SCF 58400)
TRIES = 4
PAGE = 100  # entries, the most that the API returns at once
POLL_EVERY = 1.0  # seconds
POLLS = 180  # the component's own command line also waits two to three minutes
WAITING = ("Creating", "Updating", "Publishing", "Deleting")
ARCHIVE_FIELD = "ZipFile"
Report = Callable[[str], None]  # prints one line
NO_SDK = "Tencent's SDK is not installed here: run 'pip install tencentcloud-sdk-python-common cos-python-sdk-v5'."


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
    """The call got no response of the API: no network, a wrong address, a time-out, a proxy's error page."""

    def __init__(self, reason: str) -> None:
        DeployError.__init__(self, f"The API cannot be reached: {reason}.")
        self.code = ""


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
    """The interface that TencentApi and the dry run's PlannedApi share."""

    def call(self, action: str, **parameters: object) -> dict[str, Any]:
        """Return the `Response` of one call; raises ApiError."""

    def fetch(self, url: str) -> tuple[int, str]:
        """Return status and body of a GET of a Function URL; 0 where it cannot be reached."""


class TencentApi:
    """The API through the SDK's common client. SCF_ENDPOINT and CLS_ENDPOINT (http://host:port) replace its address."""

    def __init__(self, region: str, keys: Credentials, environ: Mapping[str, str]) -> None:
        try:
            from tencentcloud.common.common_client import CommonClient
            from tencentcloud.common.credential import Credential
            from tencentcloud.common.profile.client_profile import ClientProfile
            from tencentcloud.common.profile.http_profile import HttpProfile
        except ImportError as error:
            raise DeployError(NO_SDK) from error
        credential = Credential(keys.secret_id, keys.secret_key, keys.token or None)
        self._clients: dict[str, Any] = {}
        for product, (version, actions) in PRODUCTS.items():
            address = urlsplit(environ.get(f"{product.upper()}_ENDPOINT", ""))
            http = HttpProfile(
                protocol=address.scheme or "https", endpoint=address.netloc or None, reqTimeout=REQUEST_TIMEOUT
            )
            client = CommonClient(product, version, credential, region, ClientProfile(httpProfile=http))
            self._clients |= dict.fromkeys(actions, client)

    def call(self, action: str, **parameters: object) -> dict[str, Any]:
        """Return the `Response`. Repeat a call that came too often, and a read that got no response."""
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._call_once(action, parameters)
            except ApiError as error:
                lost = isinstance(error, ApiUnreachable) and action.startswith(READS)
                if attempt == TRIES or not (lost or error.code.startswith("RequestLimitExceeded")):
                    raise
            time.sleep(attempt)

    def fetch(self, url: str) -> tuple[int, str]:
        """Return status and body of a GET of a Function URL; 0 where it cannot be reached."""
        request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310  (the API's address)
        try:
            with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT) as response:  # noqa: S310
                return response.status, response.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode(errors="replace")
        except OSError as error:
            return 0, str(error)

    def _call_once(self, action: str, parameters: Mapping[str, object]) -> dict[str, Any]:
        from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

        try:
            response: dict[str, Any] = self._clients[action].call_json(action, parameters)["Response"]
        except TencentCloudSDKException as error:
            code = str(error.code)
            if code == "ClientNetworkError":
                raise ApiUnreachable(_root_cause(error)) from error
            if code == "ServerNetworkError":  # a status other than 200; the message is the body
                raise ApiUnreachable(_title(error.message)) from error
            kind = ResourceNotFound if code.startswith("ResourceNotFound") else ApiError
            raise kind(action, code, str(error.message), error.requestId) from error
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ApiUnreachable("its response was cut off or is not the API's JSON") from error
        return response


def _root_cause(error: BaseException) -> str:
    """Return the system's own message, such as `Connection refused`, from below the SDK and its HTTP client."""
    while error.__context__ is not None:
        error = error.__context__
    return str(getattr(error, "strerror", None) or error)


def _title(page: object) -> str:
    """Return the title of an error page, such as `502 Bad Gateway`."""
    text = page.decode(errors="replace") if isinstance(page, bytes) else str(page)
    found = re.search(r"<title>\s*([^<]{1,80}?)\s*</title>", text, re.IGNORECASE)
    return found[1] if found else "an HTTP error without a reason"


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


def wait_until_settled(api: Api, name: str, action: str, **parameters: object) -> dict[str, Any]:
    """Poll with `action` while a change is under way and return the detail; raises DeployError after three minutes."""
    for _ in range(POLLS):
        detail = api.call(action, **parameters)
        if detail.get("Status") not in WAITING:
            return detail
        time.sleep(POLL_EVERY)
    raise DeployError(f"{name} is still {detail['Status']} after {POLLS} polls")


def wait_until_active(api: Api, name: str, action: str, **parameters: object) -> dict[str, Any]:
    """Wait for the end of a change and return the detail; raises DeployError where the change failed."""
    detail = wait_until_settled(api, name, action, **parameters)
    if detail.get("Status") != "Active":
        raise DeployError(f"{name} is {detail.get('Status')}: {failure(detail)}")
    return detail


def failure(detail: Mapping[str, Any]) -> str:
    """Return the platform's reasons for a failed change."""
    reasons = "; ".join(reason.get("ErrorMessage", "") for reason in detail.get("StatusReasons") or [])
    return str(reasons or detail.get("StatusDesc") or "no reason given")
