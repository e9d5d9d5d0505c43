"""The overview asks whether something is new: one cheap statement of its own, and nothing about anybody."""

from __future__ import annotations

import time

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.support.chain import make_submission

NEWS = "/dashboard/news/"


def is_new(client, since: float) -> bool:
    return client.get(NEWS, {"since": str(int(since))}).json() == {"is_new": True}


def test_a_submission_after_the_page_is_new_and_one_before_is_not(client, chain):
    client.force_login(chain.head)
    assert not is_new(client, 0)
    make_submission(chain.north, 4)
    assert is_new(client, time.time() - 60)
    assert not is_new(client, time.time() + 60)


def test_a_manager_hears_of_their_own_branches_alone(client, chain):
    client.force_login(chain.north_manager)
    make_submission(chain.south, 4)
    assert not is_new(client, 0)
    make_submission(chain.north, 4)
    assert is_new(client, 0)


def test_it_takes_one_statement_of_its_own(client, chain):
    make_submission(chain.north, 4, name="王芳", phone="13800138000")
    client.force_login(chain.head)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(NEWS).content == b'{"is_new": true}'
    assert sum("survey_response" in query["sql"] for query in queries) == 1


def test_the_page_names_the_moment_it_was_made(client, chain):
    client.force_login(chain.head)
    page = client.get("/dashboard/?days=7").content.decode()
    assert f'data-news="{NEWS}?since={int(time.time())}'[:-2] in page
    assert '<a href="/dashboard/?days=7">' in page


def test_a_malformed_moment_is_not_found(client, chain):
    client.force_login(chain.head)
    for since in ("yesterday", str(10**18)):
        assert client.get(NEWS, {"since": since}).status_code == 404
