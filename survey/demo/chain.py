"""A made-up chain: 12 branches with a year of submissions, follow-up notes and exports, the same on each run."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from survey import logo
from survey.chain import ASPECT, PROBLEM, KeptBrand
from survey.demo import wording
from survey.models import (
    REFERENCE_ALPHABET,
    REFERENCE_LENGTH,
    Branch,
    Brand,
    ExportLog,
    FollowUpNote,
    FollowUpStatus,
    Question,
    QuestionValue,
    Submission,
)
from survey.scales import ASPECTS, LOW_SCORES, Problem
from survey.staff import exports, questions
from survey.staff.filters import Filters
from survey.staff.submissions import matching

SEED = 20_260_101
DAYS = 365
NOTES = 60
# Code, name, English name, and the quality of the branch, which is added to the mood of each guest.
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
TONES = ("bad", "bad", "fair", "good", "good")  # of the sentences, by satisfaction from 1 to 5
PROBLEMS = tuple(Problem)
# Kind, key, label and English label of head office's own questions, and since when guests are asked.
OWN_QUESTIONS = ((ASPECT, "parking", "停车", "Parking"), (PROBLEM, "loud-music", "音乐太吵", "Loud music"))
ASKED_DAYS = 150
BRAND_COLOR = "#0f6b5c"
LOGO = Path(__file__).with_name("logo.svg")
# Hours of the day that guests come in, the busy ones repeated: lunch and dinner.
HOURS = (11, 12, 12, 12, 13, 13, 14, 17, 18, 18, 18, 19, 19, 20)


def branches() -> list[Branch]:
    """Return the demo's branches; create those that are missing."""
    created = []
    for code, name, name_en, _quality in BRANCHES:
        branch, _is_new = Branch.objects.get_or_create(
            code=code, defaults={"name": name, "name_en": name_en, "manager_email": f"{code}@example.com"}
        )
        created.append(branch)
    return created


def brand() -> None:
    """Give the chain a name, a colour and a logo, unless it has a brand."""
    made_up = KeptBrand("示范小馆", "Demo Kitchen", BRAND_COLOR, logo.data_uri(LOGO.read_bytes()))
    Brand.objects.get_or_create(pk=Brand.ONLY, defaults=made_up._asdict())


def submissions(places: list[Branch], count: int, last: datetime) -> Iterator[Submission]:
    """Yield `count` unsaved submissions of the year before `last`, oldest first, equal for equal arguments."""
    chance = random.Random(SEED)  # noqa: S311  (the demo must repeat itself)
    days = [last - timedelta(age) for age in range(DAYS)]
    weights = [(1.6 if day.weekday() >= 5 else 1.0) * chance.uniform(0.6, 1.4) for day in days]
    ages = sorted(chance.choices(range(DAYS), weights=weights, k=count), reverse=True)
    for age, same_day in groupby(ages):
        day = last.date() - timedelta(age)
        day_start = timezone.make_aware(datetime(day.year, day.month, day.day))
        # Sorted within the day, since lists show the submission that was stored last first.
        times = sorted(
            day_start + timedelta(hours=chance.choice(HOURS), seconds=chance.randrange(3600)) for _ in same_day
        )
        yield from (_submission(chance, places, received, (last - received).days) for received in times)


def own_questions(head: User) -> None:
    """Have head office ask two questions of its own beside those that every chain starts with."""
    for kind, key, label, label_en in OWN_QUESTIONS:
        if not Question.objects.filter(kind=kind, key=key).exists():
            questions.add(kind, label, label_en, head)


def own_values(last: datetime) -> Iterator[QuestionValue]:
    """Yield the values of the own questions since they are asked, equal for equal submissions."""
    chance = random.Random(SEED)  # noqa: S311
    (parking, loud) = (Question.objects.get(kind=kind, key=key) for kind, key, _label, _label_en in OWN_QUESTIONS)
    since = last.date() - timedelta(ASKED_DAYS)
    asked = Submission.objects.filter(local_date__gt=since).order_by("id").values_list("id", "satisfaction")
    for pk, score in asked.iterator():
        if chance.random() < 0.5:
            value = max(1, min(5, round(score - 0.5 + chance.gauss(0, 1))))
            yield QuestionValue(submission_id=pk, question=parking, value=value)
        if score in LOW_SCORES and chance.random() < 0.15:
            yield QuestionValue(submission_id=pk, question=loud, value=1)


