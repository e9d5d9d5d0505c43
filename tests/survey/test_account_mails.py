"""The link that opens an account is made when its mail is sent, and is stored nowhere."""

from __future__ import annotations

import logging
import re
from importlib import import_module
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.apps import apps
from django.contrib.auth.models import User
from django.core.mail import EmailMessage
from django.test import Client, RequestFactory
from django.urls import resolve, reverse
from django.utils import timezone

from survey.mail import delivery, outbox
from survey.models import OutgoingMail
from survey.staff import accounts
from tests.support import smtp
from tests.support.chain import Chain

pytestmark = pytest.mark.django_db

QUEUED, SENT, FAILED = OutgoingMail.Status.QUEUED, OutgoingMail.Status.SENT, OutgoingMail.Status.FAILED
FORGOTTEN = "/dashboard/password/forgotten/"
LINK = re.compile(r"^https?://[^/\s]+(/dashboard/password/\S+)$", re.MULTILINE)
# As the release before queued it.
OLD_LINK = "https://survey.example.com/dashboard/password/MQ/cxyz12-0123456789abcdef/"
OLD_BODY = f"Choose a password here, within three days:\n\n{OLD_LINK}\n\nIf it was not you, there is nothing to do.\n"


def ask(client: Client, user: User, language: str = "en") -> OutgoingMail:
    """Ask for a new password, as anybody may who knows the address."""
    assert client.post(f"{FORGOTTEN}?lang={language}", {"email": user.email}).status_code == 302
    return OutgoingMail.objects.latest("id")


def queued_by_the_release_before(recipient: str, **fields: Any) -> OutgoingMail:
    return OutgoingMail.objects.create(
        kind=OutgoingMail.Kind.ACCOUNT,
        recipient=recipient,
        subject="Choose a new password",
        message_id=f"<{recipient}.account@survey>",
        **{"body": OLD_BODY, **fields},
    )


def link_in(message: EmailMessage) -> str:
    return LINK.findall(str(message.body))[0]


def opens_an_account(link: str) -> bool:
    """Return whether the link leads to the form that sets a password."""
    return b'name="new_password1"' in Client().get(link, follow=True).content


def links_in_the_table() -> list[str]:
    """Return the paths below /dashboard/password/ in any column of the queue, except for the page that asks for one."""
    everything = "\n".join(str(value) for row in OutgoingMail.objects.values_list() for value in row)
    return [link for link in re.findall(r"/dashboard/password/\S+", everything) if link != FORGOTTEN]


def test_the_link_is_in_the_mail_that_is_sent_and_never_in_the_table(
    client: Client, chain: Chain, mailoutbox: list[EmailMessage]
) -> None:
    ask(client, chain.head)
    assert links_in_the_table() == []
    assert outbox.deliver(60) == delivery.DeliveryReport(sent=1)
    assert opens_an_account(link_in(mailoutbox[0]))
    assert (OutgoingMail.objects.get().body, links_in_the_table()) == ("", [])


def test_an_invitation_names_the_login_and_holds_a_link(
    client: Client, chain: Chain, mailoutbox: list[EmailMessage]
) -> None:
    client.force_login(chain.head)
    new = {"first_name": "李", "email": "li@example.com", "role": "manager", "is_active": "on"}
    client.post(reverse("dashboard:staff_add"), {**new, "branches": [chain.north.pk]})
    assert links_in_the_table() == []
    outbox.deliver(60)
    assert "li@example.com" in str(mailoutbox[0].body)
    assert opens_an_account(link_in(mailoutbox[0]))


def test_a_login_between_queueing_and_sending_does_not_spoil_the_link(
    client: Client, chain: Chain, mailoutbox: list[EmailMessage]
) -> None:
    ask(client, chain.head)
    User.objects.filter(pk=chain.head.pk).update(last_login=timezone.now(), password="pbkdf2_sha256$changed")
    outbox.deliver(60)
    assert opens_an_account(link_in(mailoutbox[0]))


def invite(user: User) -> None:
    accounts.invite(RequestFactory().get("/"), user)


def test_a_request_for_an_address_that_its_account_has_no_more_is_dropped(
    client: Client, chain: Chain, mailoutbox: list[EmailMessage]
) -> None:
    ask(client, chain.stranger)
    User.objects.filter(pk=chain.stranger.pk).update(email="corrected@example.com")
    outbox.deliver(60)
    assert not OutgoingMail.objects.exists()
    assert not mailoutbox


