"""Faults that were found from outside: foreign events, test consoles, older shims, hostile values, threads."""

from __future__ import annotations

import ast
import io
import json
import logging
import os
import subprocess
import sys
import threading
import tokenize
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

import index
from faaskit.gateways.registry import GATEWAYS as REGISTRY
from faaskit.gateways.request import HttpRequest
from tests.support.gateways import HOST, Recorder, Setting, received, sample, seen

ROOT = Path(__file__).parents[2]
OK = [("Content-Type", "text/plain")]


def environ_of(event: Any, context: Any = None) -> dict[str, Any]:
    """The environ that an application sees of an event."""
    recorder = Recorder()
    assert received(index.handle_request(recorder, event, context)).status == 200
    return recorder.environ


FOREIGN = {
    "VPC Lattice v1": {
        **{"raw_path": "/x", "method": "GET", "headers": {"host": "a.example"}, "body": ""},
        **{"query_string_parameters": {}, "is_base64_encoded": False},
    },
    "WebSocket CONNECT": {
        "headers": {"Host": "a.execute-api.eu-west-1.amazonaws.com", "Sec-WebSocket-Version": "13"},
        "multiValueHeaders": {"Host": ["a.execute-api.eu-west-1.amazonaws.com"]},
        "requestContext": {"eventType": "CONNECT", "routeKey": "$connect", "stage": "dev", "apiId": "a"},
        "isBase64Encoded": False,
    },
    "WebSocket MESSAGE": {
        "requestContext": {"eventType": "MESSAGE", "routeKey": "$default", "stage": "dev", "apiId": "a"},
        "body": '{"manage": ["check"]}',
        "isBase64Encoded": False,
    },
    "AppSync resolver": {
        "arguments": {},
        "identity": None,
        "source": None,
        "request": {"headers": {"host": "a.appsync-api.eu-west-1.amazonaws.com"}},
        "info": {"fieldName": "submit", "parentTypeName": "Mutation"},
    },
    "AppSync authorizer": {
        "authorizationToken": "t",
        "requestContext": {"apiId": "a", "accountId": "1", "requestId": "r", "queryString": "mutation"},
        "requestHeaders": {"host": "a"},
    },
    "Bedrock agent": {
        **{"messageVersion": "1.0", "actionGroup": "a", "apiPath": "/x", "httpMethod": "POST"},
        **{"agent": {}, "parameters": [], "requestBody": {}},
    },
    "headers alone": {"headers": {"host": "a.example"}, "manage": ["check"], "Type": "Timer", "Message": "check"},
}


@pytest.mark.parametrize("name", FOREIGN)
def test_an_event_of_an_unsupported_source_is_unknown_and_runs_nothing(name: str) -> None:
    with pytest.raises(index.UnknownEvent):
        index.handle_request(lambda environ, start_response: pytest.fail("it ran"), FOREIGN[name], {})  # type: ignore[arg-type,return-value]
    with pytest.raises(index.UnknownEvent):
        index.main_handler(FOREIGN[name], {})


def test_vpc_lattice_is_served_by_the_second_version_of_its_event() -> None:
    environ = environ_of(sample("aws-lattice"))
    assert environ["QUERY_STRING"] == "name=a%2Bb&name=b+c"
    assert (environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["HTTP_X_TWICE"]) == (
        "GET",
        "/welcome/get",
        "one,two",
    )
    assert (environ["REMOTE_ADDR"], environ["REMOTE_USER"]) == ("10.0.2.100", "arn:aws:iam::123456789012:role/guest")
    result = index.handle_request(Recorder(headers=[*OK, ("Link", "<a>"), ("Link", "<b>")]), sample("aws-lattice"), {})
    assert result == {
        "statusCode": 200,
        "statusDescription": "200 OK",
        "headers": {"Content-Type": "text/plain", "Link": "<a>,<b>"},
        "body": "ok",
        "isBase64Encoded": False,
    }


@pytest.mark.parametrize("request_context", [{}, None])
def test_the_query_of_a_test_console_with_an_empty_request_context_is_kept(request_context: Any) -> None:
    event = {"httpMethod": "GET", "path": "/x", "headers": {}, "requestContext": request_context}
    assert environ_of(event | {"queryStringParameters": {"a": "b c"}})["QUERY_STRING"] == "a=b+c"
    assert environ_of(event | {"queryStringParameters": {"a": "1"}, "queryString": {"a": "2"}})["QUERY_STRING"] == "a=2"


