"""What the demo's guests and staff write. Sentences name only dishes and problems that fit them."""

from __future__ import annotations

from typing import NamedTuple

from survey.scales import Problem

HOT = ("红烧肉", "清蒸鱼", "糖醋排骨", "番茄炒蛋", "麻婆豆腐", "小笼包", "烤鸭", "炒青菜", "酸辣土豆丝", "蒜蓉粉丝虾")
SALTED = ("红烧肉", "清蒸鱼", "番茄炒蛋", "麻婆豆腐", "烤鸭", "炒青菜", "酸辣土豆丝")
FRAGRANT = ("红烧肉", "糖醋排骨", "小笼包", "烤鸭", "蒜蓉粉丝虾")
REFILLED = (*HOT, "水果", "冰淇淋", "寿司", "甜品")
PEOPLE = ("同事", "家人", "老人和孩子", "朋友", "同学")
SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗"
ENGLISH_NAMES = ("Anna", "Tom", "Maria", "James", "Yuki", "Lucas", "Sofia", "Daniel")


class Sentence(NamedTuple):
    """A sentence, the dishes that it may be about, and the problems it tells of."""

    text: str
    dishes: tuple[str, ...] = ()
    problems: Problem = Problem(0)


CHINESE = {
    "good": (
        Sentence("{dish}很入味，{person}都说好吃。", SALTED),
        Sentence("菜品新鲜，品种也多，{dish}补得很快。", REFILLED),
        Sentence("服务员很热情，主动帮我们换了盘子。"),
        Sentence("环境干净，餐具也很卫生，下次还会来。"),
        Sentence("{dish}味道不错，价格实惠，性价比高。", HOT),
        Sentence("和{person}一起来的，位置宽敞，甜品也很受欢迎。"),
        Sentence("上菜快，{dish}特别香。", FRAGRANT),
        Sentence("米饭软糯，汤也好喝，{dish}值得推荐。", HOT),
        Sentence("店长亲自过来问口味怎么样，很贴心。"),
        Sentence("第二次来了，{dish}还是一样好吃。", REFILLED),
        Sentence("{dish}是现做的，出锅就端上来，火候正好。", HOT),
        Sentence("水果和甜品摆得漂亮，{person}都很满意。"),
    ),
    "fair": (
        Sentence("味道还可以，就是{dish}有点咸。", SALTED),
        Sentence("整体不错，不过人多，排队等了十分钟。"),
        Sentence("菜的品种再多一点就好了，{dish}总是很快没有。", REFILLED),
        Sentence("环境一般，音乐声音有点大。"),
        Sentence("价格比以前贵了一些，味道没有变。"),
        Sentence("{dish}还行，饮料机坏了没有人修。", HOT),
        Sentence("服务还可以，就是停车不太方便。"),
    ),
    "bad": (
        Sentence("{dish}是凉的，叫服务员加热等了很久。", HOT, Problem.COLD | Problem.WAITING),
        Sentence("排队半个小时，轮到我们的时候{dish}已经没有了。", REFILLED, Problem.WAITING | Problem.SOLD_OUT),
        Sentence("桌子没有擦干净，餐具上有油渍。", problems=Problem.DIRTY),
        Sentence("服务员态度不好，叫了三次才过来。", problems=Problem.UNFRIENDLY),
        Sentence("{dish}太咸，吃了两口就放下了。", SALTED, Problem.TASTE),
        Sentence("价格涨了不少，菜却少了，太贵不值。", problems=Problem.EXPENSIVE),
        Sentence("补菜太慢，{dish}一直是空的。", REFILLED, Problem.SOLD_OUT),
        Sentence("在汤里发现一根头发，卫生太差了。", problems=Problem.DIRTY),
        Sentence("收银多算了钱，退款等了很久。", problems=Problem.WAITING | Problem.OTHER),
        Sentence("座位很挤，{person}都坐得不舒服。", problems=Problem.OTHER),
    ),
}
ENGLISH = {
    "good": (
        Sentence("Fresh food and friendly staff, we will come back."),
        Sentence("Great choice of dishes, the soup was delicious."),
        Sentence("The roast duck was excellent, and the table was spotless."),
        Sentence("Good value for lunch, refills came quickly."),
    ),
    "fair": (
        Sentence("Nice food, but the queue was long."),
        Sentence("Good taste, a bit too salty for us."),
        Sentence("The dishes were fine, the music was too loud."),
    ),
    "bad": (
        Sentence("The food was cold when it reached our table.", problems=Problem.COLD),
        Sentence("The table was dirty and we waited half an hour.", problems=Problem.DIRTY | Problem.WAITING),
        Sentence("The sushi was gone and nobody refilled it.", problems=Problem.SOLD_OUT),
        Sentence("Far too expensive for what we got.", problems=Problem.EXPENSIVE),
    ),
}
CALLED = "已致电顾客道歉，送了一张代金券。"
NOTES = {
    Problem.TASTE: "厨师长试菜后减了盐。",
    Problem.SOLD_OUT: "高峰时段加派一人补菜。",
    Problem.COLD: "保温台已检修，每半小时测一次温度。",
    Problem.DIRTY: "当班重新培训了收台和餐具清洗。",
    Problem.UNFRIENDLY: "与当班员工谈过话，安排了服务培训。",
    Problem.WAITING: "高峰时段多开一个收银台。",
    Problem.EXPENSIVE: "价格意见已转给总部。",
    Problem.OTHER: "已向当班了解情况，列入本周例会。",
}
