"""Each log line names the invocation that it belongs to."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import RequestFactory

import index
from mydjango.operations import invocation
from mydjango.operations.json_log import JSONFormatter

NOTHING = {"httpMethod": "GET", "path": "/nothing", "headers": {"host": "localhost"}}
WELCOME = {"httpMethod": "GET", "path": "/hello/Tom", "headers": {"host": "localhost"}}


@pytest.fixture
def ids() -> Iterator[list[tuple[str, str]]]:
    """(event, request id) of each line, as production formats it when it is written."""
    lines: list[tuple[str, str]] = []

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            entry = json.loads(JSONFormatter().format(record))
            lines.append((entry["event"], entry["request_id"]))

    index.load_application()  # configures logging
    handler = Collector()
    logger = logging.getLogger("django.request")
    logger.addHandler(handler)
    yield lines
    logger.removeHandler(handler)


@pytest.mark.usefixtures("real_project")
def test_the_line_about_a_4xx_has_the_id_of_its_invocation_and_the_next_one_does_not(
    ids: list[tuple[str, str]],
) -> None:
    for event, context in ((NOTHING, {"request_id": "r-1"}), (NOTHING, {}), (WELCOME, {"request_id": "r-2"})):
        index.main_handler(event, context)
        assert (invocation.request_id(), invocation.seconds_left()) == ("", None)
    (event, first), (_, second) = ids
    assert (event, first) == ("Not Found", "r-1")
    assert second not in ("", "r-1")  # index.py makes an id where the platform sends none


@pytest.mark.usefixtures("real_project")
def test_django_and_index_py_have_the_same_id_of_a_request(ids: list[tuple[str, str]]) -> None:
    seen: list[str] = []

    def application(environ: Any, start_response: Any) -> Any:
        seen.append(environ["serverless.request_id"])
        return index.load_application()(environ, start_response)

    for context in ({"request_id": "r 1\n"}, {}):
        index.handle_request(application, NOTHING, context)
    assert [request_id for _, request_id in ids] == seen
    assert seen[0] == "r1"


def test_an_invocation_that_exits_leaves_no_id_behind() -> None:
    def leave(request: Any) -> Any:
        assert invocation.request_id() == "r-1"
        sys.exit(3)

    request = RequestFactory().get("/", headers={"x-scf-request-id": "r-1"})
    with pytest.raises(SystemExit):
        invocation.InvocationMiddleware(leave)(request)
    assert (invocation.request_id(), invocation.seconds_left()) == ("", None)
