"""Photos: permitted, uploaded to the storage, submitted once, seen by staff of the branch, deleted."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

import index
from mydjango.object_storage.bucket import StorageError
from mydjango.operations import doctor
from survey import photos
from survey.guest import erasure
from survey.jobs import retention
from survey.jobs.photos import delete_due
from survey.models import OutgoingMail, Photo, Submission
from tests.support.chain import Chain
from tests.support.gateways import Setting, sample
from tests.support.object_storage import BUCKET, REFUSALS, refusing_server, s3_server
from tests.support.processes import ROOT

pytestmark = pytest.mark.django_db

VALID = {"name": "Tom", "phone": "1234567890", "satisfaction": 1, "email": "tom@example.com"}
JPEG = b"\xff\xd8\xff\xe0" + b"x" * 96
WEBP = b"RIFF\x00\x00\x00\x00WEBPVP8 " + b"x" * 84
COS = "https://photos-1250000000.cos.ap-guangzhou.myqcloud.com"


@pytest.fixture(scope="module")
def s3() -> Iterator[tuple[str, Any]]:
    with s3_server() as served:
        yield served


@pytest.fixture
def bucket(s3: tuple[str, Any], settings: LazySettings) -> Any:
    """The configured bucket, as boto3's client; empty."""
    url, client = s3
    use_bucket(settings, url)
    for entry in client.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        client.delete_object(Bucket=BUCKET, Key=entry["Key"])
    return client


@pytest.fixture
def folder(settings: LazySettings, tmp_path: Path) -> Path:
    """The configured folder."""
    settings.PHOTO_BUCKET_URL, settings.PHOTO_FOLDER = "", str(tmp_path / "photos")
    return tmp_path / "photos"


def use_bucket(settings: LazySettings, url: str) -> None:
    settings.PHOTO_BUCKET_URL, settings.PHOTO_SECRET_ID, settings.PHOTO_SECRET_KEY = url, "id", "secret"


def permit(client: Client, size: int = len(JPEG), kind: str = "image/jpeg", **headers: Any) -> Any:
    return client.post("/photos", {"type": kind, "size": size}, content_type="application/json", **headers)


def uploaded(client: Client, content: bytes = JPEG, kind: str = "image/jpeg") -> str:
    """Upload a photo as the browser does, and return its key."""
    permitted = permit(client, len(content), kind).json()
    url, headers = permitted["url"], {"Content-Type": kind, "Content-Length": str(len(content))}
    if url.startswith("/"):
        assert client.put(url, content, content_type=kind).status_code == 200
    else:
        with urlopen(Request(url, content, headers, method="PUT")) as response:
            assert response.status == 200
    key: str = permitted["key"]
    return key


def submit(client: Client, **values: Any) -> Submission:
    response = client.post("/submitSurvey", {**VALID, **values}, content_type="application/json")
    assert response.status_code == 201, response.content
    return Submission.objects.get(pk=response.json()["id"])


def keys_of(submission: Submission) -> list[str]:
    return list(submission.photos.values_list("key", flat=True))


def stored_keys(client: Any) -> set[str]:
    return {entry["Key"] for entry in client.list_objects_v2(Bucket=BUCKET).get("Contents", [])}


def age(**by: float) -> None:
    """Make all photos older."""
    Photo.objects.update(created_at=timezone.now() - timedelta(**by))


# --- Upload -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["bucket", "folder"])
def test_an_uploaded_photo_belongs_to_the_submission_that_names_it(
    client: Client, place: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(place)
    keys = [uploaded(client), uploaded(client, WEBP, "image/webp")]
    submission = submit(client, photos=keys)
    assert keys_of(submission) == keys
    assert all(re.fullmatch(photos.KEY, key) for key in keys)


def test_the_url_takes_one_type_one_length_and_one_key_for_a_quarter_of_an_hour(
    client: Client, settings: LazySettings
) -> None:
    use_bucket(settings, COS)
    permitted = permit(client, 412_345).json()
    address = urlsplit(permitted["url"])
    signed = {name: value for name, [value] in parse_qs(address.query).items()}
    assert (f"{address.scheme}://{address.netloc}", address.path) == (COS, f"/{permitted['key']}")
    assert signed["q-header-list"] == "content-length;content-type;host"
    start, end = map(int, signed["q-sign-time"].split(";"))
    assert end - start == 15 * 60 + 60  # and a minute for clocks that differ
    settings.PHOTO_BUCKET_URL = "https://photos.s3.eu-west-1.amazonaws.com"
    signed = {name: value for name, [value] in parse_qs(urlsplit(permit(client).json()["url"]).query).items()}
    assert signed["X-Amz-SignedHeaders"] == "content-length;content-type;host"
    assert signed["X-Amz-Expires"] == "900"


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"type": "image/svg+xml", "size": 100}, "type"),
        ({"type": "text/html", "size": 100}, "type"),
        ({"type": "image/jpeg", "size": 2_000_001}, "size"),
        ({"type": "image/jpeg", "size": 0}, "size"),
        ({"type": "image/jpeg", "size": "100"}, "size"),
        ({"type": "image/jpeg"}, "size"),
    ],
)
def test_no_other_type_and_nothing_larger_is_permitted(
    client: Client, bucket: Any, values: dict[str, Any], wrong: str
) -> None:
    response = client.post("/photos", values, content_type="application/json")
    assert (response.status_code, list(response.json()["errors"])) == (400, [wrong])
    assert not Photo.objects.exists()


