"""Mail is sent at least once, normally once, and no mail stops another."""

from __future__ import annotations

import signal
import smtplib
import ssl
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.contrib.auth.models import User
from django.core.mail import get_connection
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from survey.guest import services
from survey.jobs.retention import erase
from survey.mail import delivery, outbox
from survey.models import Branch, OutgoingMail, Submission
from tests.support import smtp
from tests.support.certificates import certificates_in
from tests.support.processes import manage

QUEUED, SENT, FAILED = OutgoingMail.Status.QUEUED, OutgoingMail.Status.SENT, OutgoingMail.Status.FAILED


@pytest.fixture
def mailbox(settings: Any) -> Iterator[smtp.Mailbox]:
    """A mail server, and the settings that name it."""
    box = smtp.Mailbox()
    controller: Controller = smtp.start(box)
    use(settings, controller.port)
    yield box
    controller.stop()


def use(settings: Any, port: int) -> None:
    settings.EMAIL_BACKEND = "mydjango.operations.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.EMAIL_USE_SSL = settings.EMAIL_USE_TLS = False


@pytest.fixture
def hurried(settings: Any) -> None:
    """Wait 0.6 s for a server, for tests of one that hangs: on a busy machine a good one may take as long."""
    settings.EMAIL_TIMEOUT, settings.EMAIL_SECONDS = 0.6, 1.2


needs_hurry = pytest.mark.usefixtures("hurried")


def submit(email: str = "guest@example.com", **fields: Any) -> Submission:
    submission = Submission(name="王芳", phone="13800138000", satisfaction=5, email=email, language="en")
    for name, value in fields.items():
        setattr(submission, name, value)
    return services.submission_create(submission, content={}).submission


def deliver_in_a_thread(_number: int = 0) -> delivery.DeliveryReport:
    try:
        return outbox.deliver(60)
    finally:
        connection.close()


@pytest.mark.django_db
class TestQueueing:
    def test_a_receipt_is_rendered_when_it_is_queued(self) -> None:
        submission = submit()
        mail = OutgoingMail.objects.get()
        assert (mail.kind, mail.recipient, mail.status) == ("receipt", "guest@example.com", QUEUED)
        assert submission.reference in mail.body
        assert "/erase" not in mail.body  # nobody knows at which address

    def test_a_receipt_holds_nothing_that_a_guest_typed(self) -> None:
        branch = Branch.objects.create(code="gz-01", name="天河店")
        submit(name="Win a phone at http://spam.example", comment="Click here", branch=branch, satisfaction=1)
        mail = OutgoingMail.objects.get()
        for typed in ("Win", "spam.example", "Click", "13800138000"):
            assert typed not in mail.body + mail.subject

    @pytest.mark.parametrize(("language", "short"), [("zh-hans", "zh"), ("en", "en")])
    def test_a_receipt_links_to_the_erasure_of_its_submission(
        self, client: Client, settings: Any, language: str, short: str
    ) -> None:
        settings.PUBLIC_URL = "https://survey.example.com"
        reference = submit(language=language).reference
        path = f"/erase?reference={reference}&lang={short}"
        assert f"https://survey.example.com{path}\n" in OutgoingMail.objects.get().body
        assert f'value="{reference}"' in client.get(path).content.decode()

    def test_a_low_score_alerts_the_branch_without_personal_data(self) -> None:
        branch = Branch.objects.create(code="gz-01", name="天河店", manager_email="manager@example.com")
        submit(email="", satisfaction=1, branch=branch, comment="太咸了")
        mail = OutgoingMail.objects.get()
        assert (mail.kind, mail.recipient) == ("alert", "manager@example.com")
        assert "天河店" in mail.body
        for personal in ("王芳", "13800138000", "太咸了"):
            assert personal not in mail.body + mail.subject

    def test_a_good_score_or_a_branch_without_address_alerts_nobody(self) -> None:
        branch = Branch.objects.create(code="gz-01", name="天河店", manager_email="manager@example.com")
        submit(email="", satisfaction=3, branch=branch)
        submit(email="", satisfaction=1, branch=Branch.objects.create(code="gz-02", name="越秀店"))
        submit(email="", satisfaction=1)
        assert not OutgoingMail.objects.exists()


