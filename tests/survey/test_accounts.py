"""Login, throttle, passwords by mail, and accounts that head office makes."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.hashers import check_password
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from survey import limits
from survey.mail import outbox
from survey.models import AttemptWindow, OutgoingMail

PASSWORD = "correct horse battery"
LOGIN = "/dashboard/login/"
FORGOTTEN = "/dashboard/password/forgotten/"


@pytest.fixture
def manager(chain):
    chain.north_manager.set_password(PASSWORD)
    chain.north_manager.save()
    return chain.north_manager


def log_in(client, username, password, address="192.0.2.1"):
    return client.post(LOGIN, {"username": username, "password": password}, REMOTE_ADDR=address)


def test_the_right_password_leads_to_today(client, manager):
    response = log_in(client, manager.username, PASSWORD)
    assert response.status_code == 302
    assert response["Location"] == "/dashboard/today/"


def test_after_five_wrong_passwords_the_right_one_is_refused_too(client, manager):
    for _attempt in range(limits.ATTEMPTS_PER_ACCOUNT_AND_ADDRESS):
        assert log_in(client, manager.username, "wrong").status_code == 400
    assert log_in(client, manager.username.upper(), PASSWORD).status_code == 429
    assert log_in(client, manager.username, PASSWORD, "192.0.2.2").status_code == 302


def test_an_address_cannot_try_account_after_account(client, chain):
    for number in range(limits.ATTEMPTS_PER_ADDRESS):
        limits.count_attempt("login", f"account{number}", "192.0.2.1")
    assert log_in(client, "another", "wrong").status_code == 429


def test_an_account_cannot_be_tried_from_address_after_address(client, chain):
    for number in range(limits.ATTEMPTS_PER_ACCOUNT):
        limits.count_attempt("login", "head@example.com", f"192.0.2.{number}")
    assert log_in(client, "head@example.com", "wrong", "198.51.100.1").status_code == 429


@pytest.mark.parametrize(
    "addresses",
    [[f"2001:db8:0:7::{number:x}" for number in range(6)], ["192.0.2.1", "::ffff:192.0.2.1", "::FFFF:c000:201"] * 2],
)
def test_attempts_are_counted_by_ipv6_network_and_mapped_ipv4_address(client, manager, addresses):
    attempts = [log_in(client, manager.username, "wrong", address).status_code for address in addresses]
    assert attempts == [400] * 5 + [429]
    assert log_in(client, manager.username, PASSWORD, "2001:db8:0:8::1").status_code == 302


# Names that a collation of MySQL may match with north@example.com: with accents, or with characters it ignores.
OTHER_NAMES = [
    *("nórth@example.com", "no\u0301rth@example.com", "ñörťh@éxámple.com", "n\u00f8rth@example.com"),
    *("north@example.com\u200b", "no\u00adrth@example.com", "north@example.com\u0301", "ɴorth@example.com"),
]


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_another_spelling_of_a_name_opens_nothing(client, manager, name):
    assert log_in(client, name, PASSWORD).status_code == 400
    client.post("/admin/login/", {"username": name, "password": PASSWORD})
    assert client.get("/dashboard/").status_code == 302


def test_every_spelling_that_opens_an_account_shares_its_attempts(client, manager):
    spellings = [
        *("north@example.com", "North@Example.COM", " north@example.com\u3000", "ｎｏｒｔｈ＠ｅｘａｍｐｌｅ．ｃｏｍ"),
        *("ＮORTH@example.com", "north@example.com\u00a0"),
    ]
    for spelling in spellings:
        assert log_in(client, spelling, PASSWORD).status_code == 302
        client.logout()
    assert [log_in(client, spelling, "wrong").status_code for spelling in spellings] == [400] * 5 + [429]


def test_a_name_may_be_composed_or_not(client, chain):
    User.objects.create_superuser("Ju\u0308rgen", password=PASSWORD)  # Django composes it
    for typed in ("J\u00fcrgen", "Ju\u0308rgen", "J\u00fcrgen "):
        assert log_in(client, typed, PASSWORD).status_code == 302
        client.logout()
    assert log_in(client, "Jurgen", PASSWORD).status_code == 400


@pytest.mark.parametrize("password", ["", " "])
def test_an_empty_password_opens_nothing_though_its_hash_is_stored(client, chain, password):
    User.objects.create_superuser("root", "root@example.com", "")
    assert check_password("", User.objects.get(username="root").password)
    assert log_in(client, "root", password).status_code == 400
    assert client.post("/admin/login/", {"username": "root", "password": password}).status_code == 405


def test_a_name_longer_than_any_account_has_is_refused(client, db):
    assert log_in(client, "n" * 151, PASSWORD).context["form"].has_error("username", "max_length")


def test_an_address_that_only_the_collation_takes_for_an_accounts_is_unknown(client, manager, mailoutbox):
    User.objects.filter(pk=manager.pk).update(username="n", email="north@exámple.com")
    client.post(FORGOTTEN, {"email": "north@example.com"})
    outbox.deliver(60)
    assert not mailoutbox
    assert not OutgoingMail.objects.exists()


def test_every_spelling_of_an_address_shares_its_attempts(client, manager):
    spellings = ["north@example.com", "NORTH@example.com", " North@Example.com "] * 2
    assert [client.post(FORGOTTEN, {"email": spelling}).status_code for spelling in spellings] == [302] * 5 + [429]


def test_two_accounts_cannot_differ_in_capitals_alone(client, chain):
    User.objects.create_superuser("Li@Example.com", password=PASSWORD)
    client.force_login(chain.head)
    fields = {"first_name": "李", "email": "li@example.com", "role": "head", "is_active": "on"}
    assert client.post(reverse("dashboard:staff_add"), fields).status_code == 400


def test_a_login_resets_the_failed_attempts(client, manager):
    for _time in range(3):
        for _attempt in range(limits.ATTEMPTS_PER_ACCOUNT_AND_ADDRESS - 1):
            log_in(client, manager.username, "wrong")
        assert log_in(client, manager.username, PASSWORD).status_code == 302
        client.logout()


def test_a_blank_password_resets_no_attempts(client, manager):
    for _attempt in range(limits.ATTEMPTS_PER_ACCOUNT_AND_ADDRESS):
        assert log_in(client, manager.username, "wrong").status_code == 400
        assert log_in(client, manager.username, "").status_code == 400
    assert log_in(client, manager.username, "wrong").status_code == 429


@pytest.mark.django_db(transaction=True)
def test_attempts_at_the_same_moment_are_all_counted():
    together = threading.Barrier(12)

    def is_counted(_number):
        together.wait()
        try:
            limits.count_attempt("login", "head@example.com", "192.0.2.1")
        except limits.TooManyAttempts:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(12) as threads:
        counted = list(threads.map(is_counted, range(12)))
    assert sum(counted) == limits.ATTEMPTS_PER_ACCOUNT_AND_ADDRESS
    assert set(AttemptWindow.objects.values_list("attempts", flat=True)) == {limits.ATTEMPTS_PER_ACCOUNT_AND_ADDRESS}


def test_an_expired_window_starts_again(db):
    limits.count_attempt("login", "head@example.com", "192.0.2.1")
    limits.count_attempt("login", "head@example.com", "192.0.2.1")
    AttemptWindow.objects.update(ends_at=timezone.now())
    limits.count_attempt("login", "head@example.com", "192.0.2.1")
    for window in AttemptWindow.objects.all():
        assert window.attempts == 1
        assert timedelta(0) < window.ends_at - timezone.now() <= limits.WINDOW


def test_an_expired_window_is_deleted(client, manager):
    for _attempt in range(limits.ATTEMPTS_PER_ACCOUNT_AND_ADDRESS + 1):
        log_in(client, manager.username, "wrong")
    window = AttemptWindow.objects.order_by("ends_at").first()
    AttemptWindow.objects.update(ends_at=window.ends_at - 2 * limits.WINDOW)
    assert log_in(client, manager.username, PASSWORD).status_code == 302
    AttemptWindow.objects.update(ends_at=window.ends_at - 2 * limits.WINDOW)
    call_command("update_figures", stdout=StringIO())
    assert not AttemptWindow.objects.exists()


def test_the_throttle_keeps_neither_name_nor_address(client, manager):
    log_in(client, manager.username, "wrong")
    assert all(re.fullmatch("[0-9a-f]{64}", window.key) for window in AttemptWindow.objects.all())


def test_djangos_admin_redirects_to_our_login(client, chain):
    response = client.get("/admin/login/")
    assert response.status_code == 302
    assert response["Location"].startswith(LOGIN)
    assert client.post("/admin/login/", {"username": "x", "password": "y"}).status_code == 405  # it has no form


def link_of_the_mail(mailoutbox):
    """Send the queued mail, and return the path of its link."""
    assert outbox.deliver(60).sent == 1
    return re.search(r"http://\S+?(/dashboard/password/\S+)", mailoutbox[0].body)[1]


def test_a_new_password_is_sent_by_the_outbox_and_its_link_works_once(client, manager, mailoutbox):
    posted = client.post("/dashboard/password/forgotten/", {"email": manager.email})
    assert posted.status_code == 302
    link = link_of_the_mail(mailoutbox)
    assert mailoutbox[0].to == [manager.email]
    form_page = client.get(link, follow=True)
    chosen = {"new_password1": "another long phrase", "new_password2": "another long phrase"}
    assert client.post(form_page.request["PATH_INFO"], chosen)["Location"] == "/dashboard/today/"
    client.logout()
    assert log_in(client, manager.username, "another long phrase").status_code == 302
    client.logout()
    assert "new_password1" not in client.get(link, follow=True).content.decode()


def test_an_unknown_address_gets_the_same_response_and_no_mail(client, chain, mailoutbox):
    posted = client.post("/dashboard/password/forgotten/", {"email": "nobody@example.com"})
    assert posted["Location"] == "/dashboard/password/sent/"
    outbox.deliver(60)
    assert not OutgoingMail.objects.exists()
    assert not mailoutbox


def test_asking_for_a_password_does_the_same_for_a_known_and_an_unknown_address(client, manager, monkeypatch):
    def refuse(*arguments):
        raise AssertionError("a token costs time that tells who has an account")

    monkeypatch.setattr("django.contrib.auth.tokens.PasswordResetTokenGenerator.make_token", refuse)

    def statements(email):
        with CaptureQueriesContext(connection) as queries:
            assert client.post(FORGOTTEN, {"email": email}).status_code == 302
        return [re.sub(r"'[^']*'|s[0-9]+_x[0-9]+", "?", query["sql"]) for query in queries]

    client.post(FORGOTTEN, {"email": "first@example.com"})  # which opens the window of the client's address
    for _time in range(2):  # the second time in the pause between two mails
        known = statements(manager.email)
        assert known
        assert known == statements("nobody@example.com")
        assert not [statement for statement in known if "auth_user" in statement]


def test_accounts_that_share_an_address_get_a_link_each(client, manager, mailoutbox):
    User.objects.create_user("another", manager.email)
    client.post(FORGOTTEN, {"email": manager.email})
    outbox.deliver(60)
    links = {re.search(r"http://\S+?(/dashboard/password/\S+)", mail.body)[1] for mail in mailoutbox}
    assert len(mailoutbox) == len(links) == 2


def test_a_new_account_gets_a_mail_by_which_its_owner_chooses_a_password(client, chain, mailoutbox):
    client.force_login(chain.head)
    fields = {"first_name": "李", "email": "Li@Example.com", "role": "manager", "is_active": "on"}
    assert client.post(reverse("dashboard:staff_add"), fields).status_code == 400  # a manager of nothing
    fields["branches"] = [chain.south.pk]
    assert client.post(reverse("dashboard:staff_add"), fields).status_code == 302
    member = User.objects.get(username="li@example.com")
    assert not member.is_staff
    assert not member.has_usable_password()
    assert OutgoingMail.objects.get().recipient == "li@example.com"
    client.logout()
    link = link_of_the_mail(mailoutbox)
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


def test_nobody_can_lock_themselves_out(client, chain):
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


def test_an_account_with_an_expired_invitation_can_ask_for_a_link(client, chain, mailoutbox):
    chain.south_manager.set_unusable_password()
    chain.south_manager.save()
    client.post(FORGOTTEN, {"email": "South@example.com"})
    outbox.deliver(60)
    assert [mail.to for mail in mailoutbox] == [["south@example.com"]]


def test_an_account_that_may_not_log_in_gets_no_mail(client, chain, mailoutbox):
    User.objects.filter(pk=chain.south_manager.pk).update(is_active=False)
    client.post(FORGOTTEN, {"email": "south@example.com"})
    outbox.deliver(60)
    assert not OutgoingMail.objects.exists()
    assert not mailoutbox


def test_head_office_sends_an_invitation_again_until_the_first_login(client, chain):
    page, again = (
        reverse(f"dashboard:{name}", args=[chain.south_manager.pk]) for name in ("staff_member", "invitation")
    )
    client.force_login(chain.south_manager)
    User.objects.filter(pk=chain.south_manager.pk).update(last_login=None)
    assert client.post(again).status_code == 404
    client.force_login(chain.head)
    assert again in client.get(page).content.decode()
    assert client.get(again).status_code == 405
    assert client.post(again).status_code == 302
    assert OutgoingMail.objects.get().recipient == "south@example.com"
    client.force_login(chain.south_manager)
    client.force_login(chain.head)
    assert again not in client.get(page).content.decode()
    assert client.post(again).status_code == 404


def test_an_account_gets_one_mail_in_five_minutes_whoever_asks(client, manager):
    for number in range(12):
        posted = client.post(FORGOTTEN, {"email": manager.email}, REMOTE_ADDR=f"192.0.2.{number}")
        assert posted["Location"] == "/dashboard/password/sent/"
    assert OutgoingMail.objects.count() == 1
    AttemptWindow.objects.update(ends_at=timezone.now())
    client.post(FORGOTTEN, {"email": manager.email})
    assert OutgoingMail.objects.count() == 2


@pytest.mark.parametrize("email", ["north@example.com", "nobody@example.com"])
def test_asking_for_mails_is_throttled_alike_for_an_unknown_address(client, manager, email):
    responses = [client.post(FORGOTTEN, {"email": email}) for _attempt in range(6)]
    assert [response.status_code for response in responses] == [302] * 5 + [429]
    assert "15" in responses[-1].context["form"].non_field_errors()[0]


def test_the_capital_and_the_space_that_a_phone_adds_do_not_matter(client, manager):
    assert log_in(client, f" {manager.username.capitalize()} ", PASSWORD).status_code == 302


def test_error_messages_are_in_plain_language(client, chain):
    def errors(page, name="form"):
        return {field: list(sentences) for field, sentences in page.context[name].errors.items()}

    missing, wrong_address = ["请填写此项。"], ["请检查电子邮箱，格式应如 name@example.com。"]
    assert errors(log_in(client, "head@example.com", "wrong")) == {"__all__": ["电子邮箱或密码不正确。"]}
    assert errors(log_in(client, "", "")) == {"username": missing, "password": missing}
    assert errors(client.post(FORGOTTEN, {"email": "head"})) == {"email": wrong_address}
    client.force_login(chain.head)
    new = {"email": "li", "role": "head", "first_name": ""}
    refused = client.post(reverse("dashboard:staff_add"), new)
    assert errors(refused, "staff_form") == {"first_name": missing, "email": wrong_address}


def test_a_superusers_name_may_have_capitals(client, chain):
    User.objects.create_superuser("Root", password=PASSWORD)
    assert log_in(client, "Root", PASSWORD).status_code == 302


def test_the_login_asks_for_the_address_that_a_password_manager_has(client, db):
    field = client.get(LOGIN).context["form"]["username"]
    assert field.label == "电子邮箱"
    assert {"autocomplete": "username", "inputmode": "email"}.items() <= field.build_widget_attrs(
        field.field.widget.attrs
    ).items()


def test_without_a_public_url_a_mails_link_leads_to_where_its_page_was_asked_for(client, manager, settings):
    client.post(FORGOTTEN, {"email": manager.email}, headers={"host": "127.0.0.1:9123"})
    assert "http://127.0.0.1:9123/dashboard/password/" in OutgoingMail.objects.get().body
    settings.PUBLIC_URL = "https://survey.example.com"
    client.force_login(User.objects.get(username="head@example.com"))
    client.post(reverse("dashboard:invitation", args=[User.objects.get(username="south@example.com").pk]))
    assert "\nhttps://survey.example.com/dashboard/password/" in OutgoingMail.objects.first().body


def test_a_changed_password_is_confirmed(client, manager):
    client.force_login(manager)
    changed = {"old_password": PASSWORD, "new_password1": "another long phrase", "new_password2": "another long phrase"}
    assert "密码已保存" in client.post(reverse("dashboard:password_change"), changed, follow=True).content.decode()


def test_the_form_names_the_branches_in_the_pages_language(client, chain):
    client.force_login(chain.head)
    page = client.get(reverse("dashboard:staff_add"), headers={"accept-language": "en"}).content.decode()
    assert "North" in page
    assert "北店" not in page


def test_the_language_button_works_where_the_url_names_a_language(client, chain):
    client.force_login(chain.head)
    page = client.get("/dashboard/?lang=zh&days=7")
    assert 'name="next" value="/dashboard/?lang=zh&amp;days=7"' in page.content.decode()
    chosen = client.post(reverse("dashboard:language"), {"language": "en", "next": "/dashboard/?lang=zh&days=7"})
    assert chosen["Location"] == "/dashboard/?days=7"
    assert "Log out" in client.get(chosen["Location"]).content.decode()


@pytest.mark.parametrize("password", ["", "  "])
def test_createsuperuser_refuses_an_empty_password(db, monkeypatch, password):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", password)
    with pytest.raises(CommandError, match="DJANGO_SUPERUSER_PASSWORD is empty: no account was made"):
        call_command("createsuperuser", interactive=False, username="root", email="root@example.com")
    assert not User.objects.exists()


def test_createsuperuser_makes_an_account_with_a_password_or_without(client, db, monkeypatch):
    monkeypatch.delenv("DJANGO_SUPERUSER_PASSWORD", raising=False)
    call_command("createsuperuser", interactive=False, username="root", email="root@example.com", verbosity=0)
    assert not User.objects.get(username="root").has_usable_password()
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", interactive=False, username="head", email="head@example.com", verbosity=0)
    assert log_in(client, "head", PASSWORD).status_code == 302
