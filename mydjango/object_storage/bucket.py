"""A bucket of object storage: presigned URLs for browsers, and the two requests that the function makes itself."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from mydjango.object_storage.signing import Credentials, cos_url, s3_url

COS_HOSTS = (".myqcloud.com", ".tencentcos.cn")
TIMEOUT = 5  # seconds for one request of the function's own
OWN_REQUEST = 60  # seconds that its signature is valid
NAMES = 1_000  # bytes of an error's XML that hold its code

# Where the platforms put the temporary credentials of the function's role: key, secret, token. They change while an
# instance lives, so they are read for each signature.
ROLE_VARIABLES = (
    ("TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SESSIONTOKEN"),
    ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN"),
)


class StorageError(Exception):
    """A request to the storage failed, or there are no credentials for it. The message holds no secret."""


class Beginning(NamedTuple):
    """The first bytes of an object, and its whole size in bytes."""

    content: bytes
    size: int


def role_credentials() -> Credentials | None:
    """Return the temporary credentials that the platform gives the function's role, None without a role."""
    for names in ROLE_VARIABLES:
        values = [os.environ.get(name, "") for name in names]
        if all(values[:2]):
            return Credentials(*values)
    return None


@dataclass(frozen=True)
class Bucket:
    """A bucket by its URL: `https://name-appid.cos.region.myqcloud.com` (COS), any other is signed as S3.

    `region` is part of S3's signature. Without credentials of its own those of the function's role are used.
    """

    url: str
    region: str = ""
    credentials: Credentials | None = None

    @property
    def is_cos(self) -> bool:
        """Whether the bucket takes COS's own signature."""
        return (urlsplit(self.url).hostname or "").endswith(COS_HOSTS)

    def upload_url(self, key: str, headers: Mapping[str, str], seconds: int) -> str:
        """Return the URL for a PUT with exactly these headers, Content-Type and Content-Length. Raises StorageError."""
        return self._sign("PUT", key, headers, seconds)

    def view_url(self, key: str, seconds: int) -> str:
        """Return the URL for a GET. Raises StorageError."""
        return self._sign("GET", key, {}, seconds)

    def delete(self, key: str) -> None:
        """Delete an object, which may be gone already. Raises StorageError."""
        self._request("DELETE", key, {})

    def read_beginning(self, key: str, length: int) -> Beginning | None:
        """Return the first bytes of an object; None if there is no such object. Raises StorageError."""
        return self._request("GET", key, {"Range": f"bytes=0-{length - 1}"})

    def check_credentials(self) -> str:
        """Return whose credentials are used. Raises StorageError without any."""
        credentials = self._credentials()
        return "the function's role" if credentials.token else "a key of the account"

    def _credentials(self) -> Credentials:
        credentials = self.credentials or role_credentials()
        if credentials is None:
            raise StorageError("There are no credentials for the bucket: set a key, or give the function a role.")
        return credentials

    def _sign(self, method: str, key: str, headers: Mapping[str, str], seconds: int) -> str:
        url, now, credentials = f"{self.url}/{key}", int(time.time()), self._credentials()
        if self.is_cos:
            return cos_url(method, url, headers, credentials, seconds=seconds, now=now)
        return s3_url(method, url, headers, credentials, seconds=seconds, now=now, region=self.region)

    def _request(self, method: str, key: str, headers: Mapping[str, str]) -> Beginning | None:
        """Send a request. Return what it reads, None for an object that does not exist. Raises StorageError."""
        from urllib.error import HTTPError
        from urllib.request import Request, urlopen

        request = Request(self._sign(method, key, {}, OWN_REQUEST), method=method, headers=dict(headers))  # noqa: S310
        try:
            with urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310  (of the settings' own scheme)
                content = response.read()
                size = response.headers.get("Content-Range", "").rpartition("/")[2] or len(content)
                return Beginning(content, int(size))
        except HTTPError as error:
            with error:
                told = error.read(NAMES)
            if error.code == 404 and b"NoSuchBucket" not in told:
                return None
            if error.code == 416:  # an empty object has no range
                return Beginning(b"", 0)
            code = told.partition(b"<Code>")[2].partition(b"</Code>")[0].decode("ascii", "replace")
            raise StorageError(f"{method}: HTTP {error.code} {code}".strip()) from None
        except OSError as error:  # the text of a URLError may hold the address, and that the signature
            raise StorageError(f"{method}: {type(error).__name__}") from None
