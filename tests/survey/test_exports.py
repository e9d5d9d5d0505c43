"""Exports: nothing lost between parts, no part over the limit, memory independent of the number of submissions."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from datetime import date, datetime, timedelta
from urllib.parse import quote

import pytest
from django.urls import reverse
from django.utils import timezone

from survey.models import COMMENT_MAX_LENGTH, Branch, ExportLog, Membership, Submission
from survey.scales import Problem
from survey.staff import exports
from survey.staff.filters import Filters
from tests.support.chain import make_submission

PATH = "/dashboard/export.csv"


def rows_of(text):
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_the_file_starts_with_the_byte_order_mark_that_excel_needs(client, chain):
    client.force_login(chain.head)
    response = client.get(PATH)
    assert response.getvalue().startswith(b"\xef\xbb\xbf")
    assert response["Content-Type"] == "text/csv; charset=utf-8"


def test_without_personal_data_no_text_of_the_guest_is_exported(client, chain):
    make_submission(chain.north, 4, comment="我叫王小明", name="王小明", phone="13800138000", email="w@example.com")
    client.force_login(chain.head)
    text = client.get(PATH).getvalue().decode()
    for secret in ("王小明", "13800138000", "w@example.com"):
        assert secret not in text
        assert secret in client.get(PATH, {"personal": "1"}).getvalue().decode()


def test_days_are_packed_into_parts_below_the_limit():
    days = {date(2026, 1, number): 1_000 for number in range(1, 11)}
    filters = Filters(start=date(2025, 12, 25), end=date(2026, 1, 12), branch_ids=None)
    parts = exports.plan(days, filters, exports.BYTES_PER_ROW[True] * 2_500, with_personal_data=True)
    assert [part.submissions for part in parts] == [2_000] * 5
    assert [part.start for part in parts[:2]] == [filters.start, date(2026, 1, 3)]
    assert parts[-1].end == filters.end
    assert len(exports.plan(days, filters, 0, with_personal_data=True)) == 1
    assert exports.plan({}, filters, 0, with_personal_data=True) == []


@pytest.mark.parametrize("personal", ["", "1"])
def test_a_part_of_usual_submissions_is_neither_divided_nor_nearly_empty(client, chain, settings, personal):
    settings.RESPONSE_MAX_BYTES = 100_000
    for number in range(600):
        comment = "味道很好，就是排队太久了。" if number % 2 else ""
        contact = {"name": "王小明", "phone": "13800138000"} if number % 3 else {}
        make_submission(chain.north, 4, days_ago=number % 20, comment=comment, recommend=9, taste=4, **contact)
    client.force_login(chain.head)
    parts = client.get(reverse("dashboard:export"), {"personal": personal}).context["parts"]
    sizes = []
    for _part, link in parts:
        response = client.get(link)
        assert response.status_code == 200
        sizes.append(len(json.dumps(response.content.decode())))
    assert max(sizes) <= 100_000
    assert all(size > 33_000 for size in sizes[:-1])


def test_the_longest_comments_stay_below_the_limit_and_none_is_lost(client, chain, settings):
    settings.RESPONSE_MAX_BYTES = 100_000
    for number in range(30):
        make_submission(chain.north, 4, days_ago=number % 3, comment="😄" * COMMENT_MAX_LENGTH)  # 24 kB each, as JSON
    client.force_login(chain.head)
    page = client.get(reverse("dashboard:export"), {"personal": "1"})
    files, divided = follow(client, [link for _part, link in page.context["parts"]])
    assert divided > 0
    assert all(len(json.dumps(text)) <= 100_000 for text in files)
    references = [row[0] for text in files for row in rows_of(text)[1:]]
    assert sorted(references) == sorted(Submission.objects.values_list("reference", flat=True))


def follow(client, links):
    """Return the files behind the links, and how often one was divided."""
    files, divided = [], 0
    while links:
        response = client.get(links.pop())
        if response.status_code == 413:
            links += response.context["halves"]
            divided += 1
        else:
            files.append(response.content.decode())
    return files, divided


def test_behind_a_gateway_the_page_gives_a_link_for_each_part(client, chain, settings):
    settings.RESPONSE_MAX_BYTES = exports.BYTES_PER_ROW[False] * 10
    for number in range(30):
        make_submission(chain.north, 4, days_ago=number % 6)
    client.force_login(chain.head)
    page = client.get(reverse("dashboard:export"))
    assert len(page.context["parts"]) == 3
    references = []
    for _part, link in page.context["parts"]:
        response = client.get(link)
        assert response.status_code == 200
        references += [row[0] for row in rows_of(response.content.decode())[1:]]
    assert sorted(references) == sorted(Submission.objects.values_list("reference", flat=True))


def test_a_part_that_is_too_large_divides_itself_and_loses_nothing(client, chain, settings):
    settings.RESPONSE_MAX_BYTES = 6_000
    for number in range(40):
        make_submission(chain.north, 4, days_ago=number % 2, comment="味道好" * 40)
    client.force_login(chain.head)
    files, _divided = follow(client, [f"{PATH}?personal=1"])
    assert all(len(json.dumps(text)) <= 6_000 for text in files)
    references = [row[0] for text in files for row in rows_of(text)[1:]]
    assert len(references) == 40
    assert set(references) == set(Submission.objects.values_list("reference", flat=True))
    assert sum(ExportLog.objects.values_list("row_count", flat=True)) == 40


@pytest.mark.parametrize("name", ["after", "until"])
def test_a_malformed_cursor_is_not_found(client, chain, name):
    client.force_login(chain.head)
    for place in ("x", "2026-01-01", "2026-01-01.x", "2026-13-01.1", "2026-01-01.-1", f"2026-01-01.{2**63}"):
        assert client.get(PATH, {name: place}).status_code == 404


@pytest.mark.parametrize("key", ["x", "-1", str(2**63), "9" * 30])
def test_a_number_in_a_link_that_no_database_can_hold_is_not_found(client, chain, key):
    client.force_login(chain.head)
    place = f"2026-01-01.{key}"
    for path in (
        f"/dashboard/comments/?q=x&before={place}",
        f"/dashboard/comments/?before={place}",
        f"/dashboard/follow-up/?before={place}",
        f"/dashboard/export/?before={key}",
        f"/dashboard/staff/{key}/",
    ):
        assert client.get(path).status_code == 404


def test_the_log_has_the_filters_that_took_effect_whatever_else_the_link_carries(client, chain):
    client.force_login(chain.head)
    junk = "x" * 600
    client.get(f"{PATH}?aaaa={junk}&personal=1&days=7&branch=north&q={'排队' * 50}&by=week&after=2026-01-01.5")
    today = timezone.localdate()
    start = today - timedelta(6)
    entry = ExportLog.objects.get()
    assert entry.filters == f"start={start} end={today} branch=north after=2026-01-01.5 q={'排队' * 50}"
    assert entry.with_personal_data


def test_the_log_names_a_managers_branches_though_none_was_chosen(client, chain):
    client.force_login(chain.north_manager)
    client.get(f"{PATH}?start=2026-01-01&end=2026-01-02")
    Membership.objects.create(user=chain.north_manager, branch=chain.south)
    client.get(f"{PATH}?start=2026-01-01&end=2026-01-02")
    client.force_login(chain.head)
    client.get(f"{PATH}?start=2026-01-01&end=2026-01-02")
    client.get(f"{PATH}?start=2026-01-01&end=2026-01-02&branch=-")
    logged = ExportLog.objects.order_by("id").values_list("filters", flat=True)
    assert [text.removeprefix("start=2026-01-01 end=2026-01-02").strip() for text in logged] == [
        "branch=north",
        "branch=north,south",
        "",
        "branch=-",
    ]


def test_the_log_has_room_for_a_manager_of_very_many_branches(client, chain):
    for number in range(30):
        branch = Branch.objects.create(code=f"{number:02}{'x' * 30}")
        Membership.objects.create(user=chain.north_manager, branch=branch)
    place = f"2026-01-01.{2**63 - 1}"
    client.force_login(chain.north_manager)
    query = f"language=zh-hans&score=high&after={place}&until={place}&q={'x' * 100}"
    client.get(f"{PATH}?start=2026-01-01&end=2026-01-02&{query}")
    text = ExportLog.objects.get().filters
    assert f"branch=00{'x' * 30},01" in text
    assert ",… score=high" in text
    assert len(text) <= ExportLog._meta.get_field("filters").max_length


def test_the_log_can_be_read_to_its_beginning(client, chain):
    ExportLog.objects.bulk_create(ExportLog(user=chain.head, row_count=number) for number in range(45))
    ExportLog.objects.create(user=chain.north_manager)
    client.force_login(chain.north_manager)
    assert len(client.get(reverse("dashboard:export")).context["log"]) == 1
    client.force_login(chain.head)
    query, seen = "personal=1", []
    while query:
        context = client.get(f"{reverse('dashboard:export')}?{query}").context
        assert context["personal"]
        seen += [entry.pk for entry, _filters in context["log"]]
        query = context["older"]
    assert seen == list(ExportLog.objects.values_list("pk", flat=True))
    assert len(seen) == 46


def test_the_log_is_read_in_the_words_of_the_filters(client, chain):
    client.force_login(chain.head)
    client.get(f"{PATH}?start=2026-01-01&end=2026-01-02&branch=north&score=low&problem=cold&q=排队 久")
    page = client.get(reverse("dashboard:export"), headers={"Accept-Language": "en"}).content.decode()
    assert "2026-01-01 – 2026-01-02 · North · Low (1 and 2) · Food was cold · “排队 久”" in page


def test_an_export_has_the_submissions_of_every_filter_and_its_name_says_which(client, chain):
    make_submission(chain.north, 1, problems=Problem.COLD, comment="排队")
    make_submission(chain.north, 1, problems=Problem.DIRTY, comment="排队")
    client.force_login(chain.head)
    page = client.get(reverse("dashboard:export"), {"branch": "north", "score": "low", "problem": "cold", "q": "排队"})
    [(_part, link)] = page.context["parts"]
    response = client.get(link)
    assert len(rows_of(response.getvalue().decode())) == 2
    today = timezone.localdate()
    name = f"survey-{today - timedelta(29):%Y%m%d}-{today:%Y%m%d}-north-low-cold-排队.csv"
    assert response["Content-Disposition"] == f"attachment; filename*=utf-8''{quote(name)}"


@pytest.mark.parametrize(
    ("status", "expected"), [("open", "ab"), ("mine", "b"), ("solved", "c"), ("all", "abc"), ("", "abcd")]
)
def test_an_export_follows_the_tab_of_the_follow_up(client, chain, status, expected):
    cases = {"a": {}, "b": {"follow_up_owner": chain.head}, "c": {"follow_up_status": "solved"}}
    made = {name: make_submission(chain.north, 1, days_ago=40, **fields).reference for name, fields in cases.items()}
    made["d"] = make_submission(chain.north, 5, days_ago=40).reference
    client.force_login(chain.head)
    query = {"status": status, "days": "90"}
    [(_part, link)] = client.get(reverse("dashboard:export"), query).context["parts"]
    response = client.get(link)
    exported = {row[0] for row in rows_of(response.getvalue().decode())[1:]}
    assert exported == {made[name] for name in expected}
    assert (f"-{status}.csv" in response["Content-Disposition"]) == bool(status)
    assert f"status={status}" in ExportLog.objects.get().filters or not status


def test_the_export_of_the_queue_reaches_back_to_the_oldest_open_case(client, chain):
    oldest = make_submission(chain.north, 1, days_ago=200)
    make_submission(chain.north, 1)
    client.force_login(chain.head)
    text = client.get(reverse("dashboard:follow_up")).content.decode()
    query = f"status=open&amp;start={oldest.local_date}&amp;end={timezone.localdate()}"
    assert f'href="{reverse("dashboard:export")}?{query}"' in text
    [(_part, link)] = client.get(f"{reverse('dashboard:export')}?{query.replace('&amp;', '&')}").context["parts"]
    assert len(rows_of(client.get(link).getvalue().decode())) == 3


def test_a_file_has_the_owner_the_due_time_and_the_time_when_a_case_was_solved(client, chain):
    moment = timezone.make_aware(datetime(2026, 3, 1, 12, 30))
    chain.head.first_name = "李经理"
    chain.head.save()
    times = {"follow_up_due_at": moment, "follow_up_closed_at": moment + timedelta(hours=1)}
    make_submission(chain.north, 1, follow_up_owner=chain.head, follow_up_status="solved", **times)
    client.force_login(chain.head)
    header, row = rows_of(client.get(PATH).getvalue().decode())
    assert header[-4:] == ["跟进状态", "负责人", "跟进时限", "解决时间"]
    assert row[-4:] == ["已解决", "李经理", "2026-03-01 12:30:00", "2026-03-01 13:30:00"]


def test_the_words_of_a_file_are_chinese_whatever_the_readers_language(client, chain):
    make_submission(chain.north, 5)
    client.force_login(chain.head)
    response = client.get(PATH, headers={"Accept-Language": "en"})
    header, row = rows_of(response.getvalue().decode())
    assert header[:2] == ["回执编号", "收到时间"]
    assert row[5] == "非常满意"


def test_words_match_the_same_submissions_as_on_the_page(client, chain):
    make_submission(chain.north, 4, comment="排队太久", days_ago=1)
    make_submission(chain.north, 4, comment="味道很好")
    make_submission(chain.north, 4, comment="不想排队", due=True)
    client.force_login(chain.head)
    assert len(rows_of(client.get(PATH, {"q": "排队"}).getvalue().decode())) == 3


def test_the_memory_of_an_export_does_not_grow_with_the_submissions(chain):
    today = timezone.localdate()
    filters = Filters(start=today - timedelta(9), end=today, branch_ids=None)
    Submission.objects.bulk_create(
        Submission(
            satisfaction=5, language="zh-hans", comment="味道很好" * 50, local_date=today - timedelta(number % 10)
        )
        for number in range(20_000)
    )
    tracemalloc.start()
    try:
        export = exports.Export(filters, with_personal_data=True)
        count = sum(len(line) for line, _cursor in exports.lines(Submission.objects.all(), export))
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count > 4_000_000
    assert peak < 6_000_000