def test_a_tencent_event_with_the_keys_of_older_shims_is_tencents() -> None:
    event = sample("apigw-shim")
    environ = environ_of(event)
    assert environ["QUERY_STRING"] == "name=a%2Bb&name=b+c"
    assert (environ["REMOTE_ADDR"], environ["SCRIPT_NAME"]) == ("203.0.113.7", "/release")
    assert environ["HTTP_X_TWICE"] == "one,two"
    result = index.handle_request(Recorder(headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]), event, {})
    assert result["headers"] == {"Set-Cookie": ["a=1", "b=2"]}
    assert "multiValueHeaders" not in result
    del event["requestContext"]["serviceId"]
    assert environ_of(event)["SCRIPT_NAME"] == "/release"
    del event["multiValueQueryStringParameters"]
    assert environ_of(event)["QUERY_STRING"] == "name=b+c"


def test_a_domain_name_nested_1200_deep_is_answered() -> None:
    nested: Any = "x"
    for _ in range(1200):
        nested = [nested]
    for name in ("aws-http", "aws-lambda-url", "aws-rest"):
        event = sample(name)
        event["requestContext"]["domainName"] = nested
        environ_of(event)


def test_an_application_that_changes_the_environ_does_not_change_what_head_means() -> None:
    def application(environ: Any, start_response: Any) -> list[bytes]:
        environ["REQUEST_METHOD"] = "GET"
        start_response("200 OK", [*OK, ("Content-Length", "6")])
        return [b"abcdef"]

    for gateway in ("aws-rest", "function-url"):
        client = received(index.handle_request(application, REGISTRY[gateway].build_event(HttpRequest("HEAD")), {}))
        assert (client.status, client.body, client.header("content-length")) == (200, b"", ["6"])


class Broken:
    """A stand-in for a context."""

    @property
    def aws_request_id(self) -> str:
        raise RuntimeError("no id here")


def test_an_error_is_answered_whatever_headers_and_context_hold() -> None:
    event = {"httpMethod": "GET", "path": "/", "headers": {"accept": b"application/json", "content-type": b"\xff"}}
    result = index.handle_request(lambda environ, start_response: 1 / 0, event, Broken())  # type: ignore[arg-type,return-value]
    assert result["statusCode"] == 500
    assert result["headers"]["X-Request-Id"]


@pytest.mark.parametrize("value", [b"x", [b"x"], [b"x", b"y"], 5, [5, None]])
@pytest.mark.parametrize("place", ["headers", "multiValueHeaders"])
def test_whatever_a_header_holds_the_environ_has_a_string(place: str, value: Any) -> None:
    assert type(environ_of({"httpMethod": "GET", "path": "/", place: {"X-Name": value}})["HTTP_X_NAME"]) is str


def test_dict_subclasses_and_an_address_that_is_not_ascii_count() -> None:
    class Mapping(dict[str, Any]):
        pass

    event = Mapping(sample("aws-rest"))
    event["requestContext"] = Mapping(event["requestContext"], identity=Mapping(sourceIp="\u738b"))
    event["multiValueHeaders"] = Mapping(event["multiValueHeaders"])
    event["multiValueQueryStringParameters"] = Mapping(a=["1"])
    environ = environ_of(event)
    assert environ["REMOTE_ADDR"] == "\u738b".encode().decode("latin-1")
    assert (environ["QUERY_STRING"], environ["HTTP_X_TWICE"]) == ("a=1", "one,two")
    assert environ["HTTP_HOST"] == "abc123.execute-api.eu-west-1.amazonaws.com"


def test_rests_caller_under_iam_is_remote_user() -> None:
    event = sample("aws-rest")
    event["requestContext"] |= {"authorizer": None, "identity": {"userArn": "arn:aws:iam::1:user/a"}}
    assert environ_of(event)["REMOTE_USER"] == "arn:aws:iam::1:user/a"


def test_the_authorizers_word_is_in_the_environ() -> None:
    assert environ_of(sample("aws-rest"))["serverless.authorizer"] == {"principalId": "user-7"}
    assert environ_of(sample("function-url"))["serverless.authorizer"] is None


