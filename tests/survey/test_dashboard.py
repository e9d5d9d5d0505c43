"""The pages for staff: access, contents, and number of queries."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

import index
from survey.demo import wording
from survey.jobs import rollup
from survey.jobs.retention import erase
from survey.models import (
    Branch,
    Brand,
    ErasureLog,
    ErasureRequest,
    ExportLog,
    FollowUpNote,
    Membership,
    QuestionValue,
    Submission,
)
from survey.staff import exports
from survey.staff.views import branches
from tests.support.chain import make_submission

NASTY = '<script>alert(1)</script>\x07\u202e=HYPERLINK("http://evil.example")'


def url(name, *args):
    return reverse(f"dashboard:{name}", args=args)


def content(response):
    return response.getvalue().decode()


PAGES = ("overview", "today", "compare", "comments", "follow_up", "export", "export_csv", "branches", "cards")
HEAD_OFFICE_PAGES = ("staff", "staff_add", "branch_add", "questions")


@pytest.mark.parametrize("page", (*PAGES, *HEAD_OFFICE_PAGES))
def test_every_page_needs_a_login(client, chain, page):
    response = client.get(url(page))
    assert response.status_code == 302
    assert response["Location"].startswith(url("login"))


@pytest.mark.parametrize("page", PAGES)
def test_an_account_without_a_branch_gets_an_explanation_and_can_log_out(client, chain, page):
    client.force_login(chain.stranger)
    response = client.get(url(page), headers={"accept-language": "en"})
    assert response.status_code == 403
    assert "Ask head office" in content(response)
    assert f'action="{url("logout")}"' in content(response)


@pytest.mark.parametrize("account", ["north_manager", "stranger"])
@pytest.mark.parametrize("page", HEAD_OFFICE_PAGES)
def test_a_manager_finds_no_page_of_head_office(client, chain, page, account):
    client.force_login(getattr(chain, account))
    assert client.get(url(page)).status_code == 404


@pytest.mark.parametrize("page", (*PAGES, *HEAD_OFFICE_PAGES))
def test_head_office_sees_every_page(client, chain, page):
    client.force_login(chain.head)
    assert client.get(url(page)).status_code == 200


@pytest.mark.parametrize("page", ["overview", "compare", "comments", "follow_up", "export", "export_csv"])
@pytest.mark.parametrize("branch", ["south", "-", "nowhere"])
def test_another_branch_is_not_found(client, chain, page, branch):
    client.force_login(chain.north_manager)
    assert client.get(url(page), {"branch": branch}).status_code == 404


def test_a_manager_sees_the_submissions_of_one_branch_on_every_page(client, chain):
    make_submission(chain.north, 1, comment="北边的评论")
    other = make_submission(chain.south, 1, comment="南边的秘密")
    nowhere = make_submission(None, 1, comment="没有门店的秘密")
    client.force_login(chain.north_manager)
    for page in ("overview", "today", "compare", "comments", "follow_up"):
        text = content(client.get(url(page)))
        assert "秘密" not in text
        assert other.reference not in text
    assert "北边" in content(client.get(url("comments")))
    assert not client.get(url("comments"), {"q": "秘密"}).context["submissions"]
    exported = content(client.get(url("export_csv"), {"personal": "1"}))
    assert "北边" in exported
    assert "秘密" not in exported
    for submission in (other, nowhere):
        assert client.get(url("submission", submission.reference)).status_code == 404
        note = {"status": "solved", "text": "mine"}
        assert client.post(url("submission", submission.reference), note).status_code == 404
    assert not FollowUpNote.objects.exists()
    assert client.get(url("card", "south")).status_code == 404
    assert client.get(url("card", "north")).status_code == 200
    assert client.get(url("branch", "north")).status_code == 404
    assert client.get(url("staff_member", chain.south_manager.pk)).status_code == 404


def test_head_office_sees_every_branch_and_submissions_without_one(client, chain):
    for branch in (chain.north, chain.south, None):
        make_submission(branch, 4)
    client.force_login(chain.head)
    text = content(client.get(url("overview")))
    assert '<p class="big">3</p>' in text
    assert 'href="?branch=south"' in text
    assert 'href="?branch=-"' in text


def test_djangos_admin_is_head_offices_only(client, chain):
    client.force_login(chain.north_manager)
    assert client.get("/admin/", follow=True).status_code == 404
    chain.head.is_staff = True
    chain.head.save()
    client.force_login(chain.head)
    assert client.get("/admin/survey/submission/").status_code == 200
    assert client.get("/admin/auth/user/").status_code == 403


def test_the_figures_are_those_of_the_submissions(client, chain):
    for satisfaction, recommend in ((5, 10), (5, 9), (4, 8), (2, 3)):
        make_submission(chain.north, satisfaction, recommend=recommend, taste=satisfaction)
    for _number in range(2):
        make_submission(chain.north, 1, days_ago=31, recommend=0)
    client.force_login(chain.head)
    response = client.get(url("overview"))
    context = response.context
    assert context["now"].scores == [0, 1, 0, 1, 2]
    assert context["before"].scores == [2, 0, 0, 0, 0]
    assert context["csat"].value == 0.75
    assert context["csat_change"].value == 0.75
    assert context["average"].value == 4
    assert context["nps"].score.value == 25
    assert context["nps_change"].value == 125
    assert context["now"].aspect("taste").value == 4
    assert "75.0%" in content(response)


@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize(
    ("query", "n"),
    [
        ({}, 3),
        ({"branch": "north"}, 2),
        ({"score": "low"}, 1),
        ({"score": "5"}, 1),
        ({"language": "en"}, 1),
        ({"days": "7"}, 2),
        ({"branch": "south", "score": "high"}, 0),
    ],
)
def test_filters_match_the_same_submissions_before_and_after_the_rollup(client, chain, counted, query, n):
    make_submission(chain.north, 5)
    make_submission(chain.north, 3, days_ago=3, language="en")
    make_submission(chain.south, 1, days_ago=9)
    if counted:
        rollup.count_days(10)
    client.force_login(chain.head)
    response = client.get(url("overview"), query)
    assert response.context["now"].n == n
    exported = content(client.get(url("export_csv"), query))
    assert exported.count("\r\n") == n + 1


def test_a_malformed_filter_shows_an_error_and_the_default(client, chain):
    client.force_login(chain.head)
    for query in (
        {"days": "x"},
        {"start": "2026-02-30"},
        {"start": "2026-05-02", "end": "2026-05-01"},
        {"start": "0001-01-01"},
        {"end": "9999-12-31"},
        {"start": "2001-01-01"},
        {"score": "9"},
        {"language": "fr"},
        {"q": "x" * 101},
    ):
        response = client.get(url("comments"), query)
        assert response.status_code == 200, query
        assert response.context["form"].errors, query
        assert client.get(url("export_csv"), query).status_code == 404, query
    assert client.get(url("comments"), {"problem": "noise"}).context["form"].errors
    assert client.get(url("comments"), {"before": "yesterday"}).status_code == 404
    assert client.get(url("follow_up"), {"status": "lost"}).status_code == 404


def test_the_overview_of_an_empty_chain_links_to_adding_a_branch(client, chain):
    Branch.objects.all().delete()
    client.force_login(chain.head)
    assert url("branch_add") in content(client.get(url("overview")))


@pytest.mark.parametrize("page", ["overview", "comments", "follow_up", "export"])
def test_pages_without_submissions_work(client, chain, page):
    client.force_login(chain.north_manager)
    assert client.get(url(page), {"q": "排队"}).status_code == 200


def test_lists_have_pages_that_neither_repeat_nor_skip(client, chain):
    for number in range(65):
        make_submission(chain.north, 1, days_ago=number % 3, comment=f"排队 {number}")
    client.force_login(chain.north_manager)
    for page, query in (("comments", ""), ("comments", "q=排队"), ("follow_up", "status=open")):
        seen, more = [], query
        for _page in range(4):
            response = client.get(f"{url(page)}?{more}")
            seen += [row.reference for row in response.context["submissions"]]
            more = response.context["older"]
            if not more:
                break
        assert len(seen) == 65
        assert len(set(seen)) == 65


def test_a_follow_up_note_keeps_its_author(client, chain):
    submission = make_submission(chain.north, 1, comment="凉的", name="王", phone="13800138000")
    client.force_login(chain.north_manager)
    assert submission.reference in content(client.get(url("follow_up")))
    note = {"status": "contacted", "text": "打了电话"}
    posted = client.post(url("submission", submission.reference), note, follow=True)
    assert "打了电话" in content(posted)
    submission.refresh_from_db()
    assert submission.follow_up_status == "contacted"
    assert submission.notes.get().author == chain.north_manager
    assert submission.reference not in content(client.get(url("follow_up")))
    assert submission.reference in content(client.get(url("follow_up"), {"status": "contacted"}))
    refused = client.post(url("submission", submission.reference), {"status": "lost", "text": "typed"})
    assert refused.status_code == 400
    assert "typed" in content(refused)


def test_a_note_on_a_good_score_does_not_make_it_a_low_score(client, chain):
    submission = make_submission(
        chain.north, 5, comment="好吃", follow_up_status="contacted"
    )  # as an earlier version left it
    page = url("submission", submission.reference)
    client.force_login(chain.north_manager)
    assert 'name="status"' not in content(client.get(page))
    assert client.post(page, {"text": ""}).status_code == 400
    assert "谢谢夸奖" in content(client.post(page, {"status": "contacted", "text": "谢谢夸奖"}, follow=True))
    submission.refresh_from_db()
    assert (submission.follow_up_status, submission.notes.get().status) == ("", "")
    assert submission.reference not in content(client.get(url("follow_up"), {"status": "all"}))


def test_a_low_score_needs_a_status_even_of_an_empty_form(client, chain):
    submission = make_submission(chain.north, 1)
    client.force_login(chain.north_manager)
    assert client.post(url("submission", submission.reference)).status_code == 400


def test_an_erased_low_score_stays_in_the_list_and_says_since_when(client, chain):
    submission = make_submission(chain.north, 1, comment="汤里有头发", phone="")
    erase(Submission.objects.filter(pk=submission.pk))
    client.force_login(chain.head)
    for page in (url("follow_up"), url("submission", submission.reference)):
        text = content(client.get(page, headers={"Accept-Language": "en"}))
        assert f"Erased on {timezone.localdate()}" in text
        assert '<span class="status open">open</span>' in text
        assert "头发" not in text


def test_text_of_guests_is_escaped_on_every_page(client, chain):
    fields = {"comment": NASTY, "name": "=1+1<b>", "email": "a@example.com", "phone": "+8613800138000"}
    submission = make_submission(chain.north, 1, **fields)
    Branch.objects.filter(pk=chain.north.pk).update(name="<i>北</i>", name_en="<i>N</i>")
    client.force_login(chain.head)
    for page in ("overview", "today", "compare", "comments", "follow_up", "branches", "staff", "export"):
        text = content(client.get(url(page)))
        assert "<script>alert" not in text
        assert "<i>" not in text
    assert "<script>alert" not in content(client.get(url("submission", submission.reference)))
    assert "<script>alert" not in content(client.get(url("comments"), {"q": NASTY[:50]}))
    assert "<i>" not in content(client.get(url("card", "north")))
    exported = content(client.get(url("export_csv"), {"personal": "1"}))
    assert "\x07" not in exported
    assert "\u202e" not in exported
    assert "'=1+1<b>" in exported
    assert "'+8613800138000" in exported


def test_no_page_has_inline_script_or_style(client, chain):
    make_submission(chain.north, 1, comment="排队太久", recommend=3, taste=2)
    make_submission(chain.north, 5, days_ago=1, comment="排队不久", recommend=10)
    client.force_login(chain.head)
    others = ("account", "branches", "staff", "staff_add", "branch_add", "questions", "robots", "robot_add")
    for page in (*PAGES[:6], *others):
        text = content(client.get(url(page)))
        assert not re.search(r"<script(?! defer src=)|<style|\sstyle=|\son[a-z]+=|javascript:", text), page
    for page in (url("card", "north"), url("cards"), url("tables", "north")):
        assert not re.search(r"<script(?! defer src=)|<style|\sstyle=", content(client.get(page)))


# Every page reads the session, the user, the permissions, the branches and, in one query, the badges. With the badges
# the overview reads which days are counted, problems and keywords, and by one more query the figures of these days.
@pytest.mark.parametrize(
    ("page", "queries"),
    [
        ("overview", 6),
        ("today", 13),
        ("compare", 13),
        ("comments", 7),
        ("follow_up", 8),
        ("export", 8),
        ("branches", 5),
        ("staff", 9),
        ("questions", 5),
    ],
)
def test_the_number_of_queries_is_bounded_and_independent_of_the_number_of_submissions(
    client, chain, django_assert_max_num_queries, page, queries
):
    client.force_login(chain.head)
    for number in range(3):
        make_submission(chain.north, 1 + number % 5, days_ago=number, comment="排队 太久")
    with django_assert_max_num_queries(queries):
        client.get(url(page), {"q": "排队"})
    for number in range(200):
        make_submission(
            (chain.north, chain.south)[number % 2], 1 + number % 5, days_ago=number % 60, comment="服务 很好 排队"
        )
    rollup.count_days(30)
    with django_assert_max_num_queries(queries):
        assert client.get(url(page), {"q": "排队"}).status_code == 200


def make_rows(count):
    """Add rows to every list and table of the staff's pages."""
    for number in range(Branch.objects.count(), Branch.objects.count() + count):
        branch = Branch.objects.create(code=f"branch-{number}", name=f"门店{number}")
        user = User.objects.create_user(f"manager{number}@example.com", f"manager{number}@example.com")
        Membership.objects.create(user=user, branch=branch)
        submission = make_submission(branch, 1, days_ago=number % 20, comment=f"排队太久{number}", problems=255)
        ErasureRequest.objects.create(submission=submission)
        ErasureLog.objects.create(submission=submission, event=ErasureLog.Event.DECLINED, user=user)
        ExportLog.objects.create(user=user)
        FollowUpNote.objects.create(submission=Submission.objects.earliest("pk"), author=user, status="open", text="x")


