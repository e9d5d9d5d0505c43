"""Strict parsing of a request's JSON body."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from django.http import HttpRequest


class MalformedJSON(ValueError):
    """The body is not one JSON object of valid Unicode; the message is a sentence for the client."""


def json_object(request: HttpRequest) -> dict[str, Any]:
    """Parse the body. Raises MalformedJSON unless it is an object without NaN and without half surrogate pairs."""
    try:
        text = request.body.decode("utf-8")
        value = json.loads(text, parse_constant=_reject_constant)
        if "\\u" in text:  # perhaps half of a surrogate pair
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


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")
