"""Low scores to follow up: the list misses none, and each page links to the next open one."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from survey.guest.services import submission_create
from survey.jobs.retention import erase
from survey.models import COMMENT_MAX_LENGTH, Submission
from survey.staff.follow_up import follow_up
from tests.support.chain import make_submission

LIST = reverse("dashboard:follow_up")


def path(submission):
    return reverse("dashboard:submission", args=[submission.reference])


def page(client, address, **query):
    response = client.get(address, query, headers={"Accept-Language": "en"})
    assert response.status_code == 200
    return response


@pytest.fixture
def manager(client, chain):
    """The client, logged in for the branch in the north."""
    client.force_login(chain.north_manager)
    return client


def test_the_list_has_as_many_as_the_badge_counts(manager, chain):
    for days_ago in (0, 45, 400):
        make_submission(chain.north, 1, days_ago=days_ago)
    make_submission(chain.south, 1)
    shown = page(manager, LIST)
    assert shown.context["open_count"] == len(shown.context["submissions"]) == 3


def test_a_chosen_period_limits_the_list_and_the_page_mentions_the_others(manager, chain):
    make_submission(chain.north, 1, days_ago=45)
    for query in ({"days": "30"}, {"start": "2020-01-01", "end": "2020-02-01"}):
        shown = page(manager, LIST, **query)
        assert shown.context["submissions"] == []
        text = shown.content.decode()
        assert "You’re all caught up" not in text
        assert "Show every open one" in text
    assert len(page(manager, LIST, days="90").context["submissions"]) == 1


def test_without_any_open_one_nothing_waits(manager):
    assert "You’re all caught up" in page(manager, LIST).content.decode()


@pytest.mark.parametrize(("days_ago", "age"), [(0, "came today"), (1, "waits for 1 day<"), (45, "waits for 45 days")])
def test_an_open_low_score_shows_how_long_it_has_waited(manager, chain, days_ago, age):
    submission = make_submission(chain.north, 1, days_ago=days_ago)
    assert age in page(manager, LIST).content.decode()
    Submission.objects.filter(pk=submission.pk).update(follow_up_status="solved")
    assert age not in page(manager, LIST, status="all").content.decode()


def test_tabs_begin_with_a_capital(manager):
    tabs = re.search(r'<ul class="tabs">(.*?)</ul>', page(manager, LIST).content.decode()).group(1)
    assert re.findall(r">([^<]+)</a>", tabs) == ["Open", "Mine", "Contacted", "Solved", "All"]


def test_a_saved_follow_up_links_to_the_list_and_to_the_next_open_one(manager, chain):
    oldest, solved, middle, newest = (
        make_submission(chain.north, 1, days_ago=days_ago, problems=4) for days_ago in (60, 50, 40, 1)
    )
    Submission.objects.filter(pk=solved.pk).update(follow_up_status="solved")
    make_submission(chain.north, 1, days_ago=45)
    query = "?problem=cold&status=open"
    assert page(manager, LIST, problem="cold").context["submissions"] == [oldest, middle, newest]
    assert (
        f'href="{path(middle)}?problem=cold&amp;status=open"'
        in page(manager, LIST, problem="cold", status="open").content.decode()
    )
    saved = manager.post(path(middle) + query, {"status": "contacted", "text": "called"}, follow=True)
    text = saved.content.decode()
    assert f'href="{LIST}?problem=cold&amp;status=open"' in text
    assert f'href="{path(newest)}?problem=cold&amp;status=open"' in text
    assert saved.context["next_open"] == newest
    assert page(manager, path(newest) + query).context["next_open"] == oldest  # after the last comes the first
    manager.post(path(newest) + query, {"status": "solved", "text": ""})
    assert page(manager, path(oldest) + query).context["next_open"] is None


def test_the_queue_has_pages_that_neither_repeat_nor_skip(manager, chain):
    waiting = [make_submission(chain.north, 1, days_ago=40 - number // 3) for number in range(70)]
    query, seen = "", []
    while query is not None:
        context = manager.get(f"{LIST}?{query}").context
        seen += context["submissions"]
        query = context["older"] or None
    assert seen == waiting


def test_a_card_shows_whether_the_guest_can_be_reached(manager, chain):
    """Without the number itself: the platform logs every page, and the number is on the submission's own."""
    make_submission(chain.north, 1, phone="13800138000")
    assert "Left a phone number" in page(manager, LIST).content.decode()
    assert "No contact" not in page(manager, LIST).content.decode()
    make_submission(chain.north, 1)
    assert "No contact" in page(manager, LIST).content.decode()


