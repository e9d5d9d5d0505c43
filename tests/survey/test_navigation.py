"""The links between the staff's pages: who gets which, and what they carry."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.test.utils import override_script_prefix

from survey.staff import submissions
from tests.support.chain import Chain, make_submission

OF_ALL = ["Today", "Overview", "Compare", "Comments", "Follow-up", "Export", "Branches"]
OF_HEAD_OFFICE = ["Erasures", "Questions", "Robots", "Staff", "Brand", "Records"]


def links(client: Client, user: User, page: str) -> dict[str, str]:
    """Return the attributes of the links by their text."""
    client.force_login(user)
    html = client.get(page, headers={"Accept-Language": "en"}).content.decode()
    navigation = html[html.index("<nav") : html.index("</nav>")]
    found = re.findall(r"<li><a ([^>]*)>(.*)</a></li>", navigation)
    return {re.sub("<[^>]*>", "", text): attributes for attributes, text in found}


def test_each_member_of_staff_gets_the_pages_that_open(client: Client, chain: Chain) -> None:
    assert list(links(client, chain.north_manager, "/dashboard/")) == OF_ALL
    User.objects.filter(pk=chain.head.pk).update(is_staff=True)  # as in accounts that head office adds
    of_head = links(client, chain.head, "/dashboard/")
    assert list(of_head) == OF_ALL + OF_HEAD_OFFICE
    for attributes in of_head.values():
        address = attributes.split('"')[1].replace("&amp;", "&")
        assert client.get(address).status_code == 200, address


def test_the_filters_go_with_the_links_to_pages_that_have_them(client: Client, chain: Chain) -> None:
    found = links(client, chain.head, "/dashboard/comments/?days=90&score=low&q=%22%3Cb")
    query = "?days=90&amp;score=low&amp;q=%22%3Cb"
    assert found["Comments"] == f'href="/dashboard/comments/{query}" aria-current="page"'
    assert found["Overview"] == f'href="/dashboard/{query}"'
    assert found["Branches"] == 'href="/dashboard/branches/"'


def test_the_paths_have_the_prefix_of_their_request(client: Client, chain: Chain) -> None:
    for prefix in ("/release/", "/", "/a&b/"):
        with override_script_prefix(prefix):
            found = links(client, chain.head, "/dashboard/")
        assert found["Robots"] == f'href="{prefix.replace("&", "&amp;")}dashboard/robots/"'


def test_a_count_that_was_cut_short_has_a_plus(client: Client, chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submissions, "MANY", 2)
    make_submission(chain.north, 1)
    assert "Follow-up 1 open" in links(client, chain.head, "/dashboard/")
    for _more in range(3):
        make_submission(chain.north, 1)
    assert "Follow-up 2+ open" in links(client, chain.head, "/dashboard/")