def test_no_query_and_no_template_repeats_for_each_row(client, chain):
    client.force_login(chain.head)

    def cost(page):
        address = (
            f"{url(page)}?q=排队" if page != "submission" else url(page, Submission.objects.earliest("pk").reference)
        )
        with CaptureQueriesContext(connection) as queries:
            response = client.get(address)
        assert response.status_code == 200
        return page, len(queries), [template.name for template in response.templates]

    pages = (*PAGES[:6], "branches", "cards", "staff", "erasures", "submission")
    make_submission(chain.north, 1, days_ago=30)  # the longest waiting, behind which the next one takes one query
    make_rows(5)
    of_five = [cost(page) for page in pages]
    make_rows(30)  # of more than 40 branches the overview chooses some, with a query more
    assert [cost(page) for page in pages] == of_five


def test_a_card_holds_the_branchs_link(client, chain, settings):
    settings.PUBLIC_URL = "https://survey.example.com"
    client.force_login(chain.north_manager)
    text = content(client.get(url("card", "north")))
    assert "https://survey.example.com/s/north" in text
    assert "<svg" in text


def test_the_page_of_cards_has_every_open_branch_that_the_user_may_see(
    client, chain, settings, django_assert_max_num_queries
):
    settings.PUBLIC_URL = "https://survey.example.com"
    Branch.objects.create(code="old", name="老店", is_open=False)
    client.force_login(chain.head)
    assert url("cards") in content(client.get(url("branches")))
    with django_assert_max_num_queries(5):
        text = content(client.get(url("cards")))
    assert re.findall(r">https://survey.example.com/s/(\w+)<", text) == ["north", "south"]
    assert "请用浏览器打印本页" in content(client.get(url("cards"), headers={"Accept-Language": "zh-CN"}))
    client.force_login(chain.south_manager)
    assert re.findall(r">https://survey.example.com/s/(\w+)<", content(client.get(url("cards")))) == ["south"]
    assert url("cards") not in content(client.get(url("branches")))


