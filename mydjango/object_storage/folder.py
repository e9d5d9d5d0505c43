"""A folder in the place of a bucket, for development and for servers with a disk.

The browser meets the same steps as with a bucket: a presigned PUT with signed length and type, a presigned GET. The
folder's own view verifies the signature that `Folder` made with the signer of S3.
"""

from __future__ import annotations

import time
from calendar import timegm
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse
from django.utils._os import safe_join
from django.utils.crypto import constant_time_compare

from mydjango.object_storage.bucket import Beginning
from mydjango.object_storage.signing import Credentials, s3_url

KINDS = {".jpg": "image/jpeg", ".webp": "image/webp"}
HOST = "http://folder"  # only the signature has it: the browser gets a path


@dataclass(frozen=True)
class Folder:
    """Files below `path`, served and written by `serve` below the URL path `prefix`, which ends in a slash."""

    path: Path
    prefix: str
    secret: str

    def upload_url(self, key: str, headers: Mapping[str, str], seconds: int) -> str:
        """Return the URL for a PUT with exactly these headers."""
        return self._sign("PUT", key, headers, seconds, int(time.time()))

    def view_url(self, key: str, seconds: int) -> str:
        """Return the URL for a GET."""
        return self._sign("GET", key, {}, seconds, int(time.time()))

    def delete(self, key: str) -> None:
        """Delete a file, which may be gone already."""
        self.file(key).unlink(missing_ok=True)

    def read_beginning(self, key: str, length: int) -> Beginning | None:
        """Return the first bytes of a file; None if there is no such file."""
        file = self.file(key)
        if not file.is_file():
            return None
        with file.open("rb") as stream:
            return Beginning(stream.read(length), file.stat().st_size)

    def check_credentials(self) -> str:
        """Return whose credentials are used."""
        return "the project's SECRET_KEY"

    def file(self, key: str) -> Path:
        """Return the path of a key's file. Raises SuspiciousFileOperation for a key that leads out of the folder."""
        return Path(safe_join(self.path, key))

    def serve(self, request: HttpRequest, key: str) -> HttpResponse:
        """Respond to a presigned GET or PUT as a bucket does: 403 for a wrong or expired signature."""
        headers = {}
        if request.method == "PUT":
            headers = {
                "Content-Type": request.content_type or "",
                "Content-Length": request.META.get("CONTENT_LENGTH", ""),
            }
        if not self._is_signed(request, key, headers):
            return HttpResponse("The signature does not match, or has expired.", status=403, content_type="text/plain")
        file = self.file(key)
        if request.method == "PUT":
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(request.read())
            return HttpResponse()
        if not file.is_file():
            return HttpResponse("There is no such object.", status=404, content_type="text/plain")
        return HttpResponse(file.read_bytes(), content_type=KINDS.get(file.suffix, "application/octet-stream"))

    def _is_signed(self, request: HttpRequest, key: str, headers: Mapping[str, str]) -> bool:
        try:
            made = timegm(time.strptime(request.GET["X-Amz-Date"], "%Y%m%dT%H%M%SZ"))
            seconds = int(request.GET["X-Amz-Expires"])
        except (KeyError, ValueError):
            return False
        wanted = urlsplit(self._sign(request.method or "", key, headers, seconds, made)).query
        return constant_time_compare(wanted, request.META["QUERY_STRING"]) and time.time() < made + seconds

    def _sign(self, method: str, key: str, headers: Mapping[str, str], seconds: int, now: int) -> str:
        credentials = Credentials("folder", self.secret)
        url = f"{HOST}{self.prefix}{key}"
        signed = s3_url(method, url, headers, credentials, seconds=seconds, now=now, region="local")
        return signed.removeprefix(HOST)
