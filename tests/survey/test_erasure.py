"""A submission is erased by its guest with a token, by staff at its guest's request, or by staff with permission."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from survey.guest import erase_token, erasure
from survey.jobs import retention
from survey.models import ErasureLog, ErasureRequest, OutgoingMail, Submission
from tests.support.chain import Chain, make_submission

pytestmark = pytest.mark.django_db

SENT = {"name": "Tom", "phone": "13800138000", "satisfaction": 1, "comment": "cold", "email": "tom@example.com"}
KEY = "0b6f3a52-8c0e-4f8e-9a53-3f6f6f0f5f10"
SENTENCE = "If the reference and the phone number belong to an answer"


def submit(client: Client, **values: Any) -> str:
    """Send the form as a browser does and return the path of the thank-you page."""
    return str(client.post("/submitSurvey?lang=en", {**SENT, **values})["Location"])


def hidden_fields(page: Any) -> dict[str, str]:
    """Return the fields that the button on a guest's page sends."""
    main = page.content.decode().partition("<main>")[2].partition("</main>")[0]
    return dict(re.findall(r'type="hidden" name="(\w+)" value="(\w+)"', main))


class TestToken:
    def test_only_the_thank_you_page_in_the_guests_browser_erases(self, client: Client) -> None:
        thanks = submit(client)
        fields = hidden_fields(client.get(thanks))
        submission = Submission.objects.get()
        assert fields["reference"] == submission.reference
        asks = client.post("/erase?lang=en", fields)
        assert asks.status_code == 200
        assert "Erase for good" in asks.content.decode()
        submission.refresh_from_db()
        assert submission.erased_at is None
        done = client.post("/erase?lang=en", hidden_fields(asks))
        assert (done.status_code, done["Location"]) == (302, "/erase/done?lang=en")
        submission.refresh_from_db()
        assert (submission.comment, submission.phone, submission.erase_token_digest) == ("", "", "")
        assert submission.erased_at is not None
        log = ErasureLog.objects.get()
        assert (log.submission, log.event, log.user) == (submission, ErasureLog.Event.TOKEN, None)

    def test_staff_who_know_the_reference_do_not_get_the_token(self, client: Client, chain: Chain) -> None:
        thanks = submit(client)
        token = hidden_fields(client.get(thanks))["token"]
        staff = Client()
        staff.force_login(chain.head)
        page = staff.get(thanks)
        assert page.status_code == 200
        assert token not in page.content.decode()
        assert hidden_fields(page) == {}

    def test_the_cookie_goes_to_this_page_alone_and_to_no_script(self, client: Client, settings: Any) -> None:
        settings.SESSION_COOKIE_SECURE = True
        cookie = client.post("/submitSurvey", SENT).cookies["erase_token"]
        assert cookie["path"] == f"/thanks/{Submission.objects.get().reference}"
        assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax")
        assert cookie["max-age"] == timedelta(days=30).total_seconds()

    def test_a_hash_alone_is_stored(self, client: Client) -> None:
        token = hidden_fields(client.get(submit(client)))["token"]
        assert len(token) == 64
        tables = (Submission, OutgoingMail)
        assert token not in str([list(model.objects.values()) for model in tables])
        assert Submission.objects.get().erase_token_digest == erase_token.digest(token)

    def test_neither_the_dashboard_nor_the_export_nor_a_mail_has_token_or_hash(
        self, client: Client, chain: Chain, settings: Any
    ) -> None:
        settings.PUBLIC_URL = "https://survey.example.com"
        chain.north.manager_email = "north@example.com"
        chain.north.save()
        thanks = submit(client, branch="north")
        token = hidden_fields(client.get(thanks))["token"]
        staff = Client()
        staff.force_login(chain.head)
        reference = Submission.objects.get().reference
        paths = ("follow-up/", "comments/", f"responses/{reference}/", f"responses/{reference}/erase/", "erasures/")
        seen = [staff.get(f"/dashboard/{path}").content.decode() for path in paths]
        seen.append(staff.get("/dashboard/export.csv", {"personal": "1"}).getvalue().decode())
        seen += OutgoingMail.objects.values_list("body", flat=True)
        assert len(seen) == len(paths) + 3  # a receipt and an alert
        for text in seen:
            assert reference in text or "erasures" in text
            assert token not in text
            assert erase_token.digest(token) not in text

    @pytest.mark.parametrize("key", ["", KEY])
    def test_the_page_goes_on_showing_the_button(self, client: Client, key: str) -> None:
        thanks = submit(client, submission_id=key)
        pages = [client.get(thanks), client.get(thanks), client.get(thanks.replace("lang=en", "lang=zh"))]
        assert len({hidden_fields(page)["token"] for page in pages}) == 1

    def test_a_retry_whose_first_response_was_lost_gets_the_same_token(self, client: Client) -> None:
        first = hidden_fields(client.get(submit(client, submission_id=KEY)))
        other = Client()  # which never saw the first response
        assert hidden_fields(other.get(submit(other, submission_id=KEY))) == first
        assert Submission.objects.count() == 1

    def test_a_retry_after_a_change_of_the_secret_key_gets_the_same_token(self, client: Client, settings: Any) -> None:
        first = hidden_fields(client.get(submit(client, submission_id=KEY)))
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another", [settings.SECRET_KEY]
        other = Client()
        assert hidden_fields(other.get(submit(other, submission_id=KEY))) == first

    def test_without_the_content_a_key_gets_no_token(self, client: Client) -> None:
        submit(client, submission_id=KEY)
        refused = Client().post("/submitSurvey", {**SENT, "comment": "other", "submission_id": KEY})
        assert refused.status_code == 422
        assert not refused.cookies

    def test_programs_get_the_token_in_json(self, client: Client) -> None:
        created = client.post("/submitSurvey", {**SENT, "submission_id": KEY}, content_type="application/json")
        body = created.json()
        assert body.keys() == {"id", "reference", "erase_token"}
        sent = {"reference": body["reference"], "token": body["erase_token"], "confirmed": "yes"}
        assert Client(enforce_csrf_checks=True).post("/erase", sent).status_code == 302
        assert Submission.objects.get().erased_at is not None

    def test_a_submission_of_an_earlier_release_gets_no_token_when_it_is_sent_again(self, client: Client) -> None:
        submit(client, submission_id=KEY)
        Submission.objects.update(erase_token_digest="")
        again = Client()
        replayed = again.post("/submitSurvey", {**SENT, "submission_id": KEY}, content_type="application/json")
        assert "erase_token" not in replayed.json()
        assert not replayed.cookies
        page = again.get(replayed["Location"])
        assert hidden_fields(page) == {}
        assert f"/erase?reference={Submission.objects.get().reference}" in page.content.decode()

    def test_opening_an_address_never_erases(self, client: Client) -> None:
        fields = hidden_fields(client.get(submit(client)))
        for path in ("/erase", "/erase/done", "/erase/requested"):
            page = client.get(path, {**fields, "confirmed": "yes"})
            assert page.status_code == 200
            assert fields["token"] not in hidden_fields(page).values()
        assert Submission.objects.get().erased_at is None

    @pytest.mark.parametrize("token", ["", "0" * 64, "é\x00", "\udcff"])
    @pytest.mark.parametrize("reference", ["", "22222222", "of another"])
    def test_a_wrong_token_erases_nothing_and_leads_to_the_request(
        self, client: Client, token: str, reference: str
    ) -> None:
        mine = submit(client)
        other = Submission.objects.create(satisfaction=1, comment="x", language="en")
        token = token if reference else hidden_fields(client.get(mine))["token"]
        token = token.encode("utf-8", "replace").decode()
        sent = {"reference": reference.replace("of another", other.reference), "token": token, "confirmed": "yes"}
        page = client.post("/erase?lang=en", sent)
        assert page.status_code == 400
        assert "This page cannot erase the answer." in page.content.decode()
        assert 'name="phone"' in page.content.decode()
        assert not Submission.objects.exclude(erased_at=None).exists()

    def test_a_second_tap_is_no_error_and_is_logged_once(self, client: Client) -> None:
        thanks = submit(client)
        fields = {**hidden_fields(client.get(thanks)), "confirmed": "yes"}
        assert {client.post("/erase", fields)["Location"] for _tap in range(2)} == {"/erase/done"}
        assert ErasureLog.objects.count() == 1
        page = client.get(thanks)
        assert hidden_fields(page) == {}
        assert "What you told us about yourself is gone." in page.content.decode()
        assert 'href="/erase' not in page.content.decode()

    def test_the_page_that_asks_can_be_read_in_the_other_language(self, client: Client) -> None:
        fields = {**hidden_fields(client.get(submit(client))), "confirmed": "yes", "redisplay": "1"}
        page = client.post("/erase?lang=zh", fields)
        assert page.status_code == 200
        assert "永久删除" in page.content.decode()
        assert Submission.objects.get().erased_at is None

    def test_the_token_takes_no_statement(self, client: Client) -> None:
        values = {"satisfaction": 5, "anonymous": "yes"}
        client.post("/submitSurvey", values)  # the first of its address sends more
        with CaptureQueriesContext(connection) as queries:
            client.post("/submitSurvey", {**values, "submission_id": KEY})
        statements = [query["sql"] for query in queries if "survey_" in query["sql"]]
        assert [sql.split()[0] for sql in statements if re.search(r"\bsurvey_response\b", sql)] == [
            "INSERT",
            "UPDATE",  # counts it, unless a submission with this key was erased
        ]
        assert sum("erase_token_digest" in sql for sql in statements) == 1


