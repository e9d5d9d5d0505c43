"""`deploy` lets pages of the public URL upload to the bucket that the project's table names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from faaskit.scf import bucket_cors
from faaskit.scf.api import Credentials, DeployError
from faaskit.scf.planned import PlannedBucket
from faaskit.scf.upload import Bucket
from tests.support.fake_scf import SECRET_ID, SECRET_KEY, FakeScf

FAASKIT = Path(bucket_cors.__file__).parents[1]
ADDRESS = "https://photos-1250000000.cos.ap-guangzhou.myqcloud.com"
URL = "https://survey.example.com"


@pytest.fixture
def opened() -> list[tuple[str, str]]:
    return []


def allow(address: str, url: str, opened: list[Any]) -> list[str]:
    """Return what is reported."""

    class Recording:
        def allow_uploads(self, origin: str) -> None:
            opened.append(origin)

    def open_bucket(name: str, region: str) -> Any:
        opened.append((name, region))
        return Recording()

    lines: list[str] = []
    bucket_cors.allow(address, url, open_bucket, lines.append)
    return lines


@pytest.mark.parametrize(
    ("address", "bucket"),
    [
        (ADDRESS, ("photos-1250000000", "ap-guangzhou")),
        ("https://my-photos-1250000000.cos.ap-beijing.tencentcos.cn", ("my-photos-1250000000", "ap-beijing")),
    ],
)
def test_the_buckets_name_and_region_are_those_of_its_address(
    address: str, bucket: tuple[str, str], opened: list[Any]
) -> None:
    assert allow(address, f"{URL}/", opened) == [f"Bucket {bucket[0]}: pages of {URL} may upload."]
    assert opened == [bucket, URL]


@pytest.mark.parametrize(
    ("address", "url", "reason"),
    [
        ("https://photos.s3.eu-west-1.amazonaws.com", URL, "is no bucket of COS"),
        (ADDRESS, "", "the function has no public URL"),
    ],
)
def test_what_cannot_be_written_is_reported(address: str, url: str, reason: str, opened: list[Any]) -> None:
    [line] = allow(address, url, opened)
    assert reason in line
    assert opened == []


def test_the_rule_reaches_the_bucket_as_the_sdk_writes_it() -> None:
    with FakeScf() as fake:
        fake.buckets["photos-1250000000"] = {}
        bucket = Bucket("photos-1250000000", "ap-guangzhou", Credentials(SECRET_ID, SECRET_KEY, ""), fake.endpoint)
        bucket.allow_uploads(URL)
        [rule] = fake.buckets["photos-1250000000"].values()
        for part in (f"<AllowedOrigin>{URL}<", "<AllowedMethod>PUT<", "<AllowedHeader>content-type<"):
            assert part.encode() in rule
        missing = Bucket("no-such-1250000000", "ap-guangzhou", Credentials(SECRET_ID, SECRET_KEY, ""), fake.endpoint)
        with pytest.raises(DeployError, match="COS bucket no-such-1250000000"):
            missing.allow_uploads(URL)


def test_a_dry_run_prints_the_rule(capsys: pytest.CaptureFixture[str]) -> None:
    PlannedBucket("photos-1250000000").allow_uploads(URL)
    printed = capsys.readouterr().out
    assert printed.startswith("PutBucketCORS")
    assert URL in printed


def test_the_kit_says_nothing_of_the_survey() -> None:
    for file in FAASKIT.rglob("*.py"):
        assert not re.search("survey|photo", file.read_text("utf-8"), re.IGNORECASE), file
