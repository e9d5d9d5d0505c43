"""Migrations keep what earlier releases stored."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from survey.models import Branch, Submission
from survey.staff.accounts import head_office_group

pytestmark = pytest.mark.django_db(transaction=True)


def migrate(*target: str) -> None:
    """Run the command, not the executor: its signals rename content types and create permissions."""
    call_command("migrate", *target, verbosity=0)


@pytest.fixture(autouse=True)
def latest() -> Iterator[None]:
    """Migrate forward again, also after a test that failed."""
    yield
    migrate()


def rights(group: Group) -> set[str]:
    return set(group.permissions.values_list("codename", flat=True))


def test_the_head_office_of_an_installation_of_before_may_erase() -> None:
    migrate("survey", "0010")
    group = Group.objects.create(name="head office")
    Permission.objects.filter(codename__in=("erase_submission", "view_erasurelog")).delete()
    migrate()
    assert rights(group) == {"erase_submission", "view_erasurelog"}


def test_groups_keep_their_rights_when_a_model_is_renamed() -> None:
    renamed = {"response": "submission", "responseterm": "submissionterm", "chore": "jobrun"}
    migrate("survey", "0012")
    own = Group.objects.create(name="auditors")
    codenames = {f"{action}_{name}" for action in ("view", "add", "change", "delete") for name in (*renamed, "branch")}
    own.permissions.set(Permission.objects.filter(content_type__app_label="survey", codename__in=codenames))
    assert rights(own) == codenames
    migrate()
    assert rights(own) == {f"{action}_{renamed.get(name, name)}" for action, name in (c.split("_") for c in codenames)}
    for permission in own.permissions.select_related("content_type"):
        assert permission.content_type.model == permission.codename.partition("_")[2]
    survey = Permission.objects.filter(content_type__app_label="survey")
    assert not [permission for permission in survey if permission.content_type.model_class() is None]
    assert not survey.filter(codename__regex="_(response|responseterm|chore)$").exists()


def test_the_rights_of_head_office_survive_a_way_back_and_forth() -> None:
    group = head_office_group()
    before = rights(group)
    assert before
    migrate("survey", "0012")
    migrate()
    assert rights(group) == before


def test_a_submission_survives_the_new_name() -> None:
    branch = Branch.objects.create(code="north", name="北店")
    Submission.objects.create(branch=branch, satisfaction=1, comment="太咸了", language="zh-hans")
    before = Submission.objects.values().get()
    migrate("survey", "0012")
    migrate()
    assert Submission.objects.values().get() == before
