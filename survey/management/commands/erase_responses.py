"""`manage.py erase_responses`: the name that `erase_submissions` had in the release before."""

from __future__ import annotations

from survey.management.commands import erase_submissions


class Command(erase_submissions.Command):
    help = (
        "Former name of erase_submissions, for timers that the release before deployed. Goes in the release after next."
    )
