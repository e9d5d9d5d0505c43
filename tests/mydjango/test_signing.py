"""Signed URLs equal those of the official SDKs, byte for byte."""

from __future__ import annotations

import datetime
from typing import Any

import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as AwsCredentials
from hypothesis import given
from hypothesis import strategies as st
from qcloud_cos import CosConfig, CosS3Client

from mydjango.object_storage.signing import Credentials, cos_url, s3_url

NOW = 1_795_000_000
KEY = "photos/2026/11/22/0123456789abcdef0123456789abcdef.jpg"
LASTING = Credentials("AKIDexample", "secret/with+signs=")
TEMPORARY = LASTING._replace(token="a+token/of the role==&?")
UPLOAD = {"Content-Type": "image/jpeg", "Content-Length": "412345"}
REGION = "ap-guangzhou"
BUCKET = "survey-photos-1250000000"
COS_HOST = f"{BUCKET}.cos.{REGION}.myqcloud.com"


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qcloud_cos.cos_auth.time.time", lambda: NOW)
    moment = datetime.datetime.fromtimestamp(NOW, datetime.timezone.utc)
    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *args, **options: moment)


def sdk_cos_url(method: str, key: str, headers: dict[str, str], credentials: Credentials, seconds: int) -> str:
    keys = {"SecretId": credentials.key_id, "SecretKey": credentials.secret, "Token": credentials.token or None}
    client = CosS3Client(CosConfig(Region=REGION, **keys))
    token = {"x-cos-security-token": credentials.token} if credentials.token else {}
    url: str = client.get_presigned_url(
        BUCKET, key, method, Expired=seconds, Headers={**headers, "Host": COS_HOST}, Params=token
    )
    return url.replace("+", "%20")  # the SDK joins the query as a form; both spell a space


def sdk_s3_url(method: str, url: str, headers: dict[str, str], credentials: Credentials, seconds: int) -> str:
    given = AwsCredentials(credentials.key_id, credentials.secret, credentials.token or None)
    request = AWSRequest(method, url, headers=headers)
    botocore.auth.S3SigV4QueryAuth(given, "s3", REGION, seconds).add_auth(request)
    signed: str = request.url
    return signed


CASES = [
    pytest.param(method, headers, credentials, id=f"{method}-{'temporary' if credentials.token else 'lasting'}")
    for method, headers in (("PUT", UPLOAD), ("GET", {}), ("DELETE", {}))
    for credentials in (LASTING, TEMPORARY)
]


@pytest.mark.parametrize(("method", "headers", "credentials"), CASES)
def test_cos_signs_as_tencents_sdk(method: str, headers: dict[str, str], credentials: Credentials) -> None:
    url = cos_url(method, f"https://{COS_HOST}/{KEY}", headers, credentials, seconds=900, now=NOW)
    assert url == sdk_cos_url(method, KEY, headers, credentials, 900)


@pytest.mark.parametrize("host", ["bucket.s3.eu-west-1.amazonaws.com", "127.0.0.1:9000/bucket"])
@pytest.mark.parametrize(("method", "headers", "credentials"), CASES)
def test_s3_signs_as_botocore(method: str, headers: dict[str, str], credentials: Credentials, host: str) -> None:
    address = f"https://{host}/{KEY}"
    url = s3_url(method, address, headers, credentials, seconds=600, now=NOW, region=REGION)
    assert url == sdk_s3_url(method, address, headers, credentials, 600)


TEXTS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)


@given(secret=TEXTS, token=TEXTS, kind=TEXTS, length=st.integers(1, 2_000_000), seconds=st.integers(1, 604_800))
def test_both_sign_whatever_is_given_as_the_sdks(secret: str, token: str, kind: str, length: int, seconds: int) -> None:
    credentials = Credentials("AKID", secret, token)
    headers = {"Content-Type": f"image/{kind}", "Content-Length": str(length)}
    rest: dict[str, Any] = {"seconds": seconds, "now": NOW}
    url = cos_url("PUT", f"https://{COS_HOST}/{KEY}", headers, credentials, **rest)
    assert url == sdk_cos_url("PUT", KEY, headers, credentials, seconds)
    address = "https://bucket.s3.eu-west-1.amazonaws.com/" + KEY
    signed = s3_url("PUT", address, headers, credentials, region=REGION, **rest)
    assert signed == sdk_s3_url("PUT", address, headers, credentials, seconds)


@pytest.mark.parametrize("name", list(UPLOAD))
def test_length_and_type_are_signed(name: str) -> None:
    without = {other: value for other, value in UPLOAD.items() if other != name}
    for sign, rest in ((cos_url, {}), (s3_url, {"region": REGION})):
        signatures = {
            sign("PUT", f"https://{COS_HOST}/{KEY}", headers, LASTING, seconds=900, now=NOW, **rest)[-40:]
            for headers in (UPLOAD, UPLOAD | {name: UPLOAD[name] + "0"}, without)
        }
        assert len(signatures) == 3
