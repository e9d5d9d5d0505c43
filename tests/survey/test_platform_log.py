"""A platform logs every page that the function returns: which hold contact details, and what guests are told."""

from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.test import Client

from survey.models import ErasureRequest
from tests.support.chain import Chain, make_submission

pytestmark = pytest.mark.django_db

CONTACT = {"name": "王小明", "phone": "13800138000", "email": "wang@example.com"}
LISTS = ("", "follow-up/", "comments/", "comments/?q=排队", "erasures/", "export/", "export.csv")


@pytest.mark.parametrize("path", LISTS)
def test_the_staffs_lists_return_no_contact_details(client: Client, chain: Chain, path: str) -> None:
    submission = make_submission(chain.north, 1, comment="排队太久", **CONTACT)
    ErasureRequest.objects.create(submission=submission)
    client.force_login(chain.head)
    response = client.get(f"/dashboard/{path}")
    assert response.status_code == 200
    text = response.getvalue().decode()
    assert not [value for value in CONTACT.values() if value in text]


def test_contact_details_are_returned_where_staff_ask_for_one_submission_or_for_personal_data(
    client: Client, chain: Chain
) -> None:
    submission = make_submission(chain.north, 1, **CONTACT)
    client.force_login(chain.head)
    for path in (f"responses/{submission.reference}/", "export.csv?personal=1"):
        text = client.get(f"/dashboard/{path}").getvalue().decode()
        assert all(value in text for value in CONTACT.values())


@pytest.mark.parametrize(("language", "sentence"), [("en", "may log every page"), ("zh", "日志中记录每一个页面")])
def test_the_notice_says_that_a_platform_logs_pages(
    client: Client, settings: LazySettings, language: str, sentence: str
) -> None:
    path = f"/privacy?lang={language}"
    settings.PLATFORM = ""  # a server of one's own logs none
    assert sentence not in client.get(path).content.decode()
    settings.PLATFORM = "scf"
    assert sentence in client.get(path).content.decode()
