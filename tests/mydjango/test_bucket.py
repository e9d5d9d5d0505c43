"""The function's own requests to object storage, against moto's server and recorded refusals."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

import pytest
from django.core.exceptions import SuspiciousFileOperation

from mydjango.object_storage.bucket import Beginning, Bucket, StorageError, role_credentials
from mydjango.object_storage.folder import Folder
from mydjango.object_storage.signing import Credentials
from tests.support.object_storage import BUCKET, REFUSALS, refusing_server, s3_server

KEYS = Credentials("id", "secret")
COS = "https://photos-1250000000.cos.ap-guangzhou.myqcloud.com"
HEADERS = {"Content-Type": "image/jpeg", "Content-Length": "3"}


@pytest.fixture(scope="module")
def storage() -> Iterator[tuple[str, Any]]:
    with s3_server() as served:
        yield served


@pytest.fixture(autouse=True)
def no_role(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TENCENTCLOUD_SECRETID", "AWS_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)


def test_an_object_is_uploaded_read_and_deleted(storage: tuple[str, Any]) -> None:
    url, client = storage
    bucket = Bucket(url, "us-east-1", KEYS)
    put = Request(bucket.upload_url("photos/a.jpg", HEADERS, 900), b"abc", HEADERS, method="PUT")
    with urlopen(put) as response:
        assert response.status == 200
    assert client.head_object(Bucket=BUCKET, Key="photos/a.jpg")["ContentType"] == "image/jpeg"
    with urlopen(bucket.view_url("photos/a.jpg", 600)) as response:
        assert response.read() == b"abc"
    assert bucket.read_beginning("photos/a.jpg", 2) == Beginning(b"ab", 3)
    bucket.delete("photos/a.jpg")
    assert bucket.read_beginning("photos/a.jpg", 2) is None
    bucket.delete("photos/a.jpg")  # which is gone


def test_an_empty_object_has_no_beginning(storage: tuple[str, Any]) -> None:
    url, client = storage
    client.put_object(Bucket=BUCKET, Key="empty", Body=b"")
    assert Bucket(url, "us-east-1", KEYS).read_beginning("empty", 12) == Beginning(b"", 0)


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_refusal_is_an_error_with_its_code_and_without_the_signature(refusal: str) -> None:
    status, body = REFUSALS[refusal]
    with refusing_server(status, body) as url:
        bucket = Bucket(url, "us-east-1", KEYS)
        for send in (lambda: bucket.delete("a"), lambda: bucket.read_beginning("a", 2)):
            with pytest.raises(StorageError, match=rf"HTTP {status} {body.split('Code>')[1].strip('</')}$") as caught:
                send()
            assert "ignature=" not in str(caught.value)


def test_a_storage_that_cannot_be_reached_is_an_error_without_the_address() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        bucket = Bucket(f"http://127.0.0.1:{unused.getsockname()[1]}/b", "us-east-1", KEYS)
        with pytest.raises(StorageError) as caught:
            bucket.delete("a")
    assert str(caught.value) == "DELETE: URLError"


def test_the_host_says_which_signature_a_bucket_takes() -> None:
    for url in (COS, "https://photos-1250000000.cos-internal.ap-guangzhou.tencentcos.cn"):
        assert "q-signature=" in Bucket(url, "", KEYS).view_url("a", 60)
    for url in ("https://photos.s3.eu-west-1.amazonaws.com", "https://photos.s3.oss-cn-hangzhou.aliyuncs.com"):
        assert "X-Amz-Signature=" in Bucket(url, "eu-west-1", KEYS).view_url("a", 60)


@pytest.mark.parametrize(
    ("names", "url", "parameter"),
    [
        (
            ("TENCENTCLOUD_SECRETID", "TENCENTCLOUD_SECRETKEY", "TENCENTCLOUD_SESSIONTOKEN"),
            COS,
            "x-cos-security-token",
        ),
        (
            ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
            "https://photos.s3.eu-west-1.amazonaws.com",
            "X-Amz-Security-Token",
        ),
        (
            ("ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_SECURITY_TOKEN"),
            "https://photos.s3.oss-cn-hangzhou.aliyuncs.com",
            "X-Amz-Security-Token",
        ),
    ],
)
def test_the_roles_credentials_are_read_for_each_url_and_their_token_goes_along(
    names: tuple[str, str, str], url: str, parameter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = Bucket(url, "eu-west-1")
    for token in ("first+/=", "second"):  # the platform replaces them while the instance lives
        for name, value in zip(names, ("id", "secret", token), strict=True):
            monkeypatch.setenv(name, value)
        assert role_credentials() == Credentials("id", "secret", token)
        for signed in (bucket.view_url("a", 60), bucket.upload_url("a", HEADERS, 60)):
            assert parse_qs(urlsplit(signed).query)[parameter] == [token]
    assert bucket.check_credentials() == "the function's role"


def test_without_credentials_the_error_says_what_to_set() -> None:
    with pytest.raises(StorageError, match="set a key, or give the function a role"):
        Bucket(COS).view_url("a", 60)


def test_a_key_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "photos", "/photos/file/", "secret")
    with pytest.raises(SuspiciousFileOperation):
        folder.delete("../db.sqlite3")
