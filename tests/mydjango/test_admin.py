"""Django's admin shows submissions and mails read-only."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from survey import admin as survey_admin
from survey.guest import services
from survey.models import Branch, OutgoingMail, Submission

pytestmark = pytest.mark.django_db


@pytest.fixture
def submission() -> Submission:
    sent = Submission(name="王芳", phone="13800138000", satisfaction=4, email="wang@example.com", language="zh-hans")
    return services.submission_create(sent, content={}).submission


@pytest.mark.parametrize(
    ("page", "query"),
    [
        ("survey_submission", {"q": "王芳"}),
        ("survey_submission", {"satisfaction__exact": "4"}),
        ("survey_outgoingmail", {"q": "wang@example.com"}),
        ("survey_outgoingmail", {"status__exact": "queued"}),
    ],
)
def test_search_and_filters_find_the_submission_and_its_mail(
    admin_client: Client, submission: Submission, page: str, query: dict[str, str]
) -> None:
    found = admin_client.get(reverse(f"admin:{page}_changelist"), query)
    assert found.status_code == 200
    assert found.context["cl"].result_count == 1
    assert admin_client.get(reverse(f"admin:{page}_changelist"), {"q": "nobody"}).context["cl"].result_count == 0


def test_a_submission_and_a_mail_can_be_read_but_not_changed(admin_client: Client, submission: Submission) -> None:
    for record in (submission, OutgoingMail.objects.get()):
        url = reverse(f"admin:survey_{record._meta.model_name}_change", args=[record.pk])
        assert admin_client.get(url).status_code == 200
        assert admin_client.post(url, {"name": "changed"}).status_code == 403


def test_a_submission_cannot_be_deleted(admin_client: Client, submission: Submission) -> None:
    assert (
        admin_client.post(reverse("admin:survey_submission_delete", args=[submission.pk]), {"post": "yes"}).status_code
        == 403
    )
    chosen = {"action": "delete_selected", "_selected_action": submission.pk, "post": "yes"}
    admin_client.post(reverse("admin:survey_submission_changelist"), chosen)
    assert Submission.objects.filter(pk=submission.pk).exists()


def test_the_code_of_a_branch_cannot_be_changed(admin_client: Client) -> None:
    branch = Branch.objects.create(code="west", name="西店")
    changed = {"code": "east", "name": "新西店", "is_open": "on"}
    assert admin_client.post(reverse("admin:survey_branch_change", args=[branch.pk]), changed).status_code == 302
    branch.refresh_from_db()
    assert (branch.code, branch.name) == ("west", "新西店")
    assert admin_client.post(reverse("admin:survey_branch_add"), {"code": "add", "name": "店"}).status_code == 200
    assert Branch.objects.count() == 1


def test_guests_are_redirected_to_the_login(client: Client, submission: Submission, admin_user: User) -> None:
    response = client.get(reverse("admin:survey_submission_changelist"))
    assert response.status_code == 302
    assert "login" in response["Location"]


@pytest.mark.parametrize(
    "rest", ["", "?satisfaction__exact=4&q=%E7%8E%8B", "7/change/", "7/history/?p=1", "//elsewhere.example/"]
)
def test_the_addresses_of_a_renamed_model_redirect_for_good_with_their_query(client: Client, rest: str) -> None:
    response = client.get(f"/admin/survey/response/{rest}")
    assert (response.status_code, response["Location"]) == (301, f"/admin/survey/submission/{rest}")


@pytest.mark.parametrize("page", ["survey_submission", "survey_outgoingmail"])
def test_a_list_has_the_newest_records_and_no_more(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    monkeypatch.setattr(survey_admin, "NEWEST", 3)
    for number in range(5):
        sent = Submission(satisfaction=4, name=f"guest {number}", email="wang@example.com", language="en")
        services.submission_create(sent, content={})
    changelist = admin_client.get(reverse(f"admin:{page}_changelist"), {"q": ""}).context["cl"]
    assert changelist.result_count == 3
    newest = list(changelist.model.objects.order_by("-pk").values_list("pk", flat=True))
    assert [record.pk for record in changelist.result_list][:3] == newest[:3]
    found = admin_client.get(reverse(f"admin:{page}_changelist"), {"q": "wang@example.com"}).context["cl"]
    assert {record.pk for record in found.result_list} == set(newest[:3])
    part = admin_client.get(reverse(f"admin:{page}_changelist"), {"q": "wang"}).context["cl"]
    assert part.result_count == 0


def test_the_admin_looks_like_the_pages_for_staff_and_leads_back_to_them(admin_client: Client) -> None:
    for path in ("/admin/", "/admin/survey/branch/add/"):
        page = admin_client.get(path, headers={"Accept-Language": "zh-CN"}).content.decode()
        assert '<a href="/dashboard/">返回概览</a>' in page
        assert '<div id="site-name"><a href="/dashboard/">满意度调查</a></div>' in page
        assert "survey/admin.css" in page
        assert "theme.js" not in page  # light and dark follow the system, as on the other pages
        assert " style=" not in page
        assert "<style" not in page