def test_the_forwarded_port_counts_without_host() -> None:
    headers = {"X-Forwarded-Port": "8443", "X-Forwarded-Proto": "http"}
    environ = environ_of({"requestContext": {"elb": {}}, "httpMethod": "GET", "path": "/", "headers": headers})
    assert (environ["SERVER_PORT"], environ["wsgi.url_scheme"]) == ("8443", "http")


@pytest.mark.parametrize(
    ("path", "expected"),
    [("/hello/", ("/v1", "/hello/")), ("/v1/hello/", ("/v1", "/hello/")), ("/v1beta/x", ("/v1", "/v1beta/x"))],
)
def test_a_path_mapping_of_tencents_gateway_is_in_script_name_though_the_event_lacks_it(
    path: str, expected: tuple[str, str], bridge_setting: Setting
) -> None:
    bridge_setting("API_GATEWAY_BASE_PATH", "v1")
    environ = environ_of(REGISTRY["apigw"].build_event(HttpRequest("GET", path, [("Host", "survey.example.com")])))
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == expected


def test_the_path_of_an_http_api_is_decoded_in_payload_1_too() -> None:
    event = sample("aws-rest") | {"version": "1.0", "path": "/100%25"}
    assert environ_of(event)["PATH_INFO"] == "/100%25"


def test_one_request_id_is_in_the_environ_the_log_and_the_response(caplog: pytest.LogCaptureFixture) -> None:
    ids: list[str] = []

    def application(environ: Any, start_response: Any) -> Any:
        ids.append(environ["serverless.request_id"])
        raise RuntimeError

    for event, context in ((sample("aws-rest"), {"request_id": "r-1\r\n"}), ({"httpMethod": "GET", "path": "/"}, None)):
        caplog.clear()
        client = received(index.handle_request(application, event, context))
        assert client.header("x-request-id") == [ids[-1]]
        assert ids[-1].encode() in client.body
        assert [getattr(record, "request_id", "") for record in caplog.records] == [ids[-1]]
    assert ids[0] == "r-1"
    assert len(ids[1]) == 16


def test_an_error_page_is_served_for_what_fails_outside_of_the_application(
    tmp_path: Path, bridge_setting: Setting
) -> None:
    page = tmp_path / "error.html"
    page.write_text("<h1>\u62b1\u6b49</h1><p>{request_id}</p>", "utf-8")
    bridge_setting("ERROR_PAGE", str(page))

    def failing(environ: Any, start_response: Any) -> Any:
        raise RuntimeError

    def answer(application: Any, *headers: tuple[str, str]) -> Any:
        event = REGISTRY["function-url"].build_event(HttpRequest(headers=[HOST, *headers]))
        return received(index.handle_request(application, event, {"request_id": "r-1"}))

    client = answer(failing, ("Accept", "text/html"))
    assert (client.status, client.header("content-type")) == (500, ["text/html; charset=utf-8"])
    assert client.body.decode() == "<h1>\u62b1\u6b49</h1><p>r-1</p>"
    assert answer(failing, ("Accept", "application/json")).header("content-type") == ["application/problem+json"]
    refused = answer(Recorder(b"\x89", headers=[("Content-Type", "image/png")]))
    assert (refused.status, b"image/png" in refused.body) == (502, True)  # what is wrong is said, no page in its place


def test_an_error_page_that_is_not_there_stops_the_start() -> None:
    with pytest.raises(FileNotFoundError):
        index.Settings.read({"ERROR_PAGE": "no-such-page.html"})


def test_the_environ_says_that_instances_run_beside_each_other_and_serve_many_requests() -> None:
    environ = seen("apigw").environ
    assert (environ["wsgi.version"], environ["wsgi.multiprocess"], environ["wsgi.run_once"]) == ((1, 0), True, False)


def test_multithread_is_what_the_setting_says(bridge_setting: Setting) -> None:
    assert seen("apigw").environ["wsgi.multithread"] is False
    bridge_setting("WSGI_MULTITHREAD", "1")
    assert seen("apigw").environ["wsgi.multithread"] is True