def test_many_cards_come_in_parts_that_hold_every_branch_once(client, chain, monkeypatch):
    monkeypatch.setattr(branches, "CARDS", 2)
    Branch.objects.bulk_create(Branch(code=f"b{number}", name=f"{number}店") for number in range(3))
    client.force_login(chain.head)
    first = content(client.get(url("cards")))
    links = re.findall(r'href="(\?part=\d)"(?: aria-current="page")?>(\w+)(?: – (\w+))?<', first)
    assert links == [("?part=1", "b0", "b1"), ("?part=2", "b2", "north"), ("?part=3", "south", "")]
    shown = [re.findall(r"/s/(\w+)<", content(client.get(url("cards") + link))) for link, *_codes in links]
    assert shown == [["b0", "b1"], ["b2", "north"], ["south"]]
    for part in ("4", "-1", "x"):
        assert client.get(url("cards"), {"part": part}).status_code == 404
    client.force_login(chain.north_manager)
    assert "part=" not in content(client.get(url("cards")))


def test_the_cards_of_tables_carry_their_numbers(client, chain, settings, monkeypatch):
    settings.PUBLIC_URL = "https://survey.example.com"
    monkeypatch.setattr(branches, "CARDS", 3)
    client.force_login(chain.north_manager)
    assert url("tables", "north") in content(client.get(url("branches")))
    empty = content(client.get(url("tables", "north")))
    assert "table-card" not in empty
    query = {"first": "8", "last": "11", "letters": "ａ"}
    page = content(client.get(url("tables", "north"), query, headers={"Accept-Language": "en"}))
    assert re.findall(r">https://survey.example.com/s/north\?t=(\w+)<", page) == ["A8", "A9", "A10"]
    assert page.count("<svg") == 3
    assert re.findall(r'class="table-number">(\w+)<', page) == ["A8", "A9", "A10"]
    [link] = re.findall(r'href="(\?[^"]+part=2)"', page)
    last = content(client.get(url("tables", "north") + link.replace("&amp;", "&")))
    assert re.findall(r">https://survey.example.com/s/north\?t=(\w+)<", last) == ["A11"]
    room = content(client.get(url("tables", "north"), {"first": "3", "last": "3", "letters": "包厢"}))
    assert "t=%E5%8C%85%E5%8E%A23" in room


