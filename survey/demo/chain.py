"""A chain to look at: 12 branches and a year of varied answers, the same each time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby, islice

from django.contrib.auth.models import User
from django.utils import timezone

from survey.demo import wording
from survey.models import (
    REFERENCE_ALPHABET,
    REFERENCE_LENGTH,
    Branch,
    ExportLog,
    FollowUpNote,
    FollowUpStatus,
    Submission,
)
from survey.scales import ASPECTS, Problem
from survey.staff import exports
from survey.staff.filters import Filters
from survey.staff.submissions import matching

SEED = 20_260_101
DAYS = 365
NOTES_WRITTEN = 60
# Code, name, English name, and how good the branch is: added to every guest's mood.
BRANCHES = (
    ("renmin", "人民广场店", "People's Square", 0.25),
    ("xujiahui", "徐家汇店", "Xujiahui", 0.1),
    ("lujiazui", "陆家嘴店", "Lujiazui", 0.35),
    ("jingan", "静安寺店", "Jing'an Temple", 0.2),
    ("wujiaochang", "五角场店", "Wujiaochang", -0.1),
    ("hongqiao", "虹桥火车站店", "Hongqiao Station", -0.45),
    ("xintiandi", "新天地店", "Xintiandi", 0.3),
    ("zhongshan", "中山公园店", "Zhongshan Park", 0.0),
    ("baoshan", "宝山万达店", "Baoshan Wanda", -0.2),
    ("minhang", "闵行龙湖店", "Minhang Longhu", 0.05),
    ("pudong", "浦东机场店", "Pudong Airport", -0.55),
    ("songjiang", "松江大学城店", "Songjiang University Town", 0.15),
)
PROBLEMS = tuple(Problem)
# Guests per hour of the day: lunch and dinner.
HOURS = (11, 12, 12, 12, 13, 13, 14, 17, 18, 18, 18, 19, 19, 20)


def branches() -> list[Branch]:
    """The demo's branches, made where they are missing."""
    made = []
    for code, name, name_en, _mood in BRANCHES:
        branch, _created = Branch.objects.get_or_create(
            code=code, defaults={"name": name, "name_en": name_en, "manager_email": f"{code}@example.com"}
        )
        made.append(branch)
    return made


def submissions(places: list[Branch], count: int, last: datetime) -> Iterator[Submission]:
    """`count` answers over the year before `last`, oldest first. The same each time for the same arguments."""
    chance = random.Random(SEED)  # noqa: S311  (a demo has to repeat itself)
    busy = [_traffic(last - timedelta(age)) * chance.uniform(0.6, 1.4) for age in range(DAYS)]
    ages = sorted(chance.choices(range(DAYS), weights=busy, k=count), reverse=True)
    for age, same_day in groupby(ages):
        day = last.date() - timedelta(age)
        day_start = timezone.make_aware(datetime(day.year, day.month, day.day))
        # Lists show the answer that was stored last first.
        times = sorted(
            day_start + timedelta(hours=chance.choice(HOURS), seconds=chance.randrange(3600)) for _ in same_day
        )
        yield from (_response(chance, places, received, last) for received in times)


def notes(head: User, managers: dict[int, User]) -> Iterator[FollowUpNote]:
    """What staff wrote about the latest low scores that are done: head office where no manager is named."""
    answers = Submission.objects.filter(
        follow_up_status__in=(FollowUpStatus.CONTACTED, FollowUpStatus.SOLVED), erased_at=None
    ).order_by("-id")[:NOTES_WRITTEN]
    for submission in answers:
        calls = [wording.CALLED] if submission.phone else []
        measures = [wording.NOTES[problem] for problem in submission.problem_list[:1]]
        yield FollowUpNote(
            submission=submission,
            author=managers.get(submission.branch_id or 0, head),
            status=submission.follow_up_status,
            text="".join(calls + measures if submission.follow_up_status == FollowUpStatus.SOLVED else calls),
            created_at=submission.created_at + timedelta(days=1),
        )


