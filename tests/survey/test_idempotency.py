"""A submission that is sent twice is counted once."""

from __future__ import annotations

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client

from survey.jobs import retention
from survey.models import Branch, OutgoingMail, Submission
from tests.support.eventually import eventually, lock_waits

VALID = {"name": "Tom", "phone": "1234567890", "satisfaction": 5, "email": "tom@example.com"}
KEY = "0b6f3a52-8c0e-4f8e-9a53-3f6f6f0f5f10"


def post(client: Client, key: str | None = KEY, header: str | None = None, **values: Any) -> Any:
    body = {**VALID, **values} | ({} if key is None else {"submission_id": key})
    headers = {} if header is None else {"Idempotency-Key": header}
    return client.post("/submitSurvey", body, content_type="application/json", headers=headers)


@pytest.mark.django_db
class TestOneKey:
    def test_the_same_submission_again_gets_the_first_response(self, client: Client) -> None:
        first, second = post(client), post(client)
        assert (first.status_code, second.status_code) == (201, 201)
        assert first.json() == second.json()
        assert "Idempotent-Replayed" not in first
        assert second["Idempotent-Replayed"] == "true"
        assert (Submission.objects.count(), OutgoingMail.objects.count()) == (1, 1)

    def test_a_retry_is_logged_by_the_submission_it_repeats(
        self, client: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        post(client)
        post(client)
        of_services = [record for record in caplog.records if record.name == "survey.guest.services"]
        logged = [(record.getMessage(), getattr(record, "submission", None)) for record in of_services]
        pk = Submission.objects.get().pk
        assert logged == [("submission.accepted", pk), ("submission.replayed", pk)]

    def test_other_content_is_422(self, client: Client) -> None:
        post(client)
        other = post(client, satisfaction=1)
        assert other.status_code == 422
        assert other["Content-Type"] == "application/problem+json"
        assert Submission.objects.get().satisfaction == 5

    def test_body_and_header_are_one_key(self, client: Client) -> None:
        post(client, key=KEY)
        assert post(client, key=None, header=KEY)["Idempotent-Replayed"] == "true"
        assert post(client, key=KEY, header=KEY)["Idempotent-Replayed"] == "true"

    def test_json_and_form_are_one_submission(self, client: Client) -> None:
        post(client)
        form = client.post("/submitSurvey", {**VALID, "submission_id": KEY})
        assert form["Idempotent-Replayed"] == "true"
        assert form["Location"] == f"/thanks/{Submission.objects.get().reference}"

    def test_a_retry_is_recognised_though_its_branch_has_another_name_by_now(self, client: Client) -> None:
        branch = Branch.objects.create(code="north", name="北店")
        post(client, branch="north")
        Branch.objects.filter(pk=branch.pk).update(name="新北店", name_en="North")
        assert post(client, branch="north")["Idempotent-Replayed"] == "true"

    def test_a_retry_after_the_erasure_still_counts_once(self, client: Client) -> None:
        first = post(client).json()
        retention.erase(Submission.objects.all())
        again = post(client)
        # Without a token: there is nothing left to erase.
        assert again.json() == {"id": first["id"], "reference": first["reference"]}
        assert again["Idempotent-Replayed"] == "true"
        assert (Submission.objects.count(), OutgoingMail.objects.count()) == (1, 0)

    def test_a_retry_after_the_erasure_and_a_change_of_the_secret_key_still_counts_once(
        self, client: Client, settings: Any
    ) -> None:
        first = post(client).json()
        retention.erase(Submission.objects.all())
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
        assert post(client).json()["id"] == first["id"]
        assert Submission.objects.count() == 1


@pytest.mark.django_db
class TestKeys:
    @pytest.mark.parametrize("other", ["KEY-É", "key-e", "key-é ", "key-é\u200b", "key-🍜"])
    def test_keys_that_a_collation_takes_for_equal_are_not(self, client: Client, other: str) -> None:
        assert post(client, key="key-é").json() != post(client, key=other).json()
        assert Submission.objects.count() == 2

    def test_without_a_key_every_submission_counts(self, client: Client) -> None:
        assert post(client, key=None).json() != post(client, key=None).json()

    def test_the_key_itself_is_not_stored(self, client: Client) -> None:
        post(client)
        assert KEY not in str(Submission.objects.values().get())

    def test_a_key_has_up_to_255_characters(self, client: Client) -> None:
        assert post(client, key="匙" * 255).status_code == 201
        assert list(post(client, key="x" * 256).json()["errors"]) == ["submission_id"]
        assert list(post(client, key=None, header="x" * 256).json()["errors"]) == ["Idempotency-Key"]

    def test_a_key_that_is_no_string_is_an_error(self, client: Client) -> None:
        response = post(client, key=5)  # type: ignore[arg-type]
        assert (response.status_code, list(response.json()["errors"])) == (400, ["submission_id"])

    def test_a_header_that_differs_from_the_body_is_400(self, client: Client) -> None:
        response = post(client, key="one", header="two")
        assert (response.status_code, list(response.json()["errors"])) == (400, ["Idempotency-Key"])
        assert not Submission.objects.exists()

    def test_a_submission_with_errors_does_not_use_its_key_up(self, client: Client) -> None:
        assert post(client, satisfaction=9).status_code == 400
        assert post(client).status_code == 201


@pytest.mark.django_db
class TestPage:
    def test_each_visit_has_its_own_key(self, client: Client) -> None:
        pages = [client.get("/").content.decode() for _visit in range(2)]
        keys = {re.search(r'name="submission_id" value="([^"]+)"', page)[1] for page in pages}
        assert len(keys) == 2

    def test_the_page_with_errors_keeps_the_key(self, client: Client) -> None:
        page = client.post("/submitSurvey", {**VALID, "name": "", "submission_id": KEY})
        assert page.status_code == 400
        assert f'value="{KEY}"' in page.content.decode()

    def test_other_content_under_a_used_key_is_redisplayed_with_a_new_one(self, client: Client) -> None:
        post(client)
        page = client.post("/submitSurvey", {**VALID, "name": "Jerry", "submission_id": KEY})
        assert page.status_code == 422
        assert KEY not in page.content.decode()
        assert 'value="Jerry"' in page.content.decode()
        new_key = page.context["visit"].initial["submission_id"]
        assert client.post("/submitSurvey", {**VALID, "name": "Jerry", "submission_id": new_key}).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_twenty_threads_with_one_key_make_one_submission_and_one_mail() -> None:
    def submit(_number: int) -> Any:
        try:
            return post(Client())
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as threads:
        responses = list(threads.map(submit, range(20)))
    assert {response.status_code for response in responses} == {201}
    assert len({response.content for response in responses}) == 1
    assert sum("Idempotent-Replayed" not in response for response in responses) == 1
    assert (Submission.objects.count(), OutgoingMail.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "mysql", reason="SQLite has one writer at a time")
def test_a_retry_that_waits_for_the_erasure_of_the_first_counts_once() -> None:
    first = post(Client()).json()

    def retry() -> Any:
        try:
            return post(Client())
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            retention.erase(Submission.objects.all())
            response = threads.submit(retry)
            eventually(lambda: lock_waits() == 1)
        assert response.result().json() == {"id": first["id"], "reference": first["reference"]}
    assert Submission.objects.count() == 1
