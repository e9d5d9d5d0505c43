"""Django's admin shows answers and mails, and changes neither."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from survey import services
from survey.models import OutgoingMail, Response

pytestmark = pytest.mark.django_db


@pytest.fixture
def response() -> Response:
    answer = Response(name="王芳", phone="13800138000", satisfaction=4, email="wang@example.com", language="zh-hans")
    return services.response_submit(answer, content={}).response


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("survey_response", {"q": "王芳"}),
        ("survey_response", {"satisfaction__exact": "4"}),
        ("survey_outgoingmail", {"q": "wang@example.com"}),
        ("survey_outgoingmail", {"status__exact": "queued"}),
    ],
)
def test_search_and_filters_find_the_answer_and_its_mail(
    admin_client: Client, response: Response, page: str, query: dict[str, str]
) -> None:
    found = admin_client.get(reverse(f"admin:{page}_changelist"), query)
    assert found.status_code == 200
    assert found.context["cl"].result_count == 1
    assert admin_client.get(reverse(f"admin:{page}_changelist"), {"q": "nobody"}).context["cl"].result_count == 0


def test_an_answer_and_a_mail_can_be_read_but_not_changed(admin_client: Client, response: Response) -> None:
    for record in (response, OutgoingMail.objects.get()):
        url = reverse(f"admin:survey_{record._meta.model_name}_change", args=[record.pk])
        assert admin_client.get(url).status_code == 200
        assert admin_client.post(url, {"name": "changed"}).status_code == 403


def test_guests_are_sent_to_the_login(client: Client, response: Response, admin_user: User) -> None:
    answer = client.get(reverse("admin:survey_response_changelist"))
    assert answer.status_code == 302
    assert "login" in answer["Location"]