def test_one_tap_solves_and_keeps_the_note(manager, chain):
    submission = make_submission(chain.north, 1)
    button = '<button name="status" value="solved">'
    assert button in page(manager, path(submission)).content.decode()
    # As a browser sends it: the button behind the radio button of the present status.
    sent = {"status": ["open", "solved"], "shown": "open", "text": "invited again"}
    assert manager.post(path(submission), sent).status_code == 302
    assert list(submission.notes.values_list("status", "text")) == [("solved", "invited again")]
    assert button not in page(manager, path(submission)).content.decode()


def test_the_next_open_one_is_of_the_users_branch(manager, chain):
    mine = make_submission(chain.north, 1)
    make_submission(chain.south, 1)
    assert page(manager, path(mine)).context["next_open"] is None


def test_a_comment_leads_back_to_the_comments(manager, chain):
    submission = make_submission(chain.north, 5, comment="good")
    link = f"{path(submission)}?score=high&amp;list=comments"
    address = reverse("dashboard:comments")
    assert f'href="{link}"' in page(manager, address, score="high").content.decode()
    assert (
        f'href="{address}?score=high"'
        in page(manager, path(submission), score="high", list="comments").content.decode()
    )


def test_of_an_erased_low_score_only_the_status_can_be_saved(manager, chain):
    submission = make_submission(chain.north, 1)
    erase(Submission.objects.filter(pk=submission.pk))
    assert set(page(manager, path(submission)).context["note_form"].fields) == {"status", "shown"}
    refused = manager.post(path(submission), {"status": "solved", "text": "Mr Li 13800009999"})
    assert refused.status_code == 400
    assert "13800009999" not in refused.content.decode()
    assert not submission.notes.exists()
    manager.post(path(submission), {"status": "solved"})
    submission.refresh_from_db()
    assert (submission.follow_up_status, submission.notes.get().text) == ("solved", "")


def test_an_erased_good_score_takes_no_note(manager, chain):
    submission = make_submission(chain.north, 5)
    erase(Submission.objects.filter(pk=submission.pk))
    assert 'name="text"' not in page(manager, path(submission)).content.decode()
    refused = manager.post(path(submission), {"text": "Mr Li 13800009999"}, headers={"Accept-Language": "en"})
    assert refused.status_code == 400
    assert "This answer was erased" in refused.content.decode()
    assert not submission.notes.exists()


def test_a_note_that_races_an_erasure_is_not_stored(chain):
    submission = make_submission(chain.north, 1)
    erase(Submission.objects.filter(pk=submission.pk))
    submission.erased_at = None  # as a request read it before
    with pytest.raises(ValidationError):
        follow_up(submission, author=chain.head, status="solved", text="Mr Li 13800009999")
    assert not submission.notes.exists()


@pytest.fixture
def stale(manager, chain):
    """A submission that a colleague has just solved, and the status fields of a page opened while it was open."""
    submission = make_submission(chain.north, 1)
    sent = {name: page(manager, path(submission)).context["note_form"][name].value() for name in ("status", "shown")}
    follow_up(submission, author=chain.head, status="solved", text="invited again")
    return submission, sent


def test_a_note_from_an_older_page_leaves_the_status_as_it_is_by_now(manager, stale):
    submission, sent = stale
    assert manager.post(path(submission), {**sent, "text": "and called"}).status_code == 302
    submission.refresh_from_db()
    assert submission.follow_up_status == "solved"
    assert list(submission.notes.values_list("status", "text")) == [
        ("solved", "invited again"),
        ("solved", "and called"),
    ]