@pytest.mark.parametrize(("language", "text"), [("en", "Choose one here"), ("zh", "请在三天内")])
def test_the_mail_has_the_language_of_the_page_that_asked_for_it(
    client: Client, chain: Chain, mailoutbox: list[EmailMessage], language: str, text: str
) -> None:
    ask(client, chain.head, language)
    outbox.deliver(60)
    assert text in str(mailoutbox[0].body)


def test_code_of_the_release_before_would_send_the_page_that_asks_for_a_link(client: Client, chain: Chain) -> None:
    """It sends the body as it is queued, while a deployment runs or after a rollback."""
    link = LINK.findall(ask(client, chain.head).body)[0]
    assert resolve(link).view_name == "dashboard:password_forgotten"


@pytest.mark.parametrize("what", ["deactivated", "deleted", "deleted by the release before", "without an address"])
def test_a_mail_to_an_account_that_may_not_log_in_is_dropped(
    chain: Chain, mailoutbox: list[EmailMessage], what: str
) -> None:
    invite(chain.stranger)
    account = User.objects.filter(pk=chain.stranger.pk)
    if what == "deactivated":
        account.update(is_active=False)
    elif what == "without an address":
        account.update(email="")
    elif what == "deleted":
        account.delete()
        assert not OutgoingMail.objects.exists()
    else:
        account._raw_delete(account.db)  # it knows of no mail that names an account
    outbox.deliver(60)
    assert not OutgoingMail.objects.exists()
    assert not mailoutbox


def test_the_link_goes_to_the_address_that_the_account_has_by_then(
    chain: Chain, mailoutbox: list[EmailMessage]
) -> None:
    invite(chain.stranger)
    User.objects.filter(pk=chain.stranger.pk).update(email="corrected@example.com")
    outbox.deliver(60)
    assert mailoutbox[0].to == [OutgoingMail.objects.get().recipient] == ["corrected@example.com"]