def notes(head: User, managers: dict[int, User]) -> Iterator[FollowUpNote]:
    """Yield notes on the newest low scores with a closed follow-up, written by the branch's manager or else `head`."""
    followed_up = Submission.objects.filter(
        follow_up_status__in=(FollowUpStatus.CONTACTED, FollowUpStatus.SOLVED), erased_at=None
    ).order_by("-id")[:NOTES]
    for submission in followed_up:
        sentences = [wording.CALLED] if submission.phone else []
        if submission.follow_up_status == FollowUpStatus.SOLVED:
            sentences += [wording.MEASURES[problem] for problem in submission.problem_list[:1]]
        yield FollowUpNote(
            submission=submission,
            author=managers.get(submission.branch_id or 0, head),
            status=submission.follow_up_status,
            text="".join(sentences),
            created_at=submission.follow_up_closed_at or submission.created_at + timedelta(days=1),
        )


def owners(head: User, managers: dict[int, User]) -> Iterator[Submission]:
    """Yield the newest low scores with their owner: who wrote a note, and every other open one's branch manager."""
    for submission in Submission.objects.exclude(follow_up_status="").order_by("-id")[:NOTES]:
        manager = managers.get(submission.branch_id or 0, head)
        if submission.follow_up_status != FollowUpStatus.OPEN or submission.pk % 2:
            submission.follow_up_owner = manager
            yield submission


def export_logs(head: User, manager: User, branch: Branch, last: datetime) -> Iterator[ExportLog]:
    """Yield the exports of the last quarter: two of head office, one of the manager's branch."""
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


def _submission(chance: random.Random, places: list[Branch], received: datetime, age: int) -> Submission:
    position = min(int(chance.triangular(0, len(places), 2)), len(places) - 1)
    mood = BRANCHES[position % len(BRANCHES)][3] + chance.gauss(0, 1)
    mood += 0.2 if age < 90 else 0.0  # a new menu
    score = 1 + sum(mood > threshold for threshold in (-1.7, -1.1, -0.45, 0.45))
    language = "zh-hans" if chance.random() < 0.93 else "en"
    submission = Submission(
        reference="".join(chance.choice(REFERENCE_ALPHABET) for _place in range(REFERENCE_LENGTH)),
        branch=places[position],
        satisfaction=score,
        language=language,
        created_at=received,
        local_date=timezone.localdate(received),
        consent_version="demo",
    )
    if (
        submission.reference > "K"
    ):  # most tables have a card of their own; by the reference, so that nothing else changes
        submission.table_number = str(1 + ord(submission.reference[1]) % 30)
    for aspect in ASPECTS:
        if chance.random() < 0.6:
            setattr(submission, aspect, max(1, min(5, round(score + chance.gauss(0.1, 0.8)))))
    if chance.random() < 0.8:
        submission.recommend = max(0, min(10, round(2 * score + chance.gauss(0, 1.2))))
    reported = _write_comment(chance, submission) if chance.random() < 0.55 else Problem(0)
    if chance.random() < 0.3:
        submission.name = _name(chance, language)
        submission.phone = f"1380000{chance.randrange(10_000):04}"
        submission.email = f"guest{chance.randrange(10_000)}@example.com" if chance.random() < 0.4 else ""
    if submission.is_low:
        submission.problems = reported or sum({chance.choice(PROBLEMS) for _ in range(chance.randint(1, 2))})
        is_called = bool(submission.phone) and chance.random() < 0.4
        closed = FollowUpStatus.CONTACTED if is_called else FollowUpStatus.SOLVED
        is_open = age < 2 or (age < 30 and chance.random() < 0.3)
        submission.follow_up_status = FollowUpStatus.OPEN if is_open else closed
        submission.follow_up_due_at = received + timedelta(hours=settings.FOLLOW_UP_HOURS)
        if submission.follow_up_status == FollowUpStatus.SOLVED:
            # The better a branch, the sooner.
            hours = chance.lognormvariate(2.5 - BRANCHES[position % len(BRANCHES)][3], 0.8)
            submission.follow_up_closed_at = received + timedelta(hours=min(hours, 24.0 * age))
    return submission


def _name(chance: random.Random, language: str) -> str:
    if language == "en":
        return chance.choice(wording.ENGLISH_NAMES)
    return chance.choice(wording.SURNAMES) + chance.choice(("先生", "女士"))


def _write_comment(chance: random.Random, submission: Submission) -> Problem:
    """Set a comment of one or two sentences; return the problems that they report."""
    tone = TONES[submission.satisfaction - 1]
    count = chance.choice((1, 1, 2)) if submission.language == "zh-hans" else 1
    reported = Problem(0)
    dishes: list[str] = []  # no dish twice: one sentence might call it cold and the next sold out
    for sentence in chance.sample(wording.SENTENCES[submission.language][tone], count):
        left = [dish for dish in sentence.dishes if dish not in dishes]
        dishes.append(chance.choice(left) if left else "")
        submission.comment += sentence.text.format(dish=dishes[-1], person=chance.choice(wording.PEOPLE))
        reported |= sentence.problems
    submission.terms_due = True
    return reported