def test_a_status_chosen_on_an_older_page_is_asked_for_again(manager, stale):
    submission, sent = stale
    sent |= {"status": "contacted", "text": "called"}
    refused = manager.post(path(submission), sent, headers={"Accept-Language": "en"})
    assert refused.status_code == 400
    assert "Somebody changed the status to “solved” meanwhile" in refused.content.decode()
    assert "invited again" in refused.content.decode()
    submission.refresh_from_db()
    assert (submission.follow_up_status, submission.notes.count()) == ("solved", 1)
    form = refused.context["note_form"]
    again = {name: form[name].value() for name in ("status", "shown", "text")}
    assert again == {"status": "solved", "shown": "solved", "text": "called"}
    assert manager.post(path(submission), {**again, "status": "contacted"}).status_code == 302
    submission.refresh_from_db()
    assert submission.follow_up_status == "contacted"


def test_an_empty_form_stores_nothing_and_shows_an_error(manager, stale):
    submission, sent = stale
    refused = manager.post(path(submission), {**sent, "text": " "}, headers={"Accept-Language": "en"})
    assert refused.status_code == 400
    assert "Nothing was changed or written" in refused.content.decode()
    assert refused.context["note_form"]["status"].value() == "solved"
    assert submission.notes.count() == 1


def test_a_note_that_is_too_long_does_not_make_the_shown_status_a_chosen_one(manager, stale):
    submission, sent = stale
    refused = manager.post(path(submission), {**sent, "text": "x" * (COMMENT_MAX_LENGTH + 1)})
    form = refused.context["note_form"]
    assert {name: form[name].value() for name in sent} == sent


