"""What a Web function may carry beside text: workbooks, images, compressed pages, exports sent while they are read."""

from __future__ import annotations

import gzip
import io
import zipfile

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openpyxl import load_workbook

from survey.models import ExportLog, Submission
from survey.staff import exports, workbook
from tests.support.chain import make_submission

CSV, XLSX = "/dashboard/export.csv", "/dashboard/export.xlsx"
WEB = {"serverless.request_id": "r-1"}  # as web_function.py sets it
EVENT = {**WEB, "serverless.event": {}}


@pytest.fixture
def head(client, chain):
    client.force_login(chain.head)
    return client


def test_the_first_line_is_sent_before_the_last_row_is_read(head, chain, settings, monkeypatch):
    settings.RESPONSE_MAX_BYTES = 100_000
    monkeypatch.setattr(exports, "CHUNK", 2)
    references = [make_submission(chain.north, 4).reference for _ in range(6)]
    today = timezone.localdate().isoformat()
    parts = iter(head.get(CSV, {"start": today, "end": today}, **WEB).streaming_content)
    assert next(parts).startswith("\ufeff".encode())
    with CaptureQueriesContext(
        connection,
    ) as first:
        line = next(parts).decode()
    assert references[0] in line
    assert len(first) == 1  # a chunk of two, of three
    with CaptureQueriesContext(connection) as rest:
        left = b"".join(parts).decode()
    assert references[-1] in left
    assert len(rest) == 4  # two full chunks, an empty one, and the log
    assert ExportLog.objects.get().row_count == 6


def test_a_file_that_may_be_too_large_is_measured_first_and_divides_itself(head, chain, settings):
    settings.RESPONSE_MAX_BYTES = 3_000
    for _ in range(30):
        make_submission(chain.north, 4)
    response = head.get(CSV, **WEB)
    assert response.status_code == 413
    assert b"export.csv?until=" in response.content


def test_the_estimate_is_above_the_file(head, chain, settings):
    texts = {"comment": '"味道很好"\n' * 40, "name": '"' * 50, "phone": "13800138000", "email": "w@example.com"}
    for _ in range(5):
        make_submission(chain.north, 1, **texts)
    settings.RESPONSE_MAX_BYTES = 10_000_000
    submissions = Submission.objects.all()
    for personal in ("", "1"):
        response = head.get(CSV, {"personal": personal}, **WEB)
        export = exports.Export(response.wsgi_request and filters_of(response), bool(personal))
        assert len(response.getvalue()) < exports.most_bytes(submissions, export)


def filters_of(response):
    from survey.staff.views.page import export_form

    return export_form(response.wsgi_request).filters()


def test_a_stream_that_passes_the_limit_after_all_breaks_off():
    rows = iter([("header", None), ("x" * 50, 1), ("x" * 60, 2)])
    with pytest.raises(exports.TooLarge):
        list(exports.below(rows, 100))


def test_behind_a_gateway_of_events_nothing_is_streamed(head, chain, settings):
    settings.RESPONSE_MAX_BYTES = 100_000
    assert not head.get(CSV, **EVENT).streaming


def test_a_workbook_has_the_cells_of_the_csv(head, chain):
    make_submission(chain.north, 2, comment="=1+1", name="王芳", phone="13800138000")
    response = head.get(XLSX, {"personal": "1"})
    assert response["Content-Type"] == workbook.MEDIA_TYPE
    assert response["Content-Disposition"].startswith("attachment; filename*=utf-8''survey-")
    assert response["Content-Disposition"].endswith("-personal.xlsx")
    content = response.getvalue()
    header, row = load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)
    cells = dict(zip(header, row, strict=True))
    assert (cells["满意度"], cells["评论"]) == (2, "'=1+1")
    assert "13800138000" in row  # text, of which a number would lose its zeros
    assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None
    assert ExportLog.objects.get().row_count == 1


def test_a_workbook_over_the_limit_divides_itself_and_loses_nothing(head, chain, settings):
    references = {make_submission(chain.north, 4).reference for _ in range(8)}
    settings.RESPONSE_MAX_BYTES = 1_200
    found, links = [], [XLSX]
    while links:
        response = head.get(links.pop())
        if response.status_code == 413:
            links += response.context["halves"]
            assert all(link.startswith(XLSX) for link in links)
        else:
            sheet = load_workbook(io.BytesIO(response.getvalue())).active
            found += [row[0] for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert sorted(found) == sorted(references)


def test_a_workbook_takes_the_memory_of_a_few_rows(chain):
    import tracemalloc

    def rows(count):
        yield ["header"] * 20, None
        for number in range(count):
            yield ["味道很好" * 10] * 20, number

    import xlsxwriter  # noqa: F401  (its import is not measured)

    peaks = []
    for count in (100, 2_000):
        tracemalloc.start()
        workbook.write(rows(count), 0)[0].close()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0] + 200_000


def test_a_qr_code_is_sent_as_png(head, chain):
    response = head.get(f"/dashboard/branches/{chain.north.code}/card.png")
    assert (response["Content-Type"], response.content[:8]) == ("image/png", b"\x89PNG\r\n\x1a\n")
    assert f'filename="{chain.north.code}.png"' in response["Content-Disposition"]


def test_bytes_are_offered_only_where_they_arrive(head, chain, settings):
    make_submission(chain.north, 4)
    image, pages = f"/dashboard/branches/{chain.north.code}/card.png", ("/dashboard/export/", "/dashboard/branches/")
    for platform, environ, carried in (("", {}, True), ("scf", WEB, True), ("scf", EVENT, False), ("fc", EVENT, True)):
        settings.PLATFORM = platform
        texts = "".join(head.get(page, **environ).content.decode() for page in pages)
        assert ("export.xlsx" in texts, image in texts) == (carried, carried)
        response = head.get(XLSX, **environ)
        assert response.getvalue()
        assert (response.status_code == 200) is carried
        assert (head.get(image, **environ).status_code == 200) is carried


def test_another_branchs_code_is_not_found(client, chain):
    client.force_login(chain.north_manager)
    assert client.get(f"/dashboard/branches/{chain.south.code}/card.png").status_code == 404


@pytest.mark.parametrize(("environ", "is_compressed"), [(WEB, True), (EVENT, False), ({}, False)])
def test_text_is_compressed_in_a_web_function_alone(client, environ, is_compressed):
    response = client.get("/?lang=en", headers={"Accept-Encoding": "gzip"}, **environ)
    assert response.has_header("Content-Encoding") is is_compressed
    if is_compressed:
        assert "<form" in gzip.decompress(response.content).decode()
        assert "Accept-Encoding" in response["Vary"]
        assert len(response.content) < 10_000


def test_what_is_compressed_already_stays_as_it_is(head, chain):
    for path in (XLSX, f"/dashboard/branches/{chain.north.code}/card.png"):
        response = head.get(path, headers={"Accept-Encoding": "gzip"}, **WEB)
        assert response.getvalue()
        assert "Content-Encoding" not in response.headers


def test_a_stream_is_compressed_as_it_comes(head, chain):
    make_submission(chain.north, 4)
    response = head.get(CSV, headers={"Accept-Encoding": "gzip"}, **WEB)
    assert response.streaming
    assert "满意度" in gzip.decompress(response.getvalue()).decode()