class TestRequest:
    @pytest.mark.parametrize(
        ("stored", "given", "filed"),
        [
            ("13800138000", "+86 138-0013-8000", True),
            ("+86 138 0013 8000", "13800138000", True),
            ("13800138000", "１３８００１３８０００", True),
            ("13800138000", "38000", False),
            ("13800138000", "8000", False),
            ("13800138000", "", False),
            ("13800138000", "13900139000", False),
            ("12345", "12345", True),
            ("9912345", "12345", False),
            # Seven digits and more may lack a country code of up to five digits, such as 86 or 00852.
            ("1234567", "861234567", True),
            ("123456", "86123456", False),
            ("13800138000", "0085213800138000", True),
            ("13800138000", "00085213800138000", False),
            ("13800138000", "1380013800086", False),
            ("", "", True),
            ("", "13800138000", True),
        ],
    )
    def test_reference_and_phone_file_a_request_and_erase_nothing(
        self, client: Client, stored: str, given: str, filed: bool
    ) -> None:
        submission = Submission.objects.create(
            reference="7KQ2MXRA", satisfaction=1, comment="secret", phone=stored, name="Tom", language="en"
        )
        sent = client.post("/erase", {"reference": " 7kq2 mxra ", "phone": given})
        assert (sent.status_code, sent["Location"]) == (302, "/erase/requested")
        submission.refresh_from_db()
        assert (submission.comment, submission.erased_at) == ("secret", None)
        assert erasure.waiting(Submission.objects.all()).exists() == filed

    def test_the_response_is_the_same_for_every_outcome(self, client: Client) -> None:
        """Page, statements and tables: a difference could be seen or timed."""
        Submission.objects.create(reference="7KQ2MXRA", satisfaction=1, phone="13800138000", language="en")
        erased = Submission.objects.create(reference="3NP8WDHT", satisfaction=1, phone="13800138000", language="en")
        retention.erase(Submission.objects.filter(pk=erased.pk))
        seen = set()
        for reference, phone in (
            ("7KQ2MXRA", "13800138000"),
            ("7KQ2MXRA", "13800138000"),  # again
            ("7KQ2MXRA", "13900139000"),
            ("22222222", "13800138000"),
            ("3NP8WDHT", "13800138000"),
        ):
            with CaptureQueriesContext(connection) as queries:
                sent = client.post("/erase?lang=en", {"reference": reference, "phone": phone})
            statements = tuple(
                re.split(r"VALUES|WHERE", query["sql"])[0]
                for query in queries
                if "survey_response" in query["sql"] or "erasure" in query["sql"]
            )
            page = client.get(sent["Location"]).content.decode()
            assert SENTENCE in page
            seen.add((sent.status_code, sent["Location"], page, statements))
        assert len(seen) == 1
        assert ErasureRequest.objects.count() == 5

    def test_the_sentence_is_one_in_both_languages(self, client: Client) -> None:
        for language, start in (("en", SENTENCE), ("zh", "如果")):
            page = client.get(f"/erase/requested?lang={language}").content.decode()
            assert page.count(f'<p class="lead">{start}') == 1

    def test_the_number_of_requests_is_limited(self, client: Client) -> None:
        Submission.objects.create(reference="7KQ2MXRA", satisfaction=1, phone="13800138000", language="en")
        guesses = [{"reference": "7KQ2MXRA", "phone": f"1390013900{digit}"} for digit in range(5)]
        assert {client.post("/erase?lang=en", guess).status_code for guess in guesses} == {302}
        refused = client.post("/erase?lang=en", {"reference": "7KQ2MXRA", "phone": "13800138000"})
        assert refused.status_code == 429
        assert int(refused["Retry-After"]) > 0
        assert "Too many attempts. Please try again in 15 minutes." in refused.content.decode()
        assert not erasure.waiting(Submission.objects.all()).exists()
        other = {"reference": "22222222", "phone": "13800138000"}
        assert client.post("/erase?lang=en", other).status_code == 302  # each reference has attempts of its own

    def test_the_timer_deletes_requests_that_fit_nothing_and_leaves_the_others(self, client: Client) -> None:
        submission = Submission.objects.create(satisfaction=1, language="en")
        client.post("/erase", {"reference": submission.reference})
        client.post("/erase", {"reference": "22222222"})
        call_command("erase_submissions", "--older-than", "30", stdout=StringIO())
        assert ErasureRequest.objects.get().submission == submission