def test_neither_an_error_nor_a_log_line_quotes_the_link(
    client: Client, chain: Chain, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Servers quote an address that they take for spam."""
    caplog.set_level(logging.DEBUG)
    quoted = []

    class Quoting(smtp.Mailbox):
        async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
            text = (envelope.content or b"").decode()  # type: ignore[union-attr]
            quoted.extend(LINK.findall(text.replace("\r\n", "\n")))
            return f"554 5.7.1 blocked: {quoted[-1]}"

    controller = smtp.start(Quoting())
    settings.EMAIL_BACKEND = "mydjango.operations.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", controller.port
    settings.EMAIL_USE_SSL = settings.EMAIL_USE_TLS = False
    ask(client, chain.head)
    try:
        assert outbox.deliver(60).sent == 0
    finally:
        controller.stop()
    assert opens_an_account(quoted[0])
    mail = OutgoingMail.objects.get()
    assert (mail.status, mail.last_error) == (QUEUED, "SMTPDataError: 554")
    assert links_in_the_table() == []
    token = quoted[0].split("/")[-2]
    ours = [record.__dict__ for record in caplog.records if record.name != "mail.log"]  # which is the server's
    assert any(record["name"] == "survey.mail.outbox" for record in ours)
    assert token not in str(ours)


class TestQueuedByTheReleaseBefore:
    """Mails without an account, with a link in the body."""

    def test_the_mail_gets_a_new_link(self, chain: Chain, mailoutbox: list[EmailMessage]) -> None:
        queued_by_the_release_before(chain.head.email)
        outbox.deliver(60)
        link = link_in(mailoutbox[0])
        assert link not in OLD_LINK
        assert opens_an_account(link)
        assert OutgoingMail.objects.get().account == chain.head

    @pytest.mark.parametrize("recipient", ["nobody@example.com", "two@example.com", "off@example.com"])
    def test_without_one_account_of_that_address_it_is_given_up_with_a_reason(
        self, chain: Chain, mailoutbox: list[EmailMessage], recipient: str
    ) -> None:
        for name in ("first", "second"):
            User.objects.create_user(name, "two@example.com")
        User.objects.create_user("off", "off@example.com", is_active=False)
        queued_by_the_release_before(recipient)
        assert outbox.deliver(60) == delivery.DeliveryReport(failed=1)
        mail = OutgoingMail.objects.get()
        assert (mail.status, mail.attempts) == (FAILED, 1)
        assert "no single account" in mail.last_error
        assert links_in_the_table() == []
        assert not mailoutbox

    def test_an_address_that_only_a_collation_takes_for_another_gets_no_link(
        self, chain: Chain, mailoutbox: list[EmailMessage]
    ) -> None:
        User.objects.create_superuser("root", "root@example.com")
        queued_by_the_release_before("röot@example.com")
        assert outbox.deliver(60).failed == 1
        assert not mailoutbox

    @pytest.mark.parametrize("body", ["", "Your login name is a/dashboard/password/b@example.com.\n"])
    def test_a_mail_without_a_place_for_the_link_is_given_up(
        self, chain: Chain, mailoutbox: list[EmailMessage], body: str
    ) -> None:
        queued_by_the_release_before(chain.head.email, body=body)
        assert outbox.deliver(60) == delivery.DeliveryReport(failed=1)
        assert "no place for a link" in OutgoingMail.objects.get().last_error
        assert not mailoutbox

    @pytest.mark.parametrize("status", [QUEUED, FAILED, SENT])
    def test_the_upgrade_takes_its_link_out_of_the_table(
        self, chain: Chain, mailoutbox: list[EmailMessage], status: str
    ) -> None:
        queued_by_the_release_before(chain.head.email, status=status, last_error=f"SMTPDataError: (554, '{OLD_LINK}')")
        receipt = OutgoingMail.objects.create(
            kind="receipt", recipient="a@b.cn", message_id="<1@x>", body="Thanks", next_attempt_at=timezone.now()
        )
        migration = import_module("survey.migrations.0007_account_mails")
        for _again in range(2):
            migration.forget_links(apps, None)
        assert links_in_the_table() == []
        receipt.refresh_from_db()
        assert receipt.body == "Thanks"
        receipt.delete()
        delivery.requeue(OutgoingMail.objects.all())
        outbox.deliver(60)
        if status == SENT:
            assert not mailoutbox
        else:
            assert mailoutbox[0].body != OLD_BODY
            assert opens_an_account(link_in(mailoutbox[0]))


class TestAdmin:
    """Nobody can read the body of an account mail, whoever queued it."""

    SECRET = "cxyz12"

    @pytest.fixture
    def mail(self, chain: Chain) -> OutgoingMail:
        User.objects.filter(pk=chain.head.pk).update(is_staff=True)
        User.objects.create_superuser("root", "root@example.com")
        return queued_by_the_release_before("root@example.com")

    @pytest.fixture(params=["head@example.com", "root"])
    def reader(self, request: pytest.FixtureRequest, client: Client, mail: OutgoingMail) -> Client:
        client.force_login(User.objects.get(username=request.param))
        return client

    def test_no_page_shows_it(self, reader: Client, mail: OutgoingMail) -> None:
        for page, arguments in (("changelist", []), ("change", [mail.pk]), ("history", [mail.pk])):
            shown = reader.get(reverse(f"admin:survey_outgoingmail_{page}", args=arguments))
            assert shown.status_code == 200
            assert "root@example.com" in shown.content.decode()
            assert self.SECRET not in shown.content.decode()

    def test_a_receipt_is_shown_in_full(self, reader: Client) -> None:
        receipt = OutgoingMail.objects.create(kind="receipt", recipient="a@b.cn", message_id="<1@x>", body="Thanks!")
        shown = reader.get(reverse("admin:survey_outgoingmail_change", args=[receipt.pk]))
        assert "Thanks!" in shown.content.decode()

    @pytest.mark.parametrize(
        ("page", "lookup"),
        [
            ("outgoingmail", "body__contains"),
            ("outgoingmail", "body"),
            ("outgoingmail", "submission__mails__body__contains"),
            ("outgoingmail", "account__password__startswith"),
            ("submission", "mails__body__contains"),
            ("submission", "notes__author__password__startswith"),
            ("branch", "membership__user__password__startswith"),
        ],
    )
    def test_no_list_can_be_filtered_by_it(self, reader: Client, page: str, lookup: str) -> None:
        """`?body__contains=a` with one row or none would tell it letter by letter."""
        url = reverse(f"admin:survey_{page}_changelist")
        assert reader.get(url, {lookup: self.SECRET}).status_code == 400

    def test_the_search_does_not_look_into_it(self, reader: Client) -> None:
        url = reverse("admin:survey_outgoingmail_changelist")
        assert reader.get(url, {"q": self.SECRET}).context["cl"].result_count == 0


def test_a_link_is_of_no_use_to_an_account_that_may_not_log_in(
    client: Client, chain: Chain, mailoutbox: list[EmailMessage]
) -> None:
    ask(client, chain.head)
    outbox.deliver(60)
    User.objects.filter(pk=chain.head.pk).update(is_active=False)
    assert not opens_an_account(link_in(mailoutbox[0]))
