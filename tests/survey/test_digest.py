"""The digest: once a day to each member of staff who wants it, in their language, about their branches."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import call_command
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone as django_timezone

from survey.jobs import retention
from survey.mail import outbox
from survey.models import DigestSubscription, OutgoingMail
from survey.staff import digest
from tests.support.chain import Chain, make_chain, make_submission

SHANGHAI = timezone(timedelta(hours=8))
SECONDS = 60


def eight() -> datetime:
    """Return the time at which today's digests are due; a constant would be of the day on which the run began."""
    today = django_timezone.localdate()
    return datetime(today.year, today.month, today.day, 8, 0, 15, tzinfo=SHANGHAI)


def subscribe(user: User, language: str = "en") -> DigestSubscription:
    return DigestSubscription.objects.create(user=user, language=language)


def queued() -> list[OutgoingMail]:
    return list(OutgoingMail.objects.filter(kind=OutgoingMail.Kind.DIGEST).order_by("pk"))


def test_only_those_who_want_it_get_it_and_only_once_a_day(chain: Chain) -> None:
    subscribe(chain.north_manager)
    make_submission(chain.north, 5, days_ago=1)
    assert digest.queue_digests(SECONDS, eight() - timedelta(minutes=1)) == 0
    assert digest.queue_digests(SECONDS, eight()) == 1
    assert digest.queue_digests(SECONDS, eight() + timedelta(minutes=1)) == 0
    assert digest.queue_digests(SECONDS, eight() + timedelta(hours=20)) == 0
    [first] = queued()
    assert (first.recipient, first.account) == ("north@example.com", chain.north_manager)
    assert digest.queue_digests(SECONDS, eight() + timedelta(days=1)) == 1
    assert len(queued()) == 2


def test_a_mail_that_was_deleted_is_not_queued_again(chain: Chain) -> None:
    subscribe(chain.head)
    digest.queue_digests(SECONDS, eight())
    OutgoingMail.objects.all().delete()
    assert digest.queue_digests(SECONDS, eight() + timedelta(minutes=1)) == 0


def test_it_is_about_the_branches_of_its_reader_in_their_language(chain: Chain, settings) -> None:
    settings.PUBLIC_URL = "https://survey.example.com"
    subscribe(chain.north_manager, "zh-hans")
    subscribe(chain.head, "en")
    private = {"comment": "秘密的评论", "name": "王芳", "phone": "13800138000", "email": "wang@example.com"}
    make_submission(chain.north, 5, days_ago=1, **private)
    low = make_submission(chain.south, 1, days_ago=1, **private)
    digest.queue_digests(SECONDS, eight())
    of_manager, of_head = queued()
    assert of_manager.subject == "昨天：1 位顾客中 100.0% 满意"
    assert of_manager.body.startswith(f"昨天（{django_timezone.localdate() - timedelta(1)}，星期")
    assert "待跟进\n" in of_manager.body
    assert of_head.subject == "Yesterday: 50.0% of 2 guests satisfied"
    assert "The oldest waits for 1 day" in of_head.body
    for sent in (of_manager, of_head):
        assert "https://survey.example.com/dashboard/today/\n" in sent.body
        assert "https://survey.example.com/dashboard/account/\n" in sent.body
        for secret in (*private.values(), low.reference):
            assert secret not in sent.body + sent.subject


def test_a_deactivated_account_and_one_without_branches_get_none(chain: Chain) -> None:
    subscribe(chain.stranger)
    subscribe(chain.north_manager)
    User.objects.filter(pk=chain.north_manager.pk).update(is_active=False)
    assert digest.queue_digests(SECONDS, eight()) == 0


