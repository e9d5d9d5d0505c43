"""Exports: nothing lost between parts, nothing over the limit, the same memory for many answers as for few."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from survey import exports, terms
from survey.filters import Filters
from survey.models import ExportLog, Response
from tests.chain import answer

PATH = "/dashboard/export.csv"


def rows_of(text):
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_the_file_begins_with_the_mark_by_which_excel_knows_utf_8(client, chain):
    client.force_login(chain.head)
    response = client.get(PATH)
    assert response.getvalue().startswith(b"\xef\xbb\xbf")
    assert response["Content-Type"] == "text/csv; charset=utf-8"


def test_without_personal_data_no_words_of_the_guest_leave(client, chain):
    answer(chain.north, 4, comment="我叫王小明", name="王小明", phone="13800138000", email="w@example.com")
    client.force_login(chain.head)
    text = client.get(PATH).getvalue().decode()
    for secret in ("王小明", "13800138000", "w@example.com"):
        assert secret not in text
        assert secret in client.get(PATH, {"personal": "1"}).getvalue().decode()


def test_days_are_packed_into_parts_below_the_limit():
    days = {date(2026, 1, number): 1_000 for number in range(1, 11)}
    parts = exports.plan(days, exports.BYTES_PER_ROW * 2_500)
    assert [part.responses for part in parts] == [2_000] * 5
    assert parts[0].start == date(2026, 1, 1)
    assert parts[-1].end == date(2026, 1, 10)
    assert len(exports.plan(days, 0)) == 1


def test_behind_a_gateway_the_page_gives_a_link_for_each_part(client, chain, settings):
    settings.RESPONSE_MAX_BYTES = exports.BYTES_PER_ROW * 10
    for number in range(30):
        answer(chain.north, 4, days_ago=number % 6)
    client.force_login(chain.head)
    page = client.get(reverse("dashboard:export"))
    assert len(page.context["parts"]) == 3
    references = []
    for _part, link in page.context["parts"]:
        response = client.get(link)
        assert response.status_code == 200
        references += [row[0] for row in rows_of(response.content.decode())[1:]]
    assert sorted(references) == sorted(Response.objects.values_list("reference", flat=True))


def test_a_part_that_is_too_large_divides_itself_and_loses_nothing(client, chain, settings):
    settings.RESPONSE_MAX_BYTES = 6_000
    for number in range(40):
        answer(chain.north, 4, days_ago=number % 2, comment="味道好" * 40)
    client.force_login(chain.head)
    links, references = [f"{PATH}?personal=1"], []
    while links:
        response = client.get(links.pop())
        if response.status_code == 413:
            links += response.context["halves"]
            continue
        assert len(json.dumps(response.content.decode())) <= 6_000
        references += [row[0] for row in rows_of(response.content.decode())[1:]]
    assert len(references) == 40
    assert set(references) == set(Response.objects.values_list("reference", flat=True))
    assert sum(ExportLog.objects.values_list("row_count", flat=True)) == 40


@pytest.mark.parametrize("name", ["after", "until"])
def test_a_malformed_place_is_not_found(client, chain, name):
    client.force_login(chain.head)
    for place in ("x", "2026-01-01", "2026-01-01.x", "2026-13-01.1"):
        assert client.get(PATH, {name: place}).status_code == 404


def test_words_choose_the_same_answers_as_on_the_page(client, chain):
    answer(chain.north, 4, comment="排队太久", days_ago=1)
    answer(chain.north, 4, comment="味道很好")
    terms.index_comments(10)
    client.force_login(chain.head)
    assert len(rows_of(client.get(PATH, {"q": "排队"}).getvalue().decode())) == 2


def test_an_export_takes_the_same_memory_for_many_answers_as_for_few(chain):
    today = timezone.localdate()
    filters = Filters(start=today - timedelta(9), end=today, branch_ids=None)
    Response.objects.bulk_create(
        Response(satisfaction=5, language="zh-hans", comment="味道很好" * 50, local_date=today - timedelta(number % 10))
        for number in range(20_000)
    )
    tracemalloc.start()
    try:
        count = sum(
            len(line) for line, _cursor in exports.lines(Response.objects.all(), filters, with_personal_data=True)
        )
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count > 4_000_000
    assert peak < 6_000_000