def test_uploads_are_counted_by_address(client: Client, bucket: Any, settings: LazySettings) -> None:
    settings.SUBMISSIONS_PER_HOUR = 2
    assert [permit(client).status_code for _ in range(3)] == [201, 201, 429]
    assert int(permit(client)["Retry-After"]) > 3000
    assert permit(client, REMOTE_ADDR="192.0.2.7").status_code == 201
    assert Photo.objects.count() == 3


def test_without_bucket_and_folder_there_are_no_photos(client: Client, settings: LazySettings) -> None:
    settings.PHOTO_BUCKET_URL = settings.PHOTO_FOLDER = ""
    assert client.get("/photos").status_code == permit(client).status_code == 404
    assert client.put("/photos/file/photos/a.jpg?X-Amz-Date=1").status_code == 404
    assert 'data-on=""' in client.get("/").content.decode()
    assert "Photos" not in client.get("/privacy?lang=en").content.decode()


@pytest.mark.parametrize("url", ["", COS])
def test_with_a_bucket_or_a_folder_the_page_offers_photos_and_the_notice_names_them(
    client: Client, folder: Path, settings: LazySettings, url: str
) -> None:
    settings.PHOTO_BUCKET_URL = url
    page = client.get("/?lang=en").content.decode()
    assert 'hidden id="photos" data-on="on" data-src="/photos?lang=en"' in page
    [files] = re.findall(r'<input type="file"[^>]*>', page)
    assert " name=" not in files  # the form sends the keys of the photos alone
    assert "Photos, if you add any" in client.get("/privacy?lang=en").content.decode()
    assert 'data-most="3"' in client.get("/photos?lang=en").content.decode()


# --- Submission -------------------------------------------------------------------------------------------------------


def test_a_retry_names_the_same_photos_and_another_list_is_another_content(client: Client, bucket: Any) -> None:
    keys = [uploaded(client) for _ in range(3)]
    first = submit(client, photos=keys[:2], submission_id="k-1")
    assert submit(client, photos=keys[:2], submission_id="k-1") == first
    other = {**VALID, "photos": keys, "submission_id": "k-1"}
    assert client.post("/submitSurvey", other, content_type="application/json").status_code == 422
    assert keys_of(first) == keys[:2]
    assert Photo.objects.get(key=keys[2]).submission is None


def test_a_photo_belongs_to_the_first_submission_that_names_it(client: Client, bucket: Any) -> None:
    key = uploaded(client)
    first, second = submit(client, photos=[key]), submit(client, photos=[key])
    assert (keys_of(first), keys_of(second)) == ([key], [])


def test_a_photo_that_is_gone_does_not_refuse_the_submission(client: Client, bucket: Any) -> None:
    missing = f"photos/2026/11/22/{'0' * 32}.jpg"
    assert keys_of(submit(client, photos=[missing])) == []


FOUR_KEYS = [f"photos/2026/11/22/{number:032x}.jpg" for number in range(4)]


@pytest.mark.parametrize("names", [["photos/../secret.jpg"], ["https://example.com/a.jpg"], "no list", [5], FOUR_KEYS])
def test_what_is_no_key_is_an_error_of_the_field(client: Client, bucket: Any, names: Any) -> None:
    response = client.post("/submitSurvey", {**VALID, "photos": names}, content_type="application/json")
    assert (response.status_code, list(response.json()["errors"])) == (400, ["photos"])