def test_sixteen_threads_never_see_each_others_requests() -> None:
    """Nonces in path, header, cookie, body and long headers, over the limit and under it."""

    def application(environ: Any, start_response: Any) -> list[bytes]:
        nonce = environ["HTTP_X_NONCE"]
        assert environ["PATH_INFO"] == f"/{nonce}"
        assert environ["HTTP_COOKIE"] == f"nonce={nonce}"
        body: bytes = environ["wsgi.input"].read()
        assert body == nonce.encode() * 10
        headers = [*OK, ("Set-Cookie", f"nonce={nonce}"), ("X-Long", nonce * (300 if environ["QUERY_STRING"] else 10))]
        start_response("200 OK", headers + [("X-Large", "x" * 1_100_000)] * bool(environ["QUERY_STRING"]))
        return [body]

    def ask(number: int) -> bool:
        nonce, over = f"nonce-{number}-end", number % 3 == 0
        headers = [("Host", "a.example"), ("X-Nonce", nonce), ("Cookie", f"nonce={nonce}")]
        request = HttpRequest("POST", f"/{nonce}" + "?over=1" * over, headers, nonce.encode() * 10)
        client = received(
            index.handle_request(application, REGISTRY["alb"].build_event(request), {"request_id": nonce})
        )
        if over:
            return client.status == 502 and client.header("x-request-id") == [nonce]
        return (client.status, client.body, client.header("set-cookie")) == (
            *(200, nonce.encode() * 10),
            [f"nonce={nonce}"],
        )

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(ask, range(1600)))
    kept = repr({name: value for name, value in vars(index).items() if not name.startswith("__")})
    assert "nonce" not in kept


def test_a_log_handler_that_a_command_made_writes_to_the_log_afterwards(
    monkeypatch: pytest.MonkeyPatch, bridge_setting: Setting, capsys: pytest.CaptureFixture[str]
) -> None:
    """Django configures logging anew in every command, on the standard error that it finds."""
    handlers: list[logging.StreamHandler[Any]] = []

    def execute(argv: list[str]) -> None:
        handlers.append(logging.StreamHandler())
        handlers[0].emit(logging.makeLogRecord({"msg": "during"}))

    monkeypatch.setattr("django.core.management.execute_from_command_line", execute)
    bridge_setting("MANAGE_COMMANDS", "one")
    result = index.main_handler({"manage": ["one"]}, {})
    handlers[0].emit(logging.makeLogRecord({"msg": "afterwards"}))
    assert result["output"] == "during\n"
    assert capsys.readouterr().out == "afterwards\n"


def test_a_commands_output_never_holds_another_threads(
    monkeypatch: pytest.MonkeyPatch, bridge_setting: Setting
) -> None:
    began, ended = threading.Event(), threading.Event()
    running: list[str] = []

    def execute(argv: list[str]) -> None:
        assert not running  # one at a time
        running.append("x")
        sys.stdout.write(f"{argv[1]} begins\n")
        began.set()
        assert ended.wait(10)
        sys.stderr.write(f"{argv[1]} ends\n")
        running.clear()

    monkeypatch.setattr("django.core.management.execute_from_command_line", execute)
    bridge_setting("MANAGE_COMMANDS", "one; two")
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(index.main_handler, {"manage": ["one"]}, {})
        assert began.wait(10)
        second = threads.submit(index.main_handler, {"manage": ["two"]}, {})

        def talk(environ: Any, start_response: Any) -> list[bytes]:
            sys.stdout.write("a request's own line\n")
            environ["wsgi.errors"].write("an error of a request\n")
            start_response("200 OK", OK)
            return []

        answered = threads.submit(index.handle_request, talk, {"httpMethod": "GET", "path": "/"}, {})
        assert answered.result(10)["statusCode"] == 200
        ended.set()
        assert first.result(10) == {"exit_code": 0, "output": "one begins\none ends\n"}
        assert second.result(10) == {"exit_code": 0, "output": "two begins\ntwo ends\n"}


def test_make_handler_serves_http_and_refuses_other_events() -> None:
    handler = index.make_handler(Recorder(b"mine"))
    assert handler(sample("aws-http"), {})["body"] == "mine"
    assert handler(json.dumps(sample("fc-http")).encode(), {})["body"] == "mine"
    started: list[Any] = []
    environ = {"fc.context": None, "CONTENT_LENGTH": "0", "wsgi.input": io.BytesIO()}
    assert handler(environ, lambda *given: started.append(given)) == [b"mine"]
    with pytest.raises(index.UnknownEvent):
        handler({"key": "value"}, {})