@pytest.mark.django_db
class TestSending:
    def test_a_mail_arrives_with_the_id_it_was_queued_with(self, mailbox: smtp.Mailbox) -> None:
        submit()
        queued = OutgoingMail.objects.get()
        assert outbox.deliver(60) == delivery.DeliveryReport(sent=1)
        assert mailbox.message_ids == [queued.message_id]
        sent = OutgoingMail.objects.get()
        assert (sent.status, sent.attempts, sent.last_error) == (SENT, 1, "")
        assert sent.sent_at is not None

    def test_no_mail_is_started_without_enough_time_left(self, mailbox: smtp.Mailbox, settings: Any) -> None:
        for number in range(2):
            submit(f"guest{number}@example.com")
        # While the first mail is sent, a mail comes to need all the time there was.
        mailbox.before_reply = lambda: setattr(settings, "EMAIL_SECONDS", 60)
        assert outbox.deliver(60) == delivery.DeliveryReport(sent=1, waiting=1)

    def test_a_time_that_suffices_for_no_mail_is_an_error(self, settings: Any) -> None:
        submit()
        assert settings.EMAIL_SECONDS == 30
        message = "30 s are too short: with EMAIL_TIMEOUT=5 no mail is begun with less than 30 s left"
        with pytest.raises(CommandError, match=message):
            call_command("drain_outbox", seconds=30)
        assert OutgoingMail.objects.get().status == QUEUED

    @pytest.mark.parametrize(("setting", "option"), [("USE_SSL", "ssl_context"), ("USE_TLS", "tls_context")])
    def test_mail_goes_through_tls(
        self, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str, option: str
    ) -> None:
        certificates_in(tmp_path)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        box = smtp.Mailbox()
        controller = smtp.start(box, **{option: context})
        use(settings, controller.port)
        setattr(settings, f"EMAIL_{setting}", True)
        for number in range(2):
            submit(f"guest{number}@example.com")
        assert outbox.deliver(60) == delivery.DeliveryReport(sent=2)
        controller.stop()
        assert len(box.messages) == 2

    def test_many_mails_share_one_connection(self, mailbox: smtp.Mailbox, monkeypatch: pytest.MonkeyPatch) -> None:
        connections = []
        smtp_connect = smtp_backend().open

        def counted(self: Any) -> Any:
            opened = smtp_connect(self)
            connections.extend([opened] if opened else [])
            return opened

        monkeypatch.setattr(smtp_backend(), "open", counted)
        for number in range(5):
            submit(f"guest{number}@example.com")
        assert outbox.deliver(60).sent == 5
        assert connections == [True]

    def test_a_mail_to_an_erased_guest_is_deleted_unsent(self, mailbox: smtp.Mailbox) -> None:
        submission = submit()
        erase(Submission.objects.all())
        assert not OutgoingMail.objects.exists()
        # A mail that the erasure of an earlier release left behind.
        mail = OutgoingMail.objects.create(
            submission=submission, kind="receipt", recipient="a@b.cn", message_id="<1@x>"
        )
        assert outbox.deliver(60).deleted == 1
        assert not OutgoingMail.objects.filter(pk=mail.pk).exists()
        assert not mailbox.messages

    def test_a_mail_erased_while_it_is_sent_does_not_come_back(
        self, mailbox: smtp.Mailbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        submit()
        backend_send = smtp_backend().send_messages

        def erase_meanwhile(self: Any, messages: Any) -> int:
            erase(Submission.objects.all())
            return int(backend_send(self, messages))

        monkeypatch.setattr(smtp_backend(), "send_messages", erase_meanwhile)
        outbox.deliver(60)
        assert not OutgoingMail.objects.exists()

    def test_in_production_without_a_mail_server_mail_waits_and_the_log_says_so(
        self, settings: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings.SENDS_MAIL = False
        submit()
        assert outbox.deliver(60) == delivery.DeliveryReport(waiting=1)
        assert OutgoingMail.objects.get().attempts == 0
        (record,) = caplog.records
        assert (record.getMessage(), getattr(record, "waiting", None)) == ("outbox.no_mail_server", 1)


def smtp_backend() -> Any:
    from mydjango.operations.smtp import EmailBackend

    return EmailBackend


@pytest.mark.django_db
class TestFaults:
    """A server fails for one mail; the others arrive."""

    BAD = "bad@example.com"

    def deliver_good_and_bad(self) -> OutgoingMail:
        for email in ("first@example.com", self.BAD, "last@example.com"):
            submit(email)
        report = outbox.deliver(60)
        assert (report.sent, report.retried + report.failed) == (2, 1)
        return OutgoingMail.objects.get(recipient=self.BAD)

    def test_a_4xx_reply_is_retried_later(self, mailbox: smtp.Mailbox) -> None:
        mailbox.at_recipient[self.BAD] = "450 come back later"
        mail = self.deliver_good_and_bad()
        assert (mail.status, mail.attempts) == (QUEUED, 1)
        assert "450" in mail.last_error
        assert mail.next_attempt_at > timezone.now()
        assert sorted(mailbox.recipients) == ["first@example.com", "last@example.com"]

    def test_the_log_says_which_mail_was_not_sent_and_why_without_its_address(
        self, mailbox: smtp.Mailbox, caplog: pytest.LogCaptureFixture
    ) -> None:
        mailbox.at_data[self.BAD] = f"451 not now, {self.BAD}"
        mail = self.deliver_good_and_bad()
        (record,) = (record for record in caplog.records if record.getMessage() == "outbox.not_sent")
        details = {name: getattr(record, name) for name in ("mail", "attempts", "error", "given_up", "code")}
        assert details == {"mail": mail.pk, "attempts": 1, "error": "SMTPDataError", "given_up": False, "code": 451}
        assert self.BAD not in str(record.__dict__)

    def test_a_recipient_refused_for_good_is_not_asked_again(self, mailbox: smtp.Mailbox) -> None:
        mailbox.at_recipient[self.BAD] = "550 no such mailbox"
        mail = self.deliver_good_and_bad()
        assert (mail.status, mail.attempts) == (FAILED, 1)
        assert "550" in mail.last_error

    def test_a_5xx_reply_to_the_content_is_retried_later(self, mailbox: smtp.Mailbox) -> None:
        mailbox.at_data[self.BAD] = "554 quota of the day used up"
        mail = self.deliver_good_and_bad()
        assert (mail.status, "554" in mail.last_error) == (QUEUED, True)

    def test_a_line_that_goes_dead_in_mid_conversation(self, mailbox: smtp.Mailbox) -> None:
        mailbox.hang_up_on.add(self.BAD)
        mail = self.deliver_good_and_bad()
        assert (mail.status, mail.last_error.partition(":")[0]) == (QUEUED, "SMTPServerDisconnected")

    @needs_hurry
    def test_a_server_that_hangs_before_the_content(self, mailbox: smtp.Mailbox) -> None:
        mailbox.hang_at_recipient.add(self.BAD)
        mail = self.deliver_good_and_bad()
        assert (mail.status, mail.attempts) == (QUEUED, 1)
        assert "timed out" in mail.last_error

    @needs_hurry
    def test_a_server_that_hangs_after_the_content_has_the_rest_of_the_delivery(self, mailbox: smtp.Mailbox) -> None:
        mailbox.hang_on.add(self.BAD)
        submit(self.BAD)
        submit("last@example.com")
        assert outbox.deliver(2) == delivery.DeliveryReport(retried=1, waiting=2)
        assert outbox.deliver(60) == delivery.DeliveryReport(sent=1, waiting=1)
        mail = OutgoingMail.objects.get(recipient=self.BAD)
        assert (mail.status, mail.attempts, "timed out" in mail.last_error) == (QUEUED, 1, True)

    @needs_hurry
    def test_a_server_that_thinks_for_long_gets_one_copy(self, mailbox: smtp.Mailbox, settings: Any) -> None:
        submit()
        mailbox.seconds_at_data = 2 * settings.EMAIL_SECONDS
        assert outbox.deliver(60) == delivery.DeliveryReport(sent=1)
        assert len(mailbox.messages) == 1

    @needs_hurry
    @pytest.mark.parametrize("drip", smtp.DrippingServer.REPLIES)
    def test_a_server_that_drips_holds_no_delivery_beyond_its_seconds(self, settings: Any, drip: str) -> None:
        submit()
        with smtp.DrippingServer(drip) as server:  # whose reply is whole and good in the end, after many seconds
            use(settings, server.port)
            assert outbox.deliver(2) == delivery.DeliveryReport(retried=1, waiting=1)
            assert not server.is_through
        assert OutgoingMail.objects.get().attempts == 1

    def test_a_connection_whose_time_is_over_is_closed_without_a_goodbye(self, mailbox: smtp.Mailbox) -> None:
        mailer: Any = get_connection()
        mailer.open()
        sock = mailer.connection.sock
        mailer.deadline = 0
        mailer.close()
        assert sock.fileno() == -1

    @pytest.mark.parametrize(
        "values",
        [
            {"recipient": '"\x0bH:O"@example.com'},
            {"recipient": "nobody"},
            {"recipient": ""},
            {"recipient": "two@example.com, three@example.com"},
            {"recipient": "bad@xn--\u3000.example"},
            {"recipient": "höh@example.com"},
            {"subject": "two\nlines"},
            {"message_id": "<1@x>\r\nBcc: all@example.com"},
        ],
        ids=str,
    )
    def test_a_mail_that_cannot_be_built_stops_no_other(self, mailbox: smtp.Mailbox, values: dict[str, str]) -> None:
        for email in (self.BAD, "last@example.com"):
            submit(email)
        # Rows as an earlier release stored them.
        OutgoingMail.objects.filter(recipient=self.BAD).update(**values)
        assert outbox.deliver(60).sent >= 1
        assert "last@example.com" in mailbox.recipients
        mail = OutgoingMail.objects.order_by("id").first()
        assert mail is not None
        assert mail.attempts == 1
        assert mail.status == SENT or mail.last_error

    @pytest.mark.parametrize("method", ["open", "send_messages"])
    def test_an_unexpected_error_stops_no_other(
        self, mailbox: smtp.Mailbox, monkeypatch: pytest.MonkeyPatch, method: str
    ) -> None:
        genuine, raised = getattr(smtp_backend(), method), []

        def fails_once(*arguments: Any) -> Any:
            if raised:
                return genuine(*arguments)
            raised.append(True)
            raise LookupError("odd \udcff")

        monkeypatch.setattr(smtp_backend(), method, fails_once)
        submit(self.BAD)
        submit("last@example.com")
        assert outbox.deliver(60) == delivery.DeliveryReport(sent=1, retried=1, waiting=1)
        assert OutgoingMail.objects.get(recipient=self.BAD).last_error == r"LookupError: odd \udcff"

    def test_after_an_error_in_mid_conversation_the_next_mail_has_a_conversation_of_its_own(
        self, mailbox: smtp.Mailbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        genuine = smtplib.SMTP.rcpt

        def fails_for_one(self: smtplib.SMTP, recipient: str, *options: Any) -> Any:
            if recipient == TestFaults.BAD:
                raise LookupError("odd")
            return genuine(self, recipient, *options)

        monkeypatch.setattr(smtplib.SMTP, "rcpt", fails_for_one)
        assert self.deliver_good_and_bad().last_error == "LookupError: odd"

    def test_a_long_reply_is_cut(self, mailbox: smtp.Mailbox) -> None:
        mailbox.at_data[self.BAD] = "\r\n".join([*["554-" + "no " * 150] * 200, "554 no"])
        mail = self.deliver_good_and_bad()
        assert "554" in mail.last_error
        assert len(mail.last_error) == delivery.ERROR_LENGTH

    def test_a_refused_connection_is_retried_later(self, settings: Any) -> None:
        with smtp.silent_server() as server:
            port = server.getsockname()[1]
        use(settings, port)
        submit()
        assert outbox.deliver(60).retried == 1
        assert "ConnectionRefusedError" in OutgoingMail.objects.get().last_error

    @needs_hurry
    def test_a_silent_server_is_retried_later(self, settings: Any) -> None:
        with smtp.silent_server() as server:
            use(settings, server.getsockname()[1])
            submit()
            assert outbox.deliver(60).retried == 1
        assert OutgoingMail.objects.get().status == QUEUED

    def test_the_last_attempt_is_kept_with_its_error(self, mailbox: smtp.Mailbox, settings: Any) -> None:
        settings.MAIL_ATTEMPTS = 3
        mailbox.at_recipient[self.BAD] = "450 come back later"
        submit(self.BAD)
        for attempt in (1, 2, 3):
            OutgoingMail.objects.update(next_attempt_at=timezone.now())
            outbox.deliver(60)
            assert OutgoingMail.objects.get().attempts == attempt
        mail = OutgoingMail.objects.get()
        assert (mail.status, "450" in mail.last_error) == (FAILED, True)
        mailbox.at_recipient.clear()
        assert outbox.deliver(60).sent == 0

    def test_a_mail_that_killed_every_delivery_is_given_up(self, mailbox: smtp.Mailbox, settings: Any) -> None:
        submit(self.BAD)
        submit("last@example.com")
        OutgoingMail.objects.filter(recipient=self.BAD).update(
            attempts=settings.MAIL_ATTEMPTS, last_error=delivery.UNFINISHED, claimed_until=timezone.now()
        )
        assert outbox.deliver(60) == delivery.DeliveryReport(sent=1, failed=1)
        mail = OutgoingMail.objects.get(recipient=self.BAD)
        assert (mail.status, mail.last_error) == (FAILED, delivery.UNFINISHED)
        assert mailbox.recipients == ["last@example.com"]

    def test_the_pause_doubles_with_jitter_up_to_four_hours(self) -> None:
        for attempts, minutes in ((1, 1), (2, 2), (5, 16), (9, 240), (20, 240)):
            delays = {delivery.delay_after(attempts) for _try in range(50)}
            assert len(delays) > 1
            assert min(delays) >= timedelta(minutes=minutes) * 0.8
            assert max(delays) <= timedelta(minutes=minutes) * 1.2


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
class TestConcurrentDeliveries:
    def test_four_deliveries_at_once_send_each_mail_once(self, mailbox: smtp.Mailbox) -> None:
        for number in range(40):
            submit(f"guest{number}@example.com")
        with ThreadPoolExecutor(4) as threads:
            reports = list(threads.map(deliver_in_a_thread, range(4)))
        assert sum(report.sent for report in reports) == 40
        assert Counter(mailbox.message_ids) == Counter(OutgoingMail.objects.values_list("message_id", flat=True))
        assert set(OutgoingMail.objects.values_list("status", flat=True)) == {SENT}

    def test_a_delivery_that_waits_for_a_server_blocks_no_submission(
        self, mailbox: smtp.Mailbox, settings: Any
    ) -> None:
        settings.EMAIL_TIMEOUT, settings.EMAIL_SECONDS = 20, 20
        mailbox.hang_on.add("slow@example.com")
        submit("slow@example.com")
        drain = manage("drain_outbox", "--seconds", "60")
        try:
            with mailbox.arrived:
                assert mailbox.arrived.wait_for(lambda: mailbox.is_hanging, timeout=20)
            assert submit("other@example.com").pk
            assert drain.poll() is None
        finally:
            drain.kill()
            drain.communicate()

    def test_an_attempt_is_counted_and_put_off_before_the_mail_is_sent(self, mailbox: smtp.Mailbox) -> None:
        submit()
        seen: list[OutgoingMail] = []

        def look() -> None:
            seen.append(OutgoingMail.objects.get())
            connection.close()

        mailbox.before_reply = look
        assert deliver_in_a_thread().sent == 1
        [mail] = seen
        assert (mail.status, mail.attempts, mail.last_error) == (QUEUED, 1, delivery.UNFINISHED)
        assert mail.claimed_until is not None
        # No other delivery sends it meanwhile.
        assert mail.claimed_until > timezone.now() + timedelta(seconds=60)
        assert mail.next_attempt_at > timezone.now()

    def test_kill_9_in_the_middle_loses_nothing(self, mailbox: smtp.Mailbox) -> None:
        for number in range(10):
            submit(f"guest{number}@example.com")
        mailbox.hang_on.add("guest4@example.com")
        drain = manage("drain_outbox", "--seconds", "60")
        with mailbox.arrived:
            assert mailbox.arrived.wait_for(lambda: mailbox.is_hanging, timeout=20)
        drain.send_signal(signal.SIGKILL)
        drain.communicate()
        mailbox.hang_on.clear()
        assert outbox.deliver(60).waiting == 1
        killed = OutgoingMail.objects.get(status=QUEUED)
        assert (killed.recipient, killed.attempts) == ("guest4@example.com", 1)
        # The claim of the killed process expires, and so does the pause after a failed attempt.
        OutgoingMail.objects.filter(pk=killed.pk).update(claimed_until=timezone.now(), next_attempt_at=timezone.now())
        outbox.deliver(60)
        assert sorted(mailbox.recipients) == [f"guest{number}@example.com" for number in range(10)]
        assert set(OutgoingMail.objects.values_list("status", flat=True)) == {SENT}


@pytest.mark.django_db
class TestAdmin:
    def test_the_queue_is_shown_and_requeued(self, client: Client) -> None:
        client.force_login(User.objects.create_superuser("head"))
        submit("bad@example.com")
        OutgoingMail.objects.update(status=FAILED, attempts=20, last_error="SMTPDataError: (554, 'no')")
        url = reverse("admin:survey_outgoingmail_changelist")
        page = client.get(url, {"status": "failed"}).content.decode()
        assert "bad@example.com" in page
        assert "554" in page
        mail = OutgoingMail.objects.get()
        client.post(url, {"action": "requeue", "_selected_action": [mail.pk]})
        mail.refresh_from_db()
        assert (mail.status, mail.attempts) == (QUEUED, 0)
        assert outbox.deliver(60).sent == 1

    def test_a_sent_mail_is_not_sent_again(self) -> None:
        submit()
        outbox.deliver(60)
        assert delivery.requeue(OutgoingMail.objects.all()) == 0

    def test_a_user_who_may_only_view_cannot_requeue(self, client: Client) -> None:
        from django.contrib.auth.models import Permission

        viewer = User.objects.create_user("viewer", is_staff=True)
        viewer.user_permissions.add(Permission.objects.get(codename="view_outgoingmail"))
        client.force_login(viewer)
        submit()
        OutgoingMail.objects.update(status=FAILED)
        data = {"action": "requeue", "_selected_action": [OutgoingMail.objects.get().pk]}
        client.post(reverse("admin:survey_outgoingmail_changelist"), data)
        assert OutgoingMail.objects.get().status == FAILED
