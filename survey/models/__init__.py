"""The models: branches, questions, submissions and tables derived from them, mails, counters and logs."""

from __future__ import annotations

from survey.models.branch import CODE_ERROR, Branch, Membership
from survey.models.brand import Brand
from survey.models.derived import (
    BranchRollup,
    ChainRollup,
    DailyRollup,
    HourRollup,
    MonthRollup,
    RollupDay,
    SubmissionTerm,
)
from survey.models.erasure import ErasureLog, ErasureRequest
from survey.models.logs import AttemptWindow, ExportLog, JobRun
from survey.models.mail import DigestSubscription, OutgoingMail
from survey.models.outgoing import Outgoing
from survey.models.photo import Photo
from survey.models.question import Question, QuestionRollup, QuestionValue
from survey.models.robot import Robot, RobotMessage
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
    "DigestSubscription",
    "ErasureLog",
    "ErasureRequest",
    "ExportLog",
    "FollowUpNote",
    "FollowUpStatus",
    "HourRollup",
    "JobRun",
    "Membership",
    "MonthRollup",
    "Outgoing",
    "OutgoingMail",
    "Photo",
    "Question",
    "QuestionRollup",
    "QuestionValue",
    "Robot",
    "RobotMessage",
    "RollupDay",
    "Submission",
    "SubmissionTerm",
    "make_reference",
    "parse_reference",
]