@pytest.mark.parametrize(
    "query",
    [
        {"first": "9", "last": "1"},
        {"first": "1", "last": "5000"},
        {"first": "x", "last": "2"},
        {"first": "1"},
        {"first": "1", "last": "2", "letters": "<b>"},
    ],
)
def test_a_wrong_range_of_tables_is_an_error_on_the_page(client, chain, query):
    client.force_login(chain.head)
    page = client.get(url("tables", "north"), query)
    assert page.status_code == 400
    assert 'class="error"' in content(page)
    assert "table-card" not in content(page)


@pytest.mark.usefixtures("real_project")
def test_each_part_of_the_cards_of_1000_branches_passes_the_gateway(client, chain):
    Branch.objects.bulk_create(Branch(code=f"branch-{number:025}", name="店" * 64) for number in range(1000))
    client.force_login(chain.head)
    cookie = client.cookies["sessionid"].OutputString()
    for part, cards in ((1, branches.CARDS), (11, 2)):
        event = {"httpMethod": "GET", "path": url("cards"), "queryString": {"part": str(part)}, "requestContext": {}}
        result = index.main_handler({**event, "headers": {"host": "localhost", "cookie": cookie}}, {})
        assert result["statusCode"] == 200
        assert result["body"].count("<svg") == cards
        assert len(json.dumps(result)) < 1_000_000  # of 6 MB


