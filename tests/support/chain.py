"""A small chain for the tests of the staff's pages: two branches, head office, one manager each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from survey import term_index
from survey.models import Branch, FollowUpStatus, Membership, Submission
from survey.staff.accounts import head_office_group
from survey.text import terms


@dataclass
class Chain:
    """Branches and staff."""

    north: Branch
    south: Branch
    head: User
    north_manager: User
    south_manager: User
    stranger: User


def make_chain() -> Chain:
    """Create the chain in the database."""
    north = Branch.objects.create(code="north", name="北店", name_en="North")
    south = Branch.objects.create(code="south", name="南店", name_en="South")
    users = [
        User.objects.create_user(f"{name}@example.com", f"{name}@example.com")
        for name in ("head", "north", "south", "stranger")
    ]
    users[0].groups.add(head_office_group())
    Membership.objects.create(user=users[1], branch=north)
    Membership.objects.create(user=users[2], branch=south)
    return Chain(north, south, *users)


def make_submission(
    branch: Branch | None, satisfaction: int = 5, days_ago: int = 0, *, due: bool = False, **fields: Any
) -> Submission:
    """Store a submission with its terms, as the service does; `due` leaves its keywords to the job."""
    created_at = timezone.now() - timedelta(days_ago)
    fields.setdefault("follow_up_status", FollowUpStatus.OPEN if satisfaction <= 2 else "")
    submission = Submission.objects.create(
        branch=branch,
        satisfaction=satisfaction,
        created_at=created_at,
        local_date=timezone.localdate(created_at),
        language=fields.pop("language", "zh-hans"),
        terms_due=due,
        **fields,
    )
    search_terms = dict.fromkeys(terms.search_terms(submission.comment), 0.0)
    term_index.write([(submission, search_terms if due else terms.weighted_terms(submission.comment))])
    return submission