def test_a_line_break_in_a_note_counts_once(manager, chain):
    submission = make_submission(chain.north, 1)
    text = "排\n" * (COMMENT_MAX_LENGTH // 2 - 1) + "队啊"
    sent = text.replace("\n", "\r\n")  # as browsers do
    assert manager.post(path(submission), {"status": "solved", "text": sent}).status_code == 302
    assert submission.notes.get().text == text
    assert manager.post(path(submission), {"status": "solved", "text": sent + "x"}).status_code == 400


def test_a_submissions_page_takes_a_bounded_number_of_queries(manager, chain, django_assert_max_num_queries):
    *_others, first = [make_submission(chain.north, 1, days_ago=number) for number in range(40)]
    with django_assert_max_num_queries(11):
        page(manager, path(first))


@pytest.mark.parametrize(
    ("satisfaction", "hours", "is_due"), [(1, 24, True), (2, 24, True), (3, 24, False), (1, 0, False)]
)
def test_a_low_score_is_due_so_many_hours_after_it_came(db, settings, satisfaction, hours, is_due):
    settings.FOLLOW_UP_HOURS = hours
    submission = Submission(satisfaction=satisfaction, language="zh-hans")
    submission_create(submission, content={})
    submission.refresh_from_db()
    assert submission.follow_up_due_at == (submission.created_at + timedelta(hours=hours) if is_due else None)


def test_only_an_open_case_is_overdue(chain):
    past, future = (timezone.now() + timedelta(hours=hours) for hours in (-1, 1))
    assert make_submission(chain.north, 1, follow_up_due_at=past).is_overdue
    assert not make_submission(chain.north, 1, follow_up_due_at=future).is_overdue
    assert not make_submission(chain.north, 1).is_overdue  # as the release before stores it
    assert not make_submission(chain.north, 1, follow_up_due_at=past, follow_up_status="contacted").is_overdue


def test_a_solved_case_has_the_time_and_one_that_is_opened_again_has_none(chain):
    submission = make_submission(chain.north, 1)
    for status, is_closed in (("contacted", False), ("solved", True), ("open", False)):
        follow_up(submission, author=chain.head, status=status, text="")
        submission.refresh_from_db()
        assert (submission.follow_up_closed_at is not None) == is_closed


def test_a_note_about_a_solved_case_leaves_the_time_as_it_was(chain):
    submission = make_submission(chain.north, 1)
    follow_up(submission, author=chain.head, status="solved", text="")
    closed_at = submission.follow_up_closed_at
    follow_up(submission, author=chain.head, status="solved", shown="solved", text="thanked us")
    submission.refresh_from_db()
    assert submission.follow_up_closed_at == closed_at


def test_who_changes_the_status_of_a_case_without_an_owner_owns_it(chain):
    submission = make_submission(chain.north, 1)
    follow_up(submission, author=chain.head, status="open", shown="open", text="who knows this guest?")
    assert submission.follow_up_owner is None
    follow_up(submission, author=chain.north_manager, status="contacted", text="")
    follow_up(submission, author=chain.head, status="solved", text="")
    submission.refresh_from_db()
    assert submission.follow_up_owner == chain.north_manager


def owner_path(submission):
    return reverse("dashboard:owner", args=[submission.reference])


def owner_of(submission):
    submission.refresh_from_db()
    return submission.follow_up_owner


def form_of(text, action):
    """Return the fields of the form with this action, as the browser sends them with its button."""
    html = re.search(rf'<form[^>]* action="{re.escape(action)}[?"].*?</form>', text, re.DOTALL).group()
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', html))


def test_one_tap_in_the_list_takes_a_case_and_returns_to_the_next_card(manager, chain):
    first, second = make_submission(chain.north, 1, days_ago=2), make_submission(chain.north, 1, days_ago=1)
    text = page(manager, LIST, score="1").content.decode()
    assert text.count("No owner") == 2
    taken = manager.post(f"{owner_path(first)}?score=1&status=open", form_of(text, owner_path(first)))
    assert taken["Location"] == f"{LIST}?score=1&status=open#{second.reference}"
    assert owner_of(first) == chain.north_manager
    text = page(manager, LIST, score="1").content.decode()
    assert f'id="{second.reference}"' in text  # where the browser moves the focus
    assert "Owner: north@example.com" in text
    assert text.count(">Take it<") == 1


def test_one_tap_in_the_list_solves_a_case_with_its_note(manager, chain):
    first, second = make_submission(chain.north, 1, days_ago=2), make_submission(chain.north, 1, days_ago=1)
    sent = form_of(page(manager, LIST).content.decode(), path(first)) | {"text": "invited again"}
    solved = manager.post(f"{path(first)}?status=open", sent)
    assert solved["Location"] == f"{LIST}?status=open#{second.reference}"
    assert list(first.notes.values_list("status", "text")) == [("solved", "invited again")]
    sent = form_of(page(manager, LIST).content.decode(), path(second))
    assert manager.post(f"{path(second)}?status=open", sent)["Location"] == f"{LIST}?status=open"


def test_a_case_that_a_colleague_solved_meanwhile_is_not_solved_twice_from_the_list(manager, chain):
    submission = make_submission(chain.north, 1)
    sent = form_of(page(manager, LIST).content.decode(), path(submission)) | {"text": "called"}
    follow_up(submission, author=chain.head, status="contacted", text="")
    refused = manager.post(f"{path(submission)}?status=open", sent)
    assert refused.status_code == 400
    assert refused.context["note_form"]["text"].value() == "called"


def test_solving_on_the_own_page_opens_the_next_open_one(manager, chain):
    first, second = make_submission(chain.north, 1, days_ago=2), make_submission(chain.north, 1, days_ago=1)
    sent = {"status": "solved", "shown": "open", "text": ""}
    assert manager.post(f"{path(first)}?status=open", sent)["Location"] == f"{path(second)}?status=open"
    assert manager.post(f"{path(second)}?status=open", sent)["Location"] == f"{path(second)}?status=open"


def test_solving_a_case_of_another_list_stays_on_its_page(manager, chain):
    first, _second = make_submission(chain.north, 1, days_ago=2), make_submission(chain.north, 1, days_ago=1)
    sent = {"status": "solved", "shown": "open", "text": ""}
    assert manager.post(f"{path(first)}?status=all", sent)["Location"] == f"{path(first)}?status=all"


def test_a_list_that_a_form_names_stays_on_this_site(manager, chain):
    submission = make_submission(chain.north, 1)
    sent = {"page": "list", "next": "//evil.example", "status": "solved", "shown": "open"}
    assert manager.post(path(submission), sent)["Location"] == f"{LIST}?"


def test_a_case_is_given_to_staff_who_may_see_it_and_to_nobody_else(manager, chain):
    submission = make_submission(chain.north, 1)
    choices = page(manager, path(submission)).context["owner_form"].fields["owner"].queryset
    assert {user.username for user in choices} == {"head@example.com", "north@example.com"}
    manager.post(owner_path(submission), {"owner": chain.head.pk, "shown": ""})
    assert owner_of(submission) == chain.head
    refused = manager.post(
        owner_path(submission), {"owner": chain.south_manager.pk, "shown": chain.head.pk}, follow=True
    )
    assert "有权查看" in refused.content.decode()
    assert owner_of(submission) == chain.head
    manager.post(owner_path(submission), {"owner": "", "shown": chain.head.pk})
    assert owner_of(submission) is None


def test_a_superuser_may_own_a_case_and_an_account_that_was_closed_may_not(manager, chain, admin_user):
    submission = make_submission(chain.north, 1)
    chain.head.is_active = False
    chain.head.save()
    choices = page(manager, path(submission)).context["owner_form"].fields["owner"].queryset
    assert set(choices) == {admin_user, chain.north_manager}


def test_nobody_takes_a_case_from_a_colleague_without_knowing(manager, chain):
    submission = make_submission(chain.north, 1)
    sent = form_of(page(manager, LIST).content.decode(), owner_path(submission))
    Submission.objects.update(follow_up_owner=chain.head)
    shown = manager.post(owner_path(submission), sent, follow=True, headers={"Accept-Language": "en"})
    assert "Somebody changed the owner meanwhile" in shown.content.decode()
    assert owner_of(submission) == chain.head


def test_a_submission_that_is_not_low_has_no_owner(manager, chain):
    submission = make_submission(chain.north, 5)
    assert page(manager, path(submission)).context["owner_form"] is None
    assert manager.post(owner_path(submission), {"owner": chain.north_manager.pk}).status_code == 404


def test_my_cases_are_a_list_of_their_own_whose_next_one_is_mine_too(manager, chain):
    mine, _other, last = (make_submission(chain.north, 1, days_ago=days) for days in (3, 2, 1))
    Submission.objects.filter(pk__in=(mine.pk, last.pk)).update(follow_up_owner=chain.north_manager)
    shown = page(manager, LIST, status="mine")
    assert shown.context["submissions"] == [mine, last]
    assert f'href="{path(mine)}?status=mine"' in shown.content.decode()
    detail = page(manager, path(mine), status="mine")
    assert detail.context["next_open"] == last
    assert f'href="{LIST}?status=mine"' in detail.content.decode()
    Submission.objects.update(follow_up_status="contacted")
    assert "You have no open ones" in page(manager, LIST, status="mine").content.decode()


def test_overdue_is_said_in_words(manager, chain):
    past, future = (timezone.now() + timedelta(hours=hours) for hours in (-1, 1))
    submission = make_submission(chain.north, 1, follow_up_due_at=past)
    assert f"overdue since {timezone.localtime(past):%Y-%m-%d %H:%M}" in page(manager, LIST).content.decode()
    Submission.objects.update(follow_up_due_at=future)
    for address in (LIST, path(submission)):
        assert f"due by {timezone.localtime(future):%Y-%m-%d %H:%M}" in page(manager, address).content.decode()
    Submission.objects.update(follow_up_due_at=None)
    assert not re.search("overdue since|due by", page(manager, LIST).content.decode())