@pytest.fixture
def asked(client: Client, chain: Chain) -> Submission:
    """A submission at the north branch, whose guest asked twice for its erasure."""
    submission = make_submission(chain.north, 1, comment="冷了", phone="13800138000")
    for _time in range(2):
        client.post("/erase", {"reference": submission.reference, "phone": "13800138000"})
    return submission


def decide(client: Client, submission: Submission, decision: str) -> Any:
    return client.post(f"/dashboard/responses/{submission.reference}/erase/", {"decision": decision})


class TestStaff:
    def test_head_office_sees_who_waits_and_erases(self, client: Client, chain: Chain, asked: Submission) -> None:
        client.force_login(chain.head)
        assert client.get("/dashboard/follow-up/").context["request_count"] == 1
        page = client.get("/dashboard/erasures/")
        assert list(page.context["waiting"]) == [asked]
        confirmation = client.get(f"/dashboard/responses/{asked.reference}/erase/")
        assert 'value="erase"' in confirmation.content.decode()
        asked.refresh_from_db()
        assert asked.erased_at is None
        assert decide(client, asked, "erase").status_code == 302
        asked.refresh_from_db()
        assert (asked.comment, asked.phone) == ("", "")
        log = ErasureLog.objects.get()
        assert (log.submission, log.event, log.user) == (asked, ErasureLog.Event.REQUEST, chain.head)
        assert log.created_at <= timezone.now()
        assert not ErasureRequest.objects.exists()
        page = client.get("/dashboard/erasures/", headers={"accept-language": "en"})
        assert "erased at the guest&#x27;s request" in page.content.decode()
        assert asked.reference in page.content.decode()

    def test_head_office_declines(self, client: Client, chain: Chain, asked: Submission) -> None:
        client.force_login(chain.head)
        assert decide(client, asked, "decline")["Location"] == "/dashboard/erasures/"
        asked.refresh_from_db()
        assert asked.comment == "冷了"
        log = ErasureLog.objects.get()
        assert (log.event, log.user) == (ErasureLog.Event.DECLINED, chain.head)
        assert not ErasureRequest.objects.exists()
        decide(client, asked, "decline")  # a colleague was faster
        assert ErasureLog.objects.count() == 1

    def test_an_erasure_that_no_guest_asked_for_is_logged_as_one_by_staff(self, client: Client, chain: Chain) -> None:
        submission = make_submission(chain.south, 1, comment="冷了")
        client.force_login(chain.head)
        for _tap in range(2):
            decide(client, submission, "erase")
        log = ErasureLog.objects.get()
        assert (log.event, log.user) == (ErasureLog.Event.STAFF, chain.head)

    def test_a_manager_neither_sees_nor_decides_nor_erases(
        self, client: Client, chain: Chain, asked: Submission
    ) -> None:
        client.force_login(chain.north_manager)
        page = client.get(f"/dashboard/responses/{asked.reference}/")
        assert page.context["request_count"] == 0
        assert "erase" not in page.content.decode()
        path = f"/dashboard/responses/{asked.reference}/erase/"
        assert {client.get(path).status_code, client.get("/dashboard/erasures/").status_code} == {404}
        assert {decide(client, asked, decision).status_code for decision in ("erase", "decline")} == {404}
        asked.refresh_from_db()
        assert asked.erased_at is None
        assert ErasureRequest.objects.count() == 2

    def test_a_manager_with_the_permission_decides_for_his_own_branch_alone(
        self, client: Client, chain: Chain, asked: Submission
    ) -> None:
        erase = Permission.objects.get(codename="erase_submission")
        for manager in (chain.north_manager, chain.south_manager):
            manager.user_permissions.add(erase)
        client.force_login(chain.south_manager)
        assert list(client.get("/dashboard/erasures/").context["waiting"]) == []
        assert decide(client, asked, "erase").status_code == 404
        client.force_login(chain.north_manager)
        assert list(client.get("/dashboard/erasures/").context["waiting"]) == [asked]
        assert decide(client, asked, "erase").status_code == 302
        assert ErasureLog.objects.get().user == chain.north_manager

    def test_a_form_of_another_site_erases_nothing(self, chain: Chain, asked: Submission) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(chain.head)
        assert decide(client, asked, "erase").status_code == 403

    def test_a_post_without_a_decision_does_nothing(self, client: Client, chain: Chain, asked: Submission) -> None:
        client.force_login(chain.head)
        assert decide(client, asked, "").status_code == 400
        assert not ErasureLog.objects.exists()

    def test_nobody_changes_the_log(self, client: Client, chain: Chain, asked: Submission) -> None:
        chain.head.is_staff = chain.head.is_superuser = True
        chain.head.save()
        client.force_login(chain.head)
        decide(client, asked, "erase")
        entry = ErasureLog.objects.get()
        assert asked.reference in client.get("/admin/survey/erasurelog/").content.decode()
        assert client.get(f"/admin/survey/erasurelog/{entry.pk}/change/").status_code == 200
        assert client.post(f"/admin/survey/erasurelog/{entry.pk}/change/", {"event": "token"}).status_code == 403
        assert client.post(f"/admin/survey/erasurelog/{entry.pk}/delete/", {"post": "yes"}).status_code == 403
        assert client.get("/admin/survey/erasurelog/add/").status_code == 403

    def test_an_erasure_by_command_is_logged(self, chain: Chain, asked: Submission) -> None:
        call_command("erase_submissions", "--reference", asked.reference, stdout=StringIO())
        assert ErasureLog.objects.get().event == ErasureLog.Event.COMMAND
        assert not ErasureRequest.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_eight_erasures_at_once_are_one() -> None:
    submission = Submission.objects.create(satisfaction=1, comment="secret", language="en")
    together = threading.Barrier(8)

    def erase(_number: int) -> int:
        together.wait()
        try:
            return retention.erase(Submission.objects.filter(pk=submission.pk), ErasureLog.Event.TOKEN)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(erase, range(8))) == 1
    assert ErasureLog.objects.count() == 1