def test_head_office_adds_a_branch_and_its_code_never_changes(client, chain):
    client.force_login(chain.head)
    fields = {"code": "west", "name": "西店", "manager_email": "w@example.com", "is_open": "on"}
    assert client.post(url("branch_add"), fields).status_code == 302
    assert client.post(url("branch_add"), fields).status_code == 400
    for code in ("-", "add", "Add", "a b", "WEST"):
        refused = client.post(url("branch_add"), {"code": code, "name": "x"})
        assert refused.status_code == 400
        assert len(refused.context["branch_form"].errors["code"]) == 1
    client.post(url("branch", "west"), {"code": "east", "name": "新西店"})
    branch = Branch.objects.get(code="west")
    assert (branch.name, branch.is_open) == ("新西店", False)


def test_a_new_code_is_kept_in_lower_case(client, chain):
    client.force_login(chain.head)
    Branch.objects.create(code="OLD", name="老店")
    assert client.post(url("branch_add"), {"code": "old", "name": "x"}).status_code == 400
    assert client.post(url("branch_add"), {"code": "East-2", "name": "东店"}).status_code == 302
    assert Branch.objects.filter(code="east-2").count() == 1
    assert client.post(url("branch", "OLD"), {"name": "老店", "name_en": "Old"}).status_code == 302
    assert Branch.objects.get(name_en="Old").code == "OLD"


@pytest.mark.parametrize("code", ["ren_min", "ren min", "_"])
def test_a_new_code_has_letters_digits_and_hyphens_alone(client, chain, code):
    client.force_login(chain.head)
    refused = client.post(url("branch_add"), {"code": code, "name": "x"})
    assert refused.context["branch_form"].errors["code"] == ["只能使用字母、数字和连字符。"]
    old = Branch.objects.create(code="old_one", name="老店")
    assert client.post(url("branch", old.code), {"name": "新店"}).status_code == 302


def test_submissions_without_a_branch_are_not_titled_with_the_only_branch(client, chain):
    chain.south.delete()
    client.force_login(chain.head)
    assert client.get(url("overview"), {"branch": "north"}).context["form"].selected_branch.pk == chain.north.pk
    assert "<h1>概览</h1>" in content(client.get(url("overview"), {"branch": "-"}))