def test_a_failed_transaction_leaves_the_photos_to_the_retry(
    client: Client, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = uploaded(client)
    client.raise_request_exception = False
    with monkeypatch.context() as failing:
        failing.setattr("survey.guest.services.submission_window", lambda *args: 1 / 0)
        response = client.post("/submitSurvey", {**VALID, "photos": [key]}, content_type="application/json")
        assert response.status_code == 500
    assert Photo.objects.get().submission is None
    assert keys_of(submit(client, photos=[key])) == [key]


def test_a_redisplayed_page_keeps_the_keys(client: Client, bucket: Any) -> None:
    key = uploaded(client)
    page = client.post("/submitSurvey", {"photos": [key], "comment": "typed"}).content.decode()
    assert f'<input type="hidden" name="photos" value="{key}"' in page


# --- Reading ----------------------------------------------------------------------------------------------------------


def thumbnails(client: Client, submission: Submission) -> list[str]:
    page = client.get(f"/dashboard/responses/{submission.reference}/")
    return [unescape(url) for url in re.findall(r'<img src="([^"]+)"', page.content.decode())]


@pytest.mark.parametrize("place", ["bucket", "folder"])
def test_staff_see_the_photos_for_ten_minutes(
    client: Client, chain: Chain, place: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(place)
    submission = submit(client, photos=[uploaded(client)], branch="north")
    client.force_login(chain.north_manager)
    [url] = thumbnails(client, submission)
    assert "X-Amz-Expires=600" in url
    if place == "bucket":
        with urlopen(url) as response:
            assert response.read() == JPEG
    else:
        assert client.get(url).content == JPEG


def test_a_manager_sees_the_photos_of_the_own_branch_alone(client: Client, chain: Chain, bucket: Any) -> None:
    submission = submit(client, photos=[uploaded(client)], branch="north")
    for user, count in ((chain.north_manager, 1), (chain.south_manager, 0), (chain.stranger, 0), (chain.head, 1)):
        client.force_login(user)
        assert len(thumbnails(client, submission)) == count


def test_no_mail_and_no_export_holds_a_photo(client: Client, chain: Chain, bucket: Any) -> None:
    key = uploaded(client)
    submit(client, photos=[key], branch="north", comment="cold")
    client.force_login(chain.head)
    export = client.get("/dashboard/export.csv", {"personal": "1"}).getvalue().decode()
    texts = [mail.subject + mail.body for mail in OutgoingMail.objects.all()]
    assert texts
    assert "cold" in export
    for text in (*texts, export):
        assert key not in text
        assert "Signature" not in text


def test_the_policy_names_the_bucket_alone() -> None:
    code = "import json; from mydjango import settings as s; print(json.dumps(s.SECURE_CSP))"
    policies = []
    for url in ("", COS, "https://minio.example.com/photos"):
        environment = {**os.environ, "PHOTO_BUCKET_URL": url}
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, check=True)
        policies.append(json.loads(done.stdout))
    without, *with_bucket = policies
    for policy, source in zip(with_bucket, (COS, "https://minio.example.com/photos/"), strict=True):
        assert policy["img-src"] == [*without["img-src"], source]
        assert policy["connect-src"] == [*without["connect-src"], source]
        assert {**policy, "img-src": 0, "connect-src": 0} == {**without, "img-src": 0, "connect-src": 0}


# --- Deletion ---------------------------------------------------------------------------------------------------------


def test_the_job_deletes_what_nobody_submitted_and_nothing_else(client: Client, bucket: Any) -> None:
    unsent, recent, kept = (uploaded(client) for _ in range(3))
    submit(client, photos=[kept])
    age(days=3)
    Photo.objects.filter(key=recent).update(created_at=timezone.now() - timedelta(hours=47))
    assert delete_due(10) == 1
    assert stored_keys(bucket) == {recent, kept}
    assert set(Photo.objects.values_list("key", flat=True)) == {recent, kept}
    assert unsent not in stored_keys(bucket)


def test_update_figures_runs_the_job(client: Client, bucket: Any) -> None:
    uploaded(client)
    age(days=3)
    output = StringIO()
    call_command("update_figures", stdout=output)
    assert "1 photos deleted" in output.getvalue()


def test_an_erasure_queues_the_photos_and_waits_for_no_storage(client: Client, bucket: Any) -> None:
    key = uploaded(client)
    submission = submit(client, photos=[key])
    other = submit(client, photos=[uploaded(client)])
    erasure.erase_by_guest(submission)
    assert keys_of(submission) == []
    assert key in stored_keys(bucket)
    assert delete_due(10) == 0  # the URL of the upload is still valid
    age(minutes=16)
    assert delete_due(10) == 1
    assert stored_keys(bucket) == set(keys_of(other))


def test_retention_queues_the_photos(client: Client, bucket: Any, settings: LazySettings) -> None:
    submission = submit(client, photos=[uploaded(client)])
    Submission.objects.update(local_date=timezone.localdate() - timedelta(days=31))
    settings.RETENTION_DAYS = 30
    call_command("erase_submissions", stdout=StringIO())
    age(minutes=16)
    assert delete_due(10) == 1
    assert keys_of(submission) == []
    assert not stored_keys(bucket)


def test_the_nightly_job_finds_photos_of_what_the_release_before_erased(client: Client, bucket: Any) -> None:
    submit(client, photos=[uploaded(client)])
    Submission.objects.update(erased_at=timezone.now())
    call_command("erase_submissions", stdout=StringIO())
    age(minutes=16)
    assert delete_due(10) == 1


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_failed_deletion_is_tried_again_and_doctor_says_so(
    client: Client, bucket: Any, settings: LazySettings, refusal: str, caplog: pytest.LogCaptureFixture
) -> None:
    key = uploaded(client)
    submission = submit(client, photos=[key])
    retention.erase(Submission.objects.filter(pk=submission.pk))
    age(minutes=16)
    url = settings.PHOTO_BUCKET_URL
    with refusing_server(*REFUSALS[refusal]) as refusing, caplog.at_level(logging.ERROR):
        settings.PHOTO_BUCKET_URL = refusing
        assert delete_due(10) == 0
        assert delete_due(10) == 0  # not before a pause
    photo = Photo.objects.get()
    assert (photo.attempts, photo.last_error) == (1, f"DELETE: HTTP {REFUSALS[refusal][0]} {code_of(refusal)}")
    assert [record.getMessage() for record in caplog.records].count("photo.not_deleted") == 1
    is_well, sentence = doctor_of("photos")
    assert not is_well
    assert code_of(refusal) in sentence
    settings.PHOTO_BUCKET_URL = url
    Photo.objects.update(delete_at=timezone.now())
    assert delete_due(10) == 1
    assert key not in stored_keys(bucket)


def code_of(refusal: str) -> str:
    return REFUSALS[refusal][1].partition("<Code>")[2].partition("</Code>")[0]


def test_pauses_grow_and_end_at_four_hours(client: Client, settings: LazySettings) -> None:
    use_bucket(settings, "http://127.0.0.1:9")  # nothing listens there
    Photo.objects.create(key=f"photos/2026/11/22/{0:032x}.jpg", delete_at=timezone.now())
    age(minutes=16)
    pauses = []
    for attempts in (0, 1, 5, 50):
        Photo.objects.update(attempts=attempts, delete_at=timezone.now())
        before = timezone.now()
        delete_due(10)
        pauses.append(round((Photo.objects.get().delete_at - before).total_seconds() / 60))
    assert pauses == [1, 2, 32, 240]


# --- What is stored ---------------------------------------------------------------------------------------------------


def stored_event(key: str, size: int, kind: str) -> dict[str, Any]:
    """Return the event that COS or S3 sends for a stored object."""
    if kind == "s3":
        return {"Records": [{"eventSource": "aws:s3", "s3": {"object": {"key": key, "size": size}}}]}
    event = sample("cos")
    event["Records"][0]["cos"]["cosObject"].update(key=f"/1250000000/photos/{key}", size=size)
    return event


@pytest.fixture
def check(bridge_setting: Setting) -> Any:
    handler = "survey.jobs.photo_check:check_stored"
    bridge_setting("EVENT_HANDLERS", f"cos={handler}; s3={handler}")
    return lambda key, kind="cos": index.main_handler(stored_event(key, 1, kind), {})


pytest_transaction = pytest.mark.django_db(transaction=True)  # the handler closes its connection


@pytest_transaction
@pytest.mark.parametrize("kind", ["cos", "s3"])
def test_a_stored_photo_is_kept(client: Client, bucket: Any, check: Any, kind: str) -> None:
    for content, media in ((JPEG, "image/jpeg"), (WEBP, "image/webp")):
        assert check(uploaded(client, content, media), kind) == {"kept": 1, "deleted": 0}
    age(minutes=16)
    assert delete_due(10) == 0


@pytest_transaction
@pytest.mark.parametrize(
    "content",
    [b"<html><script>alert(1)</script>", b"", WEBP, b"\x89PNG\r\n\x1a\n", JPEG + b"x" * 2_000_000],
    ids=["html", "empty", "webp", "png", "large"],
)
def test_anything_else_is_deleted_and_logged(
    client: Client, bucket: Any, check: Any, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    key = uploaded(client)
    submission = submit(client, photos=[key])
    bucket.put_object(Bucket=BUCKET, Key=key, Body=content)
    with caplog.at_level(logging.ERROR):
        assert check(key) == {"kept": 0, "deleted": 1}
    [record] = [record for record in caplog.records if record.getMessage() == "photo.refused"]
    assert record.bytes == len(content)  # type: ignore[attr-defined]
    assert keys_of(submission) == []
    age(minutes=16)
    assert delete_due(10) == 1
    assert not stored_keys(bucket)


@pytest_transaction
def test_an_object_that_nobody_was_permitted_is_deleted_and_others_of_the_bucket_are_not_ours(
    bucket: Any, check: Any
) -> None:
    unknown = f"photos/2026/11/22/{1:032x}.jpg"
    for key in (unknown, "menus/today.jpg"):
        bucket.put_object(Bucket=BUCKET, Key=key, Body=JPEG)
    assert check(unknown) == {"kept": 0, "deleted": 1}
    assert check("menus/today.jpg") == {"kept": 0, "deleted": 0}
    assert delete_due(10) == 1
    assert stored_keys(bucket) == {"menus/today.jpg"}


@pytest_transaction
def test_an_object_that_is_gone_is_no_error_and_a_storage_that_is_away_is_one(
    client: Client, bucket: Any, check: Any, settings: LazySettings
) -> None:
    assert check(permit(client).json()["key"]) == {"kept": 1, "deleted": 0}
    settings.PHOTO_BUCKET_URL = "http://127.0.0.1:9"
    with pytest.raises(StorageError):  # the platform passes the event again
        check(f"photos/2026/11/22/{1:032x}.jpg")


# --- The folder -------------------------------------------------------------------------------------------------------


def test_the_folder_refuses_what_a_bucket_refuses(client: Client, folder: Path) -> None:
    permitted = permit(client).json()
    url = permitted["url"]
    other = re.sub(r"[0-9a-f]{32}", "0" * 32, url)
    expired = re.sub(r"X-Amz-Expires=\d+", "X-Amz-Expires=90000", url)
    for address, content, kind in (
        (url, JPEG + b"x", "image/jpeg"),
        (url, JPEG, "text/html"),
        (other, JPEG, "image/jpeg"),
        (expired, JPEG, "image/jpeg"),
        (url.partition("?")[0], JPEG, "image/jpeg"),
    ):
        assert client.put(address, content, content_type=kind).status_code == 403
    assert client.get(url).status_code == 403  # signed for a PUT
    assert not folder.exists()
    assert client.put(url, JPEG, content_type="image/jpeg").status_code == 200
    assert (folder / permitted["key"]).read_bytes() == JPEG


def test_an_expired_url_of_the_folder_is_refused(client: Client, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = permit(client).json()["url"]
    later = time.time() + 901
    monkeypatch.setattr("mydjango.object_storage.folder.time.time", lambda: later)
    assert client.put(url, JPEG, content_type="image/jpeg").status_code == 403


def test_photos_in_the_folder_are_deleted_too(client: Client, folder: Path) -> None:
    key = uploaded(client)
    age(days=3)
    assert delete_due(10) == 1
    assert not (folder / key).exists()


# --- Doctor -----------------------------------------------------------------------------------------------------------


def doctor_of(topic: str) -> tuple[bool, str]:
    [finding] = [finding for finding in doctor.examine() if finding.topic == topic]
    return finding.is_well, finding.sentence


def test_doctor_says_whether_photos_can_be_signed(
    settings: LazySettings, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert doctor_of("photos") == (True, "signed with a key of the account, 0 wait for their deletion")
    settings.PHOTO_SECRET_ID = ""
    for name in ("TENCENTCLOUD_SECRETID", "AWS_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_ID"):
        monkeypatch.delenv(name, raising=False)
    is_well, sentence = doctor_of("photos")
    assert not is_well
    assert "FUNCTION_ROLE" in sentence
    settings.PHOTO_BUCKET_URL = settings.PHOTO_FOLDER = ""
    assert doctor_of("photos")[0]
