"""The rate limit of submissions by address and branch, and the traps for programs that fill in forms."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from survey import limits
from survey.guest import services
from survey.guest.visit import VisitForm
from survey.models import AttemptWindow, Branch, Submission

pytestmark = pytest.mark.django_db

VALID = {"name": "Tom", "phone": "1234567890", "satisfaction": 5}


def post(client: Client, address: str = "192.0.2.1", **values: Any) -> Any:
    return client.post("/submitSurvey", {**VALID, **values}, content_type="application/json", REMOTE_ADDR=address)


def count_submission(address: str, submission: Submission) -> None:
    window = limits.submission_window(address, submission)
    assert window
    window.count_one()


def test_over_the_limit_is_429_with_retry_after(client: Client, settings: Any) -> None:
    settings.SUBMISSIONS_PER_HOUR = 2
    assert [post(client).status_code for _submission in range(3)] == [201, 201, 429]
    refused = post(client)
    assert 1 <= int(refused["Retry-After"]) <= 3600
    assert refused["Content-Type"] == "application/problem+json"
    assert Submission.objects.count() == 2
    assert post(client, address="192.0.2.2").status_code == 201


def test_a_retry_with_a_known_key_does_not_count(client: Client, settings: Any) -> None:
    settings.SUBMISSIONS_PER_HOUR = 1
    assert [post(client, submission_id="one").status_code for _retry in range(3)] == [201, 201, 201]
    assert post(client, submission_id="two").status_code == 429


def test_a_guest_over_the_limit_keeps_what_was_typed(client: Client, settings: Any) -> None:
    settings.SUBMISSIONS_PER_HOUR = 1
    client.post("/submitSurvey", VALID)
    page = client.post("/submitSurvey", {**VALID, "name": "王芳"})
    assert (page.status_code, "Retry-After" in page) == (429, True)
    assert 'value="王芳"' in page.content.decode()


def test_each_branch_has_its_own_hour(settings: Any) -> None:
    settings.SUBMISSIONS_PER_HOUR = 1
    one, two = (Branch.objects.create(code=code, name=code) for code in ("gz-01", "gz-02"))
    count_submission("192.0.2.1", Submission(branch=one))
    count_submission("192.0.2.1", Submission(branch=two))
    with pytest.raises(limits.TooManyAttempts):
        count_submission("192.0.2.1", Submission(branch=one))


@pytest.mark.parametrize(("limit", "address"), [(0, "192.0.2.1"), (1, "")])
def test_without_a_limit_or_an_address_nothing_is_counted(
    client: Client, settings: Any, limit: int, address: str
) -> None:
    settings.SUBMISSIONS_PER_HOUR = limit
    assert [post(client, address).status_code for _submission in range(3)] == [201] * 3
    assert not AttemptWindow.objects.exists()


def test_no_address_is_stored(client: Client) -> None:
    post(client, address="192.0.2.77")
    assert "192.0.2.77" not in str(list(AttemptWindow.objects.values()) + list(Submission.objects.values()))


def test_the_hash_changes_daily_and_with_the_network_only() -> None:
    def keys(address: str, day: int = 20) -> set[str]:
        AttemptWindow.objects.all().delete()
        count_submission(address, Submission(local_date=date(2026, 11, day)))
        return set(AttemptWindow.objects.values_list("key", flat=True))

    assert keys("192.0.2.1") != keys("192.0.2.1", 21)
    assert keys("2001:db8::1") == keys("2001:db8::2")
    assert keys("2001:db8::1") != keys("2001:db8:0:1::1")
    assert keys("::ffff:192.0.2.1") == keys("192.0.2.1")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0:7:ffff::1", "2001:db8:0:7::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("not an address", "not an address"),
    ],
)
def test_what_counts_as_one_client(address: str, network: str) -> None:
    assert limits.network(address) == network


def test_an_hour_begins_with_the_first_submission(client: Client, settings: Any) -> None:
    settings.SUBMISSIONS_PER_HOUR = 1
    assert [post(client).status_code for _submission in range(2)] == [201, 429]
    AttemptWindow.objects.update(ends_at=timezone.now())
    assert [post(client).status_code for _submission in range(2)] == [201, 429]


def test_who_is_over_the_limit_may_send_again_after_an_hour(
    client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SUBMISSIONS_PER_HOUR = 1
    start = datetime(2026, 3, 18, 12, tzinfo=timezone.get_default_timezone())
    seen = []
    for minutes in (0, 0, 59, 60):
        monkeypatch.setattr(timezone, "now", lambda now=start + timedelta(minutes=minutes): now)
        response = post(client)
        seen.append((response.status_code, response.get("Retry-After")))
    assert seen == [(201, None), (429, "3600"), (429, "60"), (201, None)]


def test_counting_takes_one_statement_of_a_submission(
    settings: Any, django_assert_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    settings.SUBMISSIONS_PER_HOUR = 3

    def submit() -> None:
        services.submission_create(Submission(satisfaction=5, language="en"), content={}, address="192.0.2.1")

    with django_assert_num_queries(7):  # SAVEPOINT, INSERT, UPDATE, key and day, the new window, UPDATE, RELEASE
        submit()
    with django_assert_num_queries(4):  # SAVEPOINT, INSERT, UPDATE with key and day, RELEASE
        submit()
    AttemptWindow.objects.update(ends_at=timezone.now())
    with django_assert_num_queries(4):
        submit()


class TestPrograms:
    def page_fields(self, **values: str) -> dict[str, Any]:
        return {**VALID, **VisitForm.fresh().initial, **values}

    def test_a_page_sent_at_once_is_asked_to_send_again(self, client: Client, settings: Any) -> None:
        settings.MINIMUM_FILL_SECONDS = 100
        fields = self.page_fields()
        page = client.post("/submitSurvey", fields)
        assert (page.status_code, page["Retry-After"]) == (429, "100")
        assert f'value="{fields["started"]}"' in page.content.decode()
        assert 'value="Tom"' in page.content.decode()
        assert not Submission.objects.exists()

    def test_a_page_sent_after_that_time_is_taken(
        self, client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.MINIMUM_FILL_SECONDS = 100
        fields = self.page_fields()
        import django.core.signing

        now = django.core.signing.time.time()
        monkeypatch.setattr("django.core.signing.time.time", lambda: now + 102)
        assert client.post("/submitSurvey", fields).status_code == 302

    def test_0_switches_the_minimum_off(self, client: Client, settings: Any) -> None:
        settings.MINIMUM_FILL_SECONDS = 0
        assert client.post("/submitSurvey", self.page_fields()).status_code == 302

    def test_a_forged_time_is_asked_once_more(self, client: Client) -> None:
        page = client.post("/submitSurvey", self.page_fields(started=":1tabcd:forged"))
        assert page.status_code == 400
        assert "forged" not in page.context["visit"].initial["started"]

    def test_the_honeypot_must_stay_empty(self, client: Client, settings: Any) -> None:
        settings.MINIMUM_FILL_SECONDS = 0
        page = client.post("/submitSurvey", self.page_fields(website="http://spam.example"))
        assert page.status_code == 400
        assert "website" not in page.context["visit"].initial
        assert not Submission.objects.exists()

    def test_a_form_and_json_without_these_fields_are_taken(self, client: Client) -> None:
        assert client.post("/submitSurvey", VALID).status_code == 302
        assert post(client).status_code == 201
