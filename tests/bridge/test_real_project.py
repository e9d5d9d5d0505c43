"""index.main_handler answers what the gateways really send, through the real project."""

from __future__ import annotations

import pytest

import index
from tests.support.gateways import sample


@pytest.mark.usefixtures("real_project")
@pytest.mark.parametrize(
    ("name", "status", "body"),
    [
        ("apigw-real", 200, "GET Tom"),
        ("function-url-real", 200, "POST John"),
        ("aws-rest", 200, "GET b c"),
        ("aws-http", 200, "POST 王芳"),
        ("aws-http-stage", 200, "POST 王芳"),
        ("aws-lambda-url", 200, "hello 王 芳"),
        ("aws-alb", 200, "hello 王芳"),
        ("aws-alb-single", 200, "hello 王芳"),
        ("fc-http", 404, "There is nothing at /example."),
        ("fc-apigateway", 200, "GET x y"),
    ],
)
def test_every_sample_event_is_answered(name: str, status: int, body: str) -> None:
    answer = index.main_handler(sample(name), sample("context"))
    assert (answer["statusCode"], answer["body"], answer["isBase64Encoded"]) == (status, body, False)


@pytest.mark.usefixtures("real_project")
def test_the_sample_event_of_a_browser_is_answered_with_a_page() -> None:
    answer = index.main_handler(sample("apigw"), sample("context"))
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (404, False)
    assert "Page not found" in answer["body"]
