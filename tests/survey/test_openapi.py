"""The API's description is valid, and the code does what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, settings
from openapi_spec_validator import validate
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import unsupported_method

from mydjango.wsgi import application
from survey.guest.openapi import DOCUMENT

pytestmark = pytest.mark.slow

SWAGGER = Path(__file__).parents[2] / "docs" / "swagger2.json"

# 413 is how a text or a body that is too long is refused; schemathesis does not count it among refusals by itself.
# 422 and 429 answer what is well-formed: a key that was used for other content, and too many answers.
CONFIG = SchemathesisConfig.from_dict(
    {
        "checks": {
            "negative_data_rejection": {"expected-statuses": [400, 404, 405, 413, 415]},
            "positive_data_acceptance": {"expected-statuses": ["2xx", "3xx", 404, 422, 429]},
        }
    }
)
schema = schemathesis.openapi.from_dict(json.loads(DOCUMENT.read_bytes()), config=CONFIG)
schema.app = application


def test_the_openapi_document_is_valid_and_served(client: Client) -> None:
    document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_the_swagger_document_is_valid_and_agrees_with_the_openapi_document() -> None:
    swagger = json.loads(SWAGGER.read_bytes())
    validate(swagger)
    old = swagger["paths"]["/submitSurvey"]["post"]
    new = json.loads(DOCUMENT.read_bytes())["paths"]["/submitSurvey"]["post"]
    assert (old["operationId"], old["tags"]) == (new["operationId"], new["tags"]) == ("postSubmitSurvey", ["survey"])
    body = swagger["definitions"]["PostBodySchema"]
    answer = json.loads(DOCUMENT.read_bytes())["components"]["schemas"]["Answer"]
    assert body["required"] == answer["required"]
    types = {name: field.get("type", "string") for name, field in answer["properties"].items()}
    assert {name: field["type"] for name, field in body["properties"].items()} == types


@pytest.mark.django_db(transaction=True)  # the application closes its connection after each request
@schema.parametrize()
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_the_code_does_what_the_description_says(case: schemathesis.Case) -> None:
    # A made-up code is well-formed, yet no branch has it. Types and lengths that are wrong stay as they are.
    if isinstance(case.body, dict) and is_branch_code(case.body.get("branch")):
        case.body["branch"] = ""
    # Nor is any made-up key one of a question.
    if isinstance(case.body, dict) and has_own_values(case.body.get("own")):
        case.body["own"] = {}
    # Two keys contradict each other, which no schema can say.
    if isinstance(case.body, dict) and "submission_id" in case.body:
        case.headers.pop("Idempotency-Key", None)
    case.call_and_validate(excluded_checks=[unsupported_method])


def is_branch_code(value: object) -> bool:
    """Whether the description allows the value as a branch."""
    return isinstance(value, str) and len(value) <= 32 and re.fullmatch(r"[-a-zA-Z0-9_]*", value) is not None


def has_own_values(value: object) -> bool:
    """Whether the description allows the value as those of own questions."""
    return isinstance(value, dict) and all(
        re.fullmatch(r"[-_a-z0-9]{1,32}", key) and (isinstance(given, bool) or given in (1, 2, 3, 4, 5))
        for key, given in value.items()
    )