def test_one_digest_that_fails_stops_no_other_and_is_queued_by_the_next_timer(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    subscribe(chain.north_manager)
    subscribe(chain.south_manager)
    summary = digest.today.summary

    def failing(filters, branches, now):
        if [branch.pk for branch in branches] == [chain.north.pk]:
            raise ArithmeticError
        return summary(filters, branches, now)

    monkeypatch.setattr(digest.today, "summary", failing)
    with pytest.raises(ArithmeticError):
        digest.queue_digests(SECONDS, eight())
    assert [sent.recipient for sent in queued()] == ["south@example.com"]
    monkeypatch.setattr(digest.today, "summary", summary)
    assert digest.queue_digests(SECONDS, eight()) == 1


def test_no_digest_is_started_after_the_seconds_of_the_job(chain: Chain) -> None:
    subscribe(chain.head)
    assert digest.queue_digests(0, eight()) == 0
    assert digest.queue_digests(SECONDS, eight()) == 1


def test_the_job_queues_and_the_outbox_delivers(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "MORNING", range(24))
    subscribe(chain.head)
    output = StringIO()
    call_command("queue_digests", stdout=output)
    assert output.getvalue() == "1 digests queued\n"
    assert outbox.deliver(outbox.DELIVERY_SECONDS).sent == 1
    [sent] = mail.outbox
    assert sent.to == ["head@example.com"]
    assert "No answers" in sent.body


@pytest.mark.parametrize("change", ["switched off", "deactivated", "another address", "deleted"])
def test_a_queued_digest_is_deleted_when_its_reader_is_gone(chain: Chain, change: str) -> None:
    subscribe(chain.head)
    digest.queue_digests(SECONDS, eight())
    user = User.objects.filter(pk=chain.head.pk)
    if change == "switched off":
        DigestSubscription.objects.all().delete()
    elif change == "deactivated":
        user.update(is_active=False)
    elif change == "another address":
        user.update(email="new@example.com")
    else:
        chain.head.delete()
    report = outbox.deliver(outbox.DELIVERY_SECONDS)
    assert report.sent == 0
    assert queued() == []
    assert mail.outbox == []


def test_old_digests_are_deleted_with_the_other_mails_to_staff(chain: Chain) -> None:
    subscribe(chain.head)
    digest.queue_digests(SECONDS, eight())
    retention.delete_account_mails(django_timezone.now() - timedelta(days=1))
    assert len(queued()) == 1
    retention.delete_account_mails(django_timezone.now())
    assert queued() == []


@pytest.mark.django_db(transaction=True)
def test_timers_that_overlap_queue_one_mail() -> None:
    chain = make_chain()
    for user in (chain.head, chain.north_manager, chain.south_manager):
        subscribe(user)
    ready = threading.Barrier(4)
    counts: list[int] = []

    def run() -> None:
        ready.wait()
        counts.append(digest.queue_digests(SECONDS, eight()))
        connections.close_all()

    threads = [threading.Thread(target=run) for _timer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts) == 3
    assert sorted(sent.recipient for sent in queued()) == ["head@example.com", "north@example.com", "south@example.com"]


def test_staff_switch_it_on_and_off_on_their_account_page(client: Client, chain: Chain) -> None:
    page = reverse("dashboard:account")
    client.force_login(chain.north_manager)
    shown = client.get(page, headers={"Accept-Language": "en"}).content.decode()
    assert page in shown
    assert 'name="digest"' in shown
    assert client.post(page, {"digest": "on", "language": "en"}).status_code == 302
    assert DigestSubscription.objects.get().user == chain.north_manager
    client.post(page, {"digest": "on", "language": "zh-hans"})
    assert DigestSubscription.objects.get().language == "zh-hans"
    assert " checked" in client.get(page).content.decode()
    client.post(page, {"language": "zh-hans"})
    assert not DigestSubscription.objects.exists()
    assert client.post(page, {"digest": "on", "language": "fr"}).status_code == 400


def test_changing_the_language_queues_no_second_mail(client: Client, chain: Chain) -> None:
    subscribe(chain.head)
    digest.queue_digests(SECONDS, eight())
    client.force_login(chain.head)
    client.post(reverse("dashboard:account"), {"digest": "on", "language": "zh-hans"})
    assert digest.queue_digests(SECONDS, eight()) == 0


def test_an_account_without_an_address_is_told_so(client: Client, chain: Chain) -> None:
    User.objects.filter(pk=chain.head.pk).update(email="")
    client.force_login(chain.head)
    refused = client.post(
        reverse("dashboard:account"), {"digest": "on", "language": "en"}, headers={"Accept-Language": "en"}
    )
    assert refused.status_code == 400
    assert "no e-mail address" in refused.content.decode()
