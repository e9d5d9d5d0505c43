"""No address that is accepted breaks the header of a mail or moves into its body, wherever it was typed."""

from __future__ import annotations

import email
import email.policy
import random
import smtplib
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import translation
from django.utils.encoding import punycode

from survey.addresses import validate_mail_address
from survey.guest.forms import SubmissionForm
from survey.models import Branch
from survey.staff.accounts import StaffForm
from survey.staff.branches import BranchForm
from survey.staff.login import PasswordMailForm

GOOD = ["name@example.com", "first.last+tag@mail.example.cn", "o'brien@example.com", "a@例え.jp", "a@[192.0.2.1]"]
BAD = [
    '"\x0bH:O"@example.com',
    '"quoted"@example.com',
    '"a\\\tb"@example.com',
    "a\x01b@example.com",
    "a@evil.com，victim＠other.com",  # two recipients in the ASCII form that mail carries
    "a@exa\u3000mple.com",
    "a@exa\u2028mple.com",
    f"a@{'界' * 63}.com",
    "two@example.com, three@example.com",
    "Name <name@example.com>",
]
PIECES = [
    *"ab.-+_'\"\\@()<>,:;[] \t\r\n\x00\x01\x0b\x0c\x1c\x7f\x85\xa0\u200b\u2028\u3000，＠．。；：＜＞\\（é界ßℂ⁈\ud800",
    *("\r\n", "\r\nBcc: ", "=?utf-8?q?", "?=", "xn--", "..", '"\\', "\\\x0b", "H:O", "example", "mail"),
]
ORDINARY = ["a", "7", "Z", "-", "é", "界", "ß", "xn--", "mail"]


def generated(count: int) -> list[str]:
    """Addresses around the border: a good one with one to three pieces put in, every fifth one quoted."""
    chance = random.Random(14)
    addresses = []
    for number in range(count):
        local, domain = (list(part) for part in chance.choice(GOOD[:4]).split("@"))
        for _piece in range(chance.randint(1, 3)):
            part = chance.choice((local, domain))
            part.insert(chance.randint(0, len(part)), chance.choice(chance.choice((PIECES, ORDINARY))))
        name = "".join(local)
        addresses.append((f'"{name}"' if number % 5 == 0 else name) + "@" + "".join(domain))
    return addresses


def is_accepted(address: str) -> bool:
    try:
        validate_mail_address(address)
    except ValidationError:
        return False
    return True


HEADERS = {"Message-ID": "<1@example.com>", "Date": "Sat, 21 Nov 2026 12:00:00 +0800"}


def received(address: str) -> Any:
    """A mail to the address, as its recipient reads it."""
    sent = EmailMessage("Thank you", "The body.\n", "survey@example.com", [address], headers=HEADERS)
    return email.message_from_bytes(sent.message().as_bytes(linesep="\r\n"), policy=email.policy.default)


def test_no_generated_address_breaks_a_header_or_moves_into_the_body() -> None:
    addresses = generated(24_000)
    accepted = {address for address in addresses if is_accepted(address)}
    assert len(addresses) / 10 < len(accepted) < len(addresses) / 2
    plain = received("guest@example.com")
    for address in accepted:
        local, _at, domain = address.rpartition("@")
        mailed = f"{local}@{punycode(domain)}"
        message = received(address)
        assert message.keys() == plain.keys()
        assert [one.addr_spec for one in message["To"].addresses] == [mailed]
        assert message.get_content() == plain.get_content()
        assert smtplib.quoteaddr(mailed) == f"<{mailed}>"


@pytest.mark.parametrize("address", GOOD)
def test_an_ordinary_address_is_accepted(address: str) -> None:
    assert is_accepted(address)


@pytest.mark.django_db
@pytest.mark.parametrize("address", BAD)
class TestEveryWayIn:
    """Each form reports the address once."""

    def test_a_guests_form(self, address: str) -> None:
        form = SubmissionForm({"satisfaction": "5", "name": "Li", "phone": "13800138000", "email": address})
        assert list(form.errors) == ["email"]
        with translation.override("en"):
            message = "Please check the e-mail address; it should look like name@example.com."
            assert form.errors["email"] == [message]

    def test_a_callers_json(self, client: Client, address: str) -> None:
        sent = {"satisfaction": 5, "name": "Li", "phone": "13800138000", "email": address}
        assert client.post("/submitSurvey", sent, content_type="application/json").status_code == 400

    def test_a_branch(self, address: str) -> None:
        form = BranchForm({"code": "gz-01", "name": "天河店", "manager_email": address})
        assert len(form.errors.pop("manager_email")) == 1
        assert not form.errors

    def test_a_staff_account(self, address: str) -> None:
        request = RequestFactory().get("/")
        request.user = User(username="head")
        form = StaffForm(
            {"first_name": "Li", "email": address, "role": StaffForm.HEAD, "is_active": "on"},
            request=request,
        )
        assert len(form.errors.pop("email")) == 1
        assert not form.errors

    def test_a_forgotten_password(self, address: str) -> None:
        assert [len(errors) for errors in PasswordMailForm({"email": address}).errors.values()] == [1]

    def test_the_admin(self, client: Client, address: str) -> None:
        head = User.objects.create_superuser("head", email="head@example.com")
        client.force_login(head)
        branch = Branch.objects.create(code="gz-01", name="天河店")
        url = reverse("admin:survey_branch_change", args=[branch.pk])
        page = client.post(url, {"code": "gz-01", "name": "天河店", "manager_email": address})
        assert len(page.context["errors"]) == 1
        page = client.post(reverse("admin:auth_user_change", args=[head.pk]), {"username": "head", "email": address})
        assert page.context["adminform"].form.errors["email"]
        head.refresh_from_db()
        assert head.email == "head@example.com"

    def test_createsuperuser(self, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a long password, not used anywhere")
        with pytest.raises(CommandError):
            call_command("createsuperuser", interactive=False, username="head", email=address, stdout=StringIO())
        assert not User.objects.exists()