def test_chinese_has_different_words_for_the_name_of_a_branch_and_of_a_guest(client, chain):
    client.force_login(chain.head)
    assert client.get(url("branch_add")).context["branch_form"]["name"].label == "名称"
    assert exports.header(with_personal_data=True)[-3] == "姓名"


def test_an_export_is_logged_with_who_what_and_how_many(client, chain):
    make_submission(chain.north, 5, comment="好", name="王")
    client.force_login(chain.north_manager)
    content(client.get(url("export_csv"), {"days": "7", "personal": "1"}))
    entry = ExportLog.objects.get()
    assert (entry.user, entry.with_personal_data, entry.row_count) == (chain.north_manager, True, 1)
    assert f"start={timezone.localdate() - timedelta(6)}" in entry.filters
    assert chain.north_manager.username in content(client.get(url("export")))
    client.force_login(chain.south_manager)
    assert chain.north_manager.username not in content(client.get(url("export")))


def test_the_demo_is_the_same_each_time_and_shows_on_every_page(client, db, settings):
    settings.DEBUG = True

    def seeded():
        call_command("seed_demo", submissions=300, stdout=StringIO())
        return list(
            Submission.objects.order_by("id").values_list(
                "reference", "satisfaction", "comment", "created_at", "branch__code"
            )
        )

    first = seeded()
    assert len(first) == 300
    assert Branch.objects.count() == 12
    Submission.objects.all().delete()
    assert seeded() == first
    assert client.login(username="manager@example.com", password="demo")
    assert client.get(url("overview"), {"days": 365}).context["now"].n > 0
    oldest = timezone.localdate(first[0][3])
    assert timedelta(300) < timezone.localdate() - oldest <= timedelta(365)


def test_seeding_a_second_time_prints_how_to_log_in(db, settings):
    settings.DEBUG = True
    call_command("seed_demo", submissions=10, stdout=StringIO())
    again = StringIO()
    call_command("seed_demo", stdout=again)
    assert "head@example.com" in again.getvalue()
    assert Submission.objects.count() == 10


def test_the_demo_shows_a_brand_and_keeps_the_one_that_is_there(client, db, settings):
    settings.DEBUG = True
    call_command("seed_demo", submissions=1, stdout=StringIO())
    survey = client.get("/?lang=zh").content.decode()
    assert '<p class="chain"><img src="data:image/svg+xml;base64,' in survey
    assert 'alt="示范小馆"' in survey
    assert "/brand/0f6b5c" in survey
    Submission.objects.all().delete()
    Brand.objects.update(name="别的店")
    call_command("seed_demo", submissions=1, stdout=StringIO())
    assert Brand.objects.get().name == "别的店"


def test_the_demo_is_consistent(db, settings):
    settings.DEBUG = True
    call_command("seed_demo", submissions=600, stdout=StringIO())
    times = list(Submission.objects.order_by("id").values_list("created_at", flat=True))
    assert times == sorted(times)
    assert set(QuestionValue.objects.values_list("question__key", flat=True)) == {"parking", "loud-music"}
    sentences = [sentence for sentence in wording.SENTENCES["zh-hans"]["bad"] if sentence.dishes]
    for submission in Submission.objects.filter(satisfaction__lte=2):
        assert submission.problem_list
        for sentence in sentences:
            beginning, _dish, end = sentence.text.partition("{dish}")
            for dish in sentence.dishes:
                if f"{beginning}{dish}{end}" in submission.comment:
                    assert sentence.problems & submission.problems == sentence.problems
    notes = FollowUpNote.objects.select_related("submission")
    assert {note.status for note in notes} >= {"solved"}
    assert all(note.status == note.submission.follow_up_status and note.text for note in notes)
    assert {entry.user.username for entry in ExportLog.objects.all()} == {"head@example.com", "manager@example.com"}
    for entry in ExportLog.objects.all():
        chosen = dict(text.split("=") for text in entry.filters.split())
        submissions = Submission.objects.filter(local_date__range=(chosen["start"], chosen["end"]))
        if entry.user.username.startswith("manager"):
            submissions = submissions.filter(branch__membership__user=entry.user)
            assert chosen["branch"] == "renmin"
        assert entry.row_count == submissions.count()


def test_every_sentence_of_the_demo_has_its_dishes_and_problems():
    for texts in wording.SENTENCES.values():
        for kind, sentences in texts.items():
            for sentence in sentences:
                assert ("{dish}" in sentence.text) == bool(sentence.dishes), sentence
                assert bool(sentence.problems) == (kind == "bad"), sentence
