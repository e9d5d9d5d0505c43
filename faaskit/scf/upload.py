"""Upload of the archives that `package` built: inline in the call, or through COS. Uploads of a project's pages."""

from __future__ import annotations

import hashlib
import zipfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from faaskit.scf.api import ARCHIVE_FIELD, NO_SDK, Api, Credentials, DeployError

INLINE_LIMIT = 10_000_000  # characters of base64 in one call: the limit of a request, below SCF's own for archives


@dataclass(frozen=True)
class Archive:
    """One zip of build/."""

    path: Path
    content: bytes

    @property
    def sha256(self) -> str:
        """Return the hash of the content, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


def read_archive(path: Path) -> Archive:
    """Return the archive; raises DeployError where it is missing or no zip file."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise DeployError(f"{path} does not exist: run 'package' first.") from None
    if not zipfile.is_zipfile(BytesIO(content)):
        raise DeployError(f"{path} is not a zip file: run 'package' again.")
    return Archive(path, content)


class Store(Protocol):
    """The interface that Bucket and the dry run's PlannedBucket share."""

    def put(self, archive: Archive) -> dict[str, str]:
        """Upload the archive; returns the API's `Code` and raises DeployError."""

    def allow_uploads(self, origin: str) -> None:
        """Let pages of the origin upload objects; raises DeployError."""


@dataclass(frozen=True)
class Bucket:
    """The COS bucket for archives that are too large for a call; `name` ends in -APPID."""

    name: str
    region: str
    keys: Credentials
    endpoint: str = ""  # an address such as http://127.0.0.1:8080, '' for the usual one

    def put(self, archive: Archive) -> dict[str, str]:
        """Upload, creating the bucket where it is missing; returns the API's `Code` and raises DeployError."""
        client = self._client()
        key = f"{archive.path.stem}-{archive.sha256[:16]}.zip"
        with self._named_errors():
            if not client.bucket_exists(self.name):
                client.create_bucket(self.name)
            client.put_object(self.name, archive.content, key)
        name, _, _ = self.name.rpartition("-")  # the platform adds the APPID by itself
        return {"CosBucketName": name, "CosObjectName": f"/{key}", "CosBucketRegion": self.region}

    def allow_uploads(self, origin: str) -> None:
        """Replace the bucket's CORS rules: pages of the origin may PUT objects with their type. Raises DeployError."""
        client = self._client()
        with self._named_errors():
            client.put_bucket_cors(self.name, {"CORSRule": [cors_rule(origin)]})

    def _client(self) -> Any:  # noqa: ANN401  (the SDK has no types)
        try:
            from qcloud_cos import CosConfig, CosS3Client
        except ImportError as error:
            raise DeployError(NO_SDK) from error
        address = urlsplit(self.endpoint)
        return CosS3Client(
            CosConfig(
                Region=self.region,
                SecretId=self.keys.secret_id,
                SecretKey=self.keys.secret_key,
                Token=self.keys.token or None,
                Scheme=address.scheme or "https",
                IP=address.hostname,
                Port=address.port,
            )
        )

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        from qcloud_cos.cos_exception import CosClientError, CosServiceError

        try:
            yield
        except (CosServiceError, CosClientError) as error:
            raise DeployError(f"COS bucket {self.name}: {_sentence(error)}") from error


def cors_rule(origin: str) -> dict[str, Any]:
    """Return COS's rule under which pages of the origin may upload."""
    return {
        "AllowedOrigin": [origin],
        "AllowedMethod": ["PUT"],
        "AllowedHeader": ["content-type"],
        "MaxAgeSeconds": 3600,
    }


def _sentence(error: Exception) -> str:
    """Return the error of COS without the request."""
    code, message = (getattr(error, name, None) for name in ("get_error_code", "get_error_msg"))
    return f"{code()}: {message()}" if code and message else str(error)


def send(api: Api, action: str, archive: Archive, bucket: Store | None, field: str, **rest: object) -> dict[str, Any]:
    """Call `action` with the archive as `field`: inline, or through COS above the limit. Raises DeployError."""
    encoded = b64encode(archive.content).decode()
    if len(encoded) <= INLINE_LIMIT:
        code = {ARCHIVE_FIELD: encoded}
    elif bucket is not None:
        code = bucket.put(archive)
    else:
        raise DeployError(
            f"{archive.path} is {len(archive.content) / 1e6:.0f} MB, too large for a call: set CODE_BUCKET to the name "
            "of a COS bucket in the function's region, such as code-1250000000; it is created when missing."
        )
    return api.call(action, **rest, **{field: code})
