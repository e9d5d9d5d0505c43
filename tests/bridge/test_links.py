"""SCRIPT_NAME and PATH_INFO: what reverse() and redirects of the real project make of stage and base path."""

from __future__ import annotations

from typing import Any

import pytest

import index
from faaskit.gateways.registry import GATEWAYS as REGISTRY
from faaskit.gateways.request import HttpRequest
from tests.support.gateways import Recorder, Setting, received, sample

REST = "abc123.execute-api.eu-west-1.amazonaws.com"
TENCENT = "service-x-123456.gz.apigw.tencentcs.com"


def request(gateway: str, path: str, host: str, stage: str = "") -> Any:
    """An event."""
    return REGISTRY[gateway].build_event(HttpRequest("GET", path, [("Host", host)], stage=stage))


def split(event: Any) -> tuple[str, str]:
    """(SCRIPT_NAME, PATH_INFO)."""
    recorder = Recorder()
    index.handle_request(recorder, event, {})
    return recorder.environ["SCRIPT_NAME"], recorder.environ["PATH_INFO"]


@pytest.mark.parametrize(
    ("gateway", "host", "stage", "script_name"),
    [
        ("apigw", TENCENT, "release", "/release"),
        ("apigw", "service-x.ap-shanghai.apigateway.myqcloud.com", "release", ""),
        ("apigw", "survey.example.com", "release", ""),
        ("apigw", "apigw.tencentcs.com.evil.example", "release", ""),
        ("aws-rest", REST, "dev", "/dev"),
        ("aws-rest", "abc.execute-api.cn-north-1.amazonaws.com.cn", "dev", "/dev"),
        ("aws-rest", "survey.example.com", "dev", ""),
        ("aws-http", REST, "dev", "/dev"),
        ("aws-http", "survey.example.com", "dev", ""),
        ("aws-http", REST, "", ""),
        ("aws-lambda-url", "abc123.lambda-url.eu-west-1.on.aws", "", ""),
        ("function-url", "", "", ""),
        ("alb", "survey-1.eu-west-1.elb.amazonaws.com", "", ""),
        ("fc", "xx.cn-hangzhou.fcapp.run", "", ""),
    ],
)
def test_the_stage_is_in_script_name_where_public_urls_have_it(
    gateway: str, host: str, stage: str, script_name: str, bridge_setting: Setting
) -> None:
    event = request(gateway, "/hello/", host, stage)
    assert split(event) == (script_name, "/hello/")
    for yes in ("1", "true", "YES", "y", "t"):
        bridge_setting("STRIP_STAGE_PATH", yes)
        assert split(event) == ("", "/hello/")
    bridge_setting("STRIP_STAGE_PATH", "0")
    assert split(event) == (script_name, "/hello/")


def test_an_http_api_with_rests_payload_has_the_stage_in_its_path() -> None:
    event = sample("aws-rest") | {"version": "1.0", "path": "/dev/hello/"}
    event["headers"] = event["multiValueHeaders"] = None
    event["requestContext"]["stage"] = "dev"
    assert split(event | {"headers": {"Host": REST}}) == ("/dev", "/hello/")
    assert split(event | {"headers": {"Host": "survey.example.com"}}) == ("", "/hello/")
    assert split(event | {"path": "/dev", "headers": {"Host": "survey.example.com"}}) == ("", "/")
    assert split(event | {"path": "/dev", "headers": {"Host": REST}}) == ("/dev", "")


def test_trap_4_default_is_no_stage_and_a_named_one_leaves_the_path() -> None:
    assert split(sample("aws-http")) == ("", "/welcome/post")
    assert split(sample("aws-http-stage")) == ("/dev", "/welcome/post")
    assert split(request("aws-http", "/x", REST, "dev")) == ("/dev", "/x")
    event = request("aws-http", "/x", REST, "dev") | {"rawPath": "/development/x"}
    assert split(event) == ("", "/development/x")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1/hello/", ("/v1", "/hello/")),
        ("/v1", ("/v1", "")),
        ("/v1/", ("/v1", "/")),
        ("/v1beta/x", ("", "/v1beta/x")),
        ("/hello/", ("", "/hello/")),
    ],
)
@pytest.mark.parametrize("base", ["v1", "/v1", "v1/"])
def test_trap_5_a_base_path_ends_on_a_segment(
    base: str, path: str, expected: tuple[str, str], bridge_setting: Setting
) -> None:
    bridge_setting("API_GATEWAY_BASE_PATH", base)
    for gateway in ("aws-rest", "function-url", "aws-lambda-url"):  # Tencent's API Gateway has path mappings
        assert split(request(gateway, path, "survey.example.com")) == expected


@pytest.mark.parametrize("base", ["", "/"])
def test_an_empty_base_path_is_none(base: str, bridge_setting: Setting) -> None:
    bridge_setting("API_GATEWAY_BASE_PATH", base)
    assert split(request("aws-rest", "/x", "survey.example.com")) == ("", "/x")


@pytest.mark.parametrize(
    ("gateway", "host", "stage", "prefix"),
    [
        ("apigw", TENCENT, "release", "/release"),
        ("aws-http", REST, "dev", "/dev"),
        ("aws-rest", "localhost", "dev", ""),
    ],
)
@pytest.mark.usefixtures("real_project")
def test_redirects_of_the_real_project_carry_the_stage(gateway: str, host: str, stage: str, prefix: str) -> None:
    # The admin's redirect is made by reverse(), APPEND_SLASH's by the path.
    for path, location in (("/admin/", "/admin/login/?next="), ("/hello?name=Tom", "/hello/?name=Tom")):
        client = received(index.main_handler(request(gateway, path, host, stage), {}))
        assert client.status in (301, 302)
        assert client.header("location")[0].startswith(prefix + location)


@pytest.mark.usefixtures("real_project")
def test_trap_3_append_slash_does_not_redirect_for_ever() -> None:
    event = request("aws-lambda-url", "/hello/?name=Tom", "abc123.lambda-url.eu-west-1.on.aws")
    assert received(index.main_handler(event, {})).body == b"Hello world ! Tom"


def test_public_url_gives_host_and_scheme_to_events_without(bridge_setting: Setting) -> None:
    bridge_setting("PUBLIC_URL", "http://127.0.0.1:9000")
    recorder = Recorder()
    index.handle_request(recorder, sample("function-url-real"), {})
    environ = recorder.environ
    assert (environ["wsgi.url_scheme"], environ["SERVER_NAME"], environ["SERVER_PORT"], environ["HTTP_HOST"]) == (
        "http",
        "127.0.0.1",
        "9000",
        "127.0.0.1:9000",
    )
