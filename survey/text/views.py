"""HTTP endpoints for greetings and text analysis."""

from __future__ import annotations

import json
from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.csrf import csrf_exempt

from mydjango.http.json_body import MalformedJSON, json_object
from mydjango.http.problems import FORM_TYPES, allow, is_json, problem
from survey.text.limit import LONG_TEXT, minutes_to_wait

LONGEST_TEXT = 20_000  # characters
MOST_KEYWORDS = 100
SAMPLE = (
    "Serverless Framework 是业界非常受欢迎的无服务器应用框架,"
    "开发者无需关心底层资源即可部署完整可用的 Serverless 应用架构。"
    "Serverless Framework 具有资源编排、自动伸缩、事件驱动等能力,覆盖编码、调试、测试、部署等全生命周期,"
    "帮助开发者通过联动云资源,迅速构建 Serverless 应用。"
)


def plain(text: str) -> HttpResponse:
    """Return a plain text response, so that no browser renders a name as HTML."""
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


def greet(request: HttpRequest, fields: QueryDict, greeting: str, where: str) -> HttpResponse:
    """Respond with `greeting` and the field `name`, with 400 if the name is missing or empty."""
    name = fields.get("name", "")
    if not name:
        return problem(request, 400, f"The name is missing: send it as {where}.")
    return plain(f"{greeting} {name}")


@csrf_exempt
@allow("GET", "POST")
def hello(request: HttpRequest) -> HttpResponse:
    """Respond `Hello world ! Tom`, with the name from the query (GET) or the form (POST)."""
    if request.method == "POST":
        return greet(request, request.POST, "Hello world !", "the form field 'name'")
    return greet(request, request.GET, "Hello world !", "?name=…")


@allow("GET")
def hello_path(request: HttpRequest, name: str) -> HttpResponse:
    """Respond `hello Tom`, with the name from the path."""
    return plain(f"hello {name}")


@csrf_exempt
@allow("POST")
def welcome_post(request: HttpRequest) -> HttpResponse:
    """Respond `POST Tom`, with the name from the form."""
    return greet(request, request.POST, "POST", "the form field 'name'")


@allow("GET")
def welcome_get(request: HttpRequest) -> HttpResponse:
    """Respond `GET Tom`, with the name from the query."""
    return greet(request, request.GET, "GET", "?name=…")


@csrf_exempt
@allow("GET", "POST")
def jieba(request: HttpRequest) -> HttpResponse:
    """Respond with words, keywords and TextRank of `text` (default: SAMPLE) as JSON, `topK` entries a ranking."""
    if request.method != "POST":
        return analyse(request, request.GET.dict())
    fields: Mapping[str, object] = {}  # an empty body of any media type asks for the sample
    if request.body and is_json(request.content_type):
        try:
            fields = json_object(request)
        except MalformedJSON as error:
            return problem(request, 400, str(error))
    elif request.content_type in FORM_TYPES:
        fields = request.POST.dict()
    elif request.body:
        return problem(request, 415, "Send text and topK as application/json or as a form.")
    unknown = sorted(fields.keys() - {"text", "topK"})
    if unknown:
        return problem(request, 400, f"There is no field {unknown[0]!r}: the fields are text and topK.")
    return analyse(request, fields)


def analyse(request: HttpRequest, fields: Mapping[str, object]) -> HttpResponse:
    """Validate the fields and respond with the analysis."""
    text = fields.get("text", SAMPLE)
    if not isinstance(text, str):
        return problem(request, 400, "text must be a string.")
    if len(text) > LONGEST_TEXT:
        return problem(request, 413, f"The text has {len(text):,} characters: at most {LONGEST_TEXT:,} are analysed.")
    top_k = whole_number(fields.get("topK", 20))
    if top_k is None or not 1 <= top_k <= MOST_KEYWORDS:
        return problem(request, 400, f"topK must be a whole number from 1 to {MOST_KEYWORDS}.")
    if len(text) > LONG_TEXT and (minutes := minutes_to_wait(request.META.get("REMOTE_ADDR", ""))):
        detail = f"You sent very many texts of more than {LONG_TEXT:,} characters: try again in {minutes} min."
        return problem(request, 429, detail, headers={"Retry-After": str(60 * minutes)})
    from survey.text.analysis import keywords, segment, textrank

    rankings = {"keywords": keywords(text, top_k), "textrank": textrank(text, top_k)}
    weighted = {
        name: [{"word": word, "weight": weight} for word, weight in ranking] for name, ranking in rankings.items()
    }
    # Not JsonResponse: its encoder imports django.db.models, which costs more than the whole analysis.
    content = json.dumps({"words": segment(text), **weighted}, ensure_ascii=False)
    return HttpResponse(content, content_type="application/json")


def whole_number(value: object) -> int | None:
    """Parse a JSON number without a fraction or a form's digits; None for anything else, also true and false."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