def test_make_handler_runs_an_asgi_application_and_logs_what_a_route_raises(caplog: pytest.LogCaptureFixture) -> None:
    api = FastAPI()

    @api.get("/hello/{name}")
    async def hello(name: str) -> dict[str, str]:
        return {"name": name}

    @api.get("/broken")
    async def broken() -> None:
        raise LookupError("in the route")

    handler = index.make_handler(api)

    def get(target: str) -> Any:
        return received(
            handler(REGISTRY["aws-http"].build_event(HttpRequest("GET", target, [HOST])), {"request_id": "r-1"})
        )

    assert json.loads(get("/hello/%E7%8E%8B").body) == {"name": "\u738b"}
    assert not caplog.records
    assert get("/broken").status == 500
    assert "LookupError: in the route" in caplog.text
    assert caplog.records[0].getMessage() == "application.failed request_id=r-1"


def test_an_asgi_application_without_a2wsgi_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install a2wsgi"):
        index.make_handler(FastAPI())


def run(event: str, *arguments: str, cwd: Path) -> Any:
    """`python index.py` in another project's folder."""
    (cwd / "index.py").write_text((ROOT / "index.py").read_text("utf-8"), "utf-8")
    (cwd / "app.py").write_text(
        "def application(environ, start_response):\n"
        "    if environ['PATH_INFO'] == '/broken': raise RuntimeError('why')\n"
        "    start_response('200 OK', [('Content-Type', 'text/plain')])\n"
        "    return ['\u738b'.encode()]\n",
        "utf-8",
    )
    environment = {**os.environ, "WSGI_APPLICATION": "app", "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "index.py", *arguments]
    return subprocess.run(command, input=event.encode(), cwd=cwd, env=environment, capture_output=True)


def test_the_file_prints_the_result_of_one_event(tmp_path: Path) -> None:
    event = {"httpMethod": "GET", "path": "/", "headers": {}}
    ended = run(json.dumps(event), cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert json.loads(ended.stdout)["body"] == "\u738b"
    (tmp_path / "event.json").write_text(json.dumps(event), "utf-8")
    assert run("", "event.json", cwd=tmp_path).stdout == ended.stdout
    broken = run(json.dumps(event | {"path": "/broken"}), cwd=tmp_path)
    assert (broken.returncode, json.loads(broken.stdout)["statusCode"]) == (1, 500)
    assert b"RuntimeError: why" in broken.stderr
    for event_text, arguments, said in (
        ("no JSON", [], b"UnknownEvent: The event is a bytes and not JSON."),
        ("{}", [], b"UnknownEvent: EVENT_HANDLERS names no function"),
        ("", ["absent.json"], b"FileNotFoundError"),
        ('{"Type": "Timer", "Message": ""}', [], b"CommandFailed: The timer's command ended with exit code 2"),
    ):
        failed = run(event_text, *arguments, cwd=tmp_path)
        assert (failed.returncode, failed.stdout) == (1, b"")
        assert said in failed.stderr
        assert b"Traceback" not in failed.stderr


def test_settings_are_one_frozen_object() -> None:
    with pytest.raises(AttributeError):
        index.settings.base_path = "/v2"  # type: ignore[misc]


def test_index_py_reads_in_one_sitting() -> None:
    """At most 850 lines, at most 600 of them code: no blanks, comments, docstrings."""
    source = (ROOT / "index.py").read_text("utf-8")
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, documented) and ast.get_docstring(node):
            docstrings.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    code: set[int] = set()
    empty = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in empty:
            code.update(range(token.start[0], token.end[0] + 1))
    assert len(source.splitlines()) <= 850
    assert len(code - docstrings) <= 600


def test_nothing_but_the_standard_library_and_the_named_packages_is_imported() -> None:
    tree = ast.parse((ROOT / "index.py").read_text("utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    foreign = {name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names}
    assert foreign == {"a2wsgi", "django.core.management"}
    assert logging.getLogger("index") is index.logger
