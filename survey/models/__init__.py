"""The models: branches, questions, submissions and tables derived from them, mails, counters and logs."""

from __future__ import annotations

from survey.models.branch import CODE_ERROR, Branch, Membership
from survey.models.brand import Brand
from survey.models.derived import BranchRollup, ChainRollup, DailyRollup, HourRollup, RollupDay, SubmissionTerm
from survey.models.erasure import ErasureLog, ErasureRequest
from survey.models.logs import AttemptWindow, ExportLog, JobRun
from survey.models.mail import OutgoingMail
from survey.models.question import Question, QuestionValue
from survey.models.submission import (
    COMMENT_MAX_LENGTH,
    REFERENCE_ALPHABET,
    REFERENCE_LENGTH,
    FollowUpNote,
    FollowUpStatus,
    Submission,
    make_reference,
    parse_reference,
)

__all__ = [
    "CODE_ERROR",
    "COMMENT_MAX_LENGTH",
    "REFERENCE_ALPHABET",
    "REFERENCE_LENGTH",
    "AttemptWindow",
    "Branch",
    "BranchRollup",
    "Brand",
    "ChainRollup",
    "DailyRollup",
    "ErasureLog",
    "ErasureRequest",
    "ExportLog",
    "FollowUpNote",
    "FollowUpStatus",
    "HourRollup",
    "JobRun",
    "Membership",
    "OutgoingMail",
    "Question",
    "QuestionValue",
    "RollupDay",
    "Submission",
    "SubmissionTerm",
    "make_reference",
    "parse_reference",
]
