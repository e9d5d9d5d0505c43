"""Login, throttle, passwords by mail, and accounts that head office makes."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from survey import throttle
from survey.models import LoginWindow, OutgoingMail

PASSWORD = "correct horse battery"
LOGIN = "/dashboard/login/"


@pytest.fixture
def manager(chain):
    chain.north_manager.set_password(PASSWORD)
    chain.north_manager.save()
    return chain.north_manager


def log_in(client, username, password, address="192.0.2.1"):
    return client.post(LOGIN, {"username": username, "password": password}, REMOTE_ADDR=address)


def test_the_right_password_leads_to_the_overview(client, manager):
    response = log_in(client, manager.username, PASSWORD)
    assert response.status_code == 302
    assert response["Location"] == "/dashboard/"


def test_after_five_wrong_passwords_the_right_one_is_refused_too(client, manager):
    for _attempt in range(throttle.ATTEMPTS_PER_ACCOUNT_AND_ADDRESS):
        assert log_in(client, manager.username, "wrong").status_code == 400
    assert log_in(client, manager.username.upper(), PASSWORD).status_code == 429
    assert log_in(client, manager.username, PASSWORD, "192.0.2.2").status_code == 302


def test_an_address_cannot_try_account_after_account(client, chain):
    for number in range(throttle.ATTEMPTS_PER_ADDRESS):
        throttle.count_attempt(f"account{number}", "192.0.2.1")
    assert log_in(client, "another", "wrong").status_code == 429


def test_an_account_cannot_be_tried_from_address_after_address(client, chain):
    for number in range(throttle.ATTEMPTS_PER_ACCOUNT):
        throttle.count_attempt("head@example.com", f"192.0.2.{number}")
    assert log_in(client, "head@example.com", "wrong", "198.51.100.1").status_code == 429


def test_a_login_forgets_the_mistypes_before_it(client, manager):
    for _time in range(3):
        for _attempt in range(throttle.ATTEMPTS_PER_ACCOUNT_AND_ADDRESS - 1):
            log_in(client, manager.username, "wrong")
        assert log_in(client, manager.username, PASSWORD).status_code == 302
        client.logout()


def test_a_window_ends_and_is_forgotten(client, manager):
    for _attempt in range(throttle.ATTEMPTS_PER_ACCOUNT_AND_ADDRESS + 1):
        log_in(client, manager.username, "wrong")
    window = LoginWindow.objects.order_by("ends_at").first()
    LoginWindow.objects.update(ends_at=window.ends_at - 2 * throttle.WINDOW)
    assert log_in(client, manager.username, PASSWORD).status_code == 302
    LoginWindow.objects.update(ends_at=window.ends_at - 2 * throttle.WINDOW)
    throttle.forget_past_windows()
    assert not LoginWindow.objects.exists()


def test_the_throttle_keeps_neither_name_nor_address(client, manager):
    log_in(client, manager.username, "wrong")
    assert all(re.fullmatch("[0-9a-f]{64}", window.key) for window in LoginWindow.objects.all())


def test_djangos_admin_has_no_login_beside_ours(client, chain):
    for response in (client.get("/admin/login/"), client.post("/admin/login/", {"username": "x", "password": "y"})):
        assert response.status_code == 302
        assert response["Location"].startswith(LOGIN)


def test_a_new_password_is_sent_by_the_outbox_and_its_link_works_once(client, manager):
    posted = client.post("/dashboard/password/forgotten/", {"email": manager.email})
    assert posted.status_code == 302
    mail = OutgoingMail.objects.get(recipient=manager.email)
    link = re.search(r"http://\S+?(/dashboard/password/\S+)", mail.body)[1]
    form_page = client.get(link, follow=True)
    chosen = {"new_password1": "another long phrase", "new_password2": "another long phrase"}
    assert client.post(form_page.request["PATH_INFO"], chosen)["Location"] == "/dashboard/"
    client.logout()
    assert log_in(client, manager.username, "another long phrase").status_code == 302
    client.logout()
    assert "new_password1" not in client.get(link, follow=True).content.decode()


def test_an_unknown_address_is_answered_alike_and_gets_no_mail(client, chain):
    posted = client.post("/dashboard/password/forgotten/", {"email": "nobody@example.com"})
    assert posted["Location"] == "/dashboard/password/sent/"
    assert not OutgoingMail.objects.exists()


def test_a_new_account_gets_a_mail_by_which_its_owner_chooses_a_password(client, chain):
    client.force_login(chain.head)
    fields = {"first_name": "李", "email": "Li@Example.com", "role": "manager", "is_active": "on"}
    assert client.post(reverse("dashboard:staff_add"), fields).status_code == 400  # a manager of nothing
    fields["branches"] = [chain.south.pk]
    assert client.post(reverse("dashboard:staff_add"), fields).status_code == 302
    member = User.objects.get(username="li@example.com")
    assert not member.is_staff
    assert not member.has_usable_password()
    mail = OutgoingMail.objects.get()
    assert mail.recipient == "li@example.com"
    client.logout()
    link = re.search(r"http://\S+?(/dashboard/password/\S+)", mail.body)[1]
    page = client.get(link, follow=True)
    chosen = {"new_password1": "another long phrase", "new_password2": "another long phrase"}
    shown = client.post(page.request["PATH_INFO"], chosen, follow=True)
    assert "南店" in shown.content.decode()


def test_an_account_changes_its_role_and_loses_its_branches(client, chain):
    client.force_login(chain.head)
    path = reverse("dashboard:staff_member", args=[chain.north_manager.pk])
    fields = {"first_name": "N", "email": "north@example.com", "role": "head", "is_active": "on"}
    assert client.post(path, fields).status_code == 302
    member = User.objects.get(pk=chain.north_manager.pk)
    assert member.is_staff
    assert member.has_perm("survey.act_for_head_office")
    assert not member.membership_set.exists()


def test_nobody_locks_himself_out(client, chain):
    client.force_login(chain.head)
    path = reverse("dashboard:staff_member", args=[chain.head.pk])
    fields = {"first_name": "H", "email": "head@example.com", "role": "manager", "branches": [chain.north.pk]}
    assert client.post(path, {**fields, "is_active": "on"}).status_code == 400
    assert client.post(path, {**fields, "role": "head"}).status_code == 400


def test_head_office_cannot_take_over_a_superuser(client, chain):
    root = User.objects.create_superuser("root", "root@example.com")
    client.force_login(chain.head)
    assert client.get(reverse("dashboard:staff_member", args=[root.pk])).status_code == 404


def test_the_pages_language_is_the_one_that_was_chosen(client, chain):
    client.post(reverse("dashboard:language"), {"language": "en", "next": LOGIN})
    assert "Password forgotten?" in client.get(LOGIN).content.decode()
