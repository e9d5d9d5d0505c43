"""A chain to look at: 12 branches and a year of varied answers, the same each time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from django.utils import timezone

from survey.models import ASPECTS, REFERENCE_ALPHABET, REFERENCE_LENGTH, Branch, FollowUpStatus, Problem, Response

SEED = 20_260_101
DAYS = 365
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
GOOD = (
    "红烧肉很入味，{person}都说好吃。",
    "菜品新鲜，品种也多，{dish}补得很快。",
    "服务员很热情，主动帮我们换了盘子。",
    "环境干净，餐具也很卫生，下次还会来。",
    "{dish}味道不错，价格实惠，性价比高。",
    "{person}一起来的，位置宽敞，孩子很喜欢甜品。",
    "午餐时间上菜快，{dish}特别香。",
    "米饭软糯，汤也好喝，{dish}值得推荐。",
    "店长亲自过来问口味怎么样，很贴心。",
    "第二次来了，{dish}还是一样好吃。",
)
FAIR = (
    "味道还可以，就是{dish}有点咸。",
    "整体不错，不过中午人多，排队等了十分钟。",
    "菜的品种再多一点就好了，{dish}总是很快没有。",
    "环境一般，音乐声音有点大。",
    "价格比以前贵了一些，味道没有变。",
    "{dish}还行，饮料机坏了没有人修。",
)
BAD = (
    "{dish}是凉的，叫服务员加热等了很久。",
    "排队半个小时，轮到我们的时候{dish}已经没有了。",
    "桌子没有擦干净，餐具上有油渍。",
    "服务员态度不好，叫了三次才过来。",
    "{dish}太咸，吃了两口就放下了，太贵不值。",
    "补菜太慢，{dish}一直是空的。",
    "在汤里发现一根头发，卫生太差了。",
    "收银多算了钱，退款等了很久。",
    "空调太冷，{person}都吃得不舒服。",
)
ENGLISH = {
    "good": ("Fresh food and friendly staff, we will come back.", "Great choice of dishes, the soup was delicious."),
    "fair": ("Nice food, but the queue was long.", "Good taste, a bit too salty for us."),
    "bad": ("The food was cold and nobody came to help.", "The table was dirty and we waited half an hour."),
}
DISHES = (
    "红烧肉",
    "清蒸鱼",
    "糖醋排骨",
    "番茄炒蛋",
    "麻婆豆腐",
    "小笼包",
    "烤鸭",
    "炒青菜",
    "酸辣土豆丝",
    "水果",
    "冰淇淋",
)
PEOPLE = ("同事", "家人", "老人和孩子", "朋友", "同学")
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
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


def responses(places: list[Branch], count: int, last: datetime, days: int = DAYS) -> Iterator[Response]:
    """`count` answers over the `days` before `last`, oldest first; the same each time for the same arguments."""
    chance = random.Random(SEED)  # noqa: S311  (a demo has to repeat itself)
    busy = [(1.6 if (last - timedelta(age)).weekday() >= 5 else 1.0) * chance.uniform(0.6, 1.4) for age in range(days)]
    for age in sorted(chance.choices(range(days), weights=busy, k=count), reverse=True):
        day = last.date() - timedelta(age)
        yield _response(
            chance, places, day_start=timezone.make_aware(datetime(day.year, day.month, day.day)), last=last
        )


def in_batches(rows: Iterator[Response], size: int = 1_000) -> Iterator[list[Response]]:
    """The answers in lists for bulk_create."""
    while batch := list(islice(rows, size)):
        yield batch


def _response(chance: random.Random, places: list[Branch], day_start: datetime, last: datetime) -> Response:
    position = min(int(chance.triangular(0, len(places), 2)), len(places) - 1)
    mood = BRANCHES[position % len(BRANCHES)][3] + chance.gauss(0, 1)
    # Winter's new menu: the chain gets a little better over the last quarter.
    mood += 0.2 if (last - day_start).days < 90 else 0.0
    score = 1 + sum(mood > threshold for threshold in (-1.7, -1.1, -0.45, 0.45))
    received = min(day_start + timedelta(hours=chance.choice(HOURS), seconds=chance.randrange(3600)), last)
    is_chinese = chance.random() < 0.93
    response = Response(
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
            setattr(response, aspect, max(1, min(5, round(score + chance.gauss(0.1, 0.8)))))
    if chance.random() < 0.8:
        response.recommend = max(0, min(10, round(2 * score + chance.gauss(0, 1.2))))
    if score <= 2:
        response.problems = sum({chance.choice(PROBLEMS) for _try in range(chance.randint(1, 3))})
        age = (last - received).days
        response.follow_up_status = (
            FollowUpStatus.OPEN if age < 10 else chance.choice([FollowUpStatus.SOLVED] * 4 + [FollowUpStatus.CONTACTED])
        )
    if chance.random() < 0.55:
        response.comment = _comment(chance, score, is_chinese)
        response.terms_due = True
    if chance.random() < 0.3:
        response.name = chance.choice(SURNAMES) + chance.choice(("先生", "女士"))
        response.phone = f"1380000{chance.randrange(10_000):04}"
        response.email = f"guest{chance.randrange(10_000)}@example.com" if chance.random() < 0.4 else ""
    return response


def _comment(chance: random.Random, score: int, is_chinese: bool) -> str:
    kind = "good" if score >= 4 else "fair" if score == 3 else "bad"
    if not is_chinese:
        return chance.choice(ENGLISH[kind])
    sentences = chance.sample({"good": GOOD, "fair": FAIR, "bad": BAD}[kind], chance.choice((1, 1, 2)))
    return "".join(sentences).format(dish=chance.choice(DISHES), person=chance.choice(PEOPLE))
