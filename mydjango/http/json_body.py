"""A request's JSON body, read strictly."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from django.http import HttpRequest


class MalformedJSON(ValueError):
    """The body is not one JSON object of valid Unicode; the message is a sentence for the caller."""


def json_object(request: HttpRequest) -> dict[str, Any]:
    """The body as a dict; raises MalformedJSON for anything else, NaN and half surrogate pairs included."""
    try:
        value = json.loads(request.body.decode("utf-8"), parse_constant=_refuse_constant)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeError:
        raise MalformedJSON("The body is not valid UTF-8, or holds half of a surrogate pair.") from None
    except RecursionError:
        raise MalformedJSON("The body is nested too deeply.") from None
    except ValueError as error:
        raise MalformedJSON(f"The body is not valid JSON: {error}.") from None
    if not isinstance(value, dict):
        raise MalformedJSON("The body must be a JSON object.")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