def export_logs(head: User, manager: User, branch: Branch, last: datetime) -> Iterator[ExportLog]:
    """Exports of the last quarter: head office each month, the manager those of the branch once."""
    for user, age, of_branch in ((head, 60, None), (head, 30, None), (manager, 7, branch)):
        end = last.date() - timedelta(age)
        start = end - timedelta(29)
        filters = Filters(start=start, end=end, branch_ids=(of_branch.pk,) if of_branch else None)
        yield ExportLog(
            user=user,
            created_at=last - timedelta(days=age - 1, hours=14),
            filters=exports.describe(exports.Export(filters, with_personal_data=False)),
            row_count=matching(filters).count(),
        )


def in_batches(rows: Iterator[Submission], size: int = 1_000) -> Iterator[list[Submission]]:
    """The answers in lists for bulk_create."""
    while batch := list(islice(rows, size)):
        yield batch


def _traffic(day: datetime) -> float:
    return 1.6 if day.weekday() >= 5 else 1.0


def _response(chance: random.Random, places: list[Branch], received: datetime, last: datetime) -> Submission:
    position = min(int(chance.triangular(0, len(places), 2)), len(places) - 1)
    age = (last - received).days
    mood = BRANCHES[position % len(BRANCHES)][3] + chance.gauss(0, 1)
    mood += 0.2 if age < 90 else 0.0  # a new menu
    score = 1 + sum(mood > threshold for threshold in (-1.7, -1.1, -0.45, 0.45))
    is_chinese = chance.random() < 0.93
    submission = Submission(
        reference="".join(chance.choice(REFERENCE_ALPHABET) for _place in range(REFERENCE_LENGTH)),
        branch=places[position],
        satisfaction=score,
        language="zh-hans" if is_chinese else "en",
        created_at=received,
        local_date=timezone.localdate(received),
        consent_version="demo",
    )
    for aspect in ASPECTS:
        if chance.random() < 0.6:
            setattr(submission, aspect, max(1, min(5, round(score + chance.gauss(0.1, 0.8)))))
    if chance.random() < 0.8:
        submission.recommend = max(0, min(10, round(2 * score + chance.gauss(0, 1.2))))
    told = _write(chance, submission, is_chinese) if chance.random() < 0.55 else Problem(0)
    if chance.random() < 0.3:
        submission.name = _name(chance, is_chinese)
        submission.phone = f"1380000{chance.randrange(10_000):04}"
        submission.email = f"guest{chance.randrange(10_000)}@example.com" if chance.random() < 0.4 else ""
    if submission.is_low:
        submission.problems = told or sum({chance.choice(PROBLEMS) for _try in range(chance.randint(1, 2))})
        is_called = bool(submission.phone) and chance.random() < 0.4
        submission.follow_up_status = (
            FollowUpStatus.OPEN if age < 10 else FollowUpStatus.CONTACTED if is_called else FollowUpStatus.SOLVED
        )
    return submission


def _name(chance: random.Random, is_chinese: bool) -> str:
    if not is_chinese:
        return chance.choice(wording.ENGLISH_NAMES)
    return chance.choice(wording.SURNAMES) + chance.choice(("先生", "女士"))


def _write(chance: random.Random, submission: Submission, is_chinese: bool) -> Problem:
    """Give the answer a comment of one or two sentences; returns the problems that they tell of."""
    kind = "good" if submission.satisfaction >= 4 else "fair" if submission.satisfaction == 3 else "bad"
    texts = wording.CHINESE if is_chinese else wording.ENGLISH
    sentences = chance.sample(texts[kind], chance.choice((1, 1, 2)) if is_chinese else 1)
    told = Problem(0)
    dishes: list[str] = []  # no dish twice: it would be cold in one sentence and gone in the other
    for sentence in sentences:
        left = [dish for dish in sentence.dishes if dish not in dishes]
        dishes.append(chance.choice(left) if left else "")
        submission.comment += sentence.text.format(dish=dishes[-1], person=chance.choice(wording.PEOPLE))
        told |= sentence.problems
    submission.terms_due = True
    return told
