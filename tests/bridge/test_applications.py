"""Any WSGI application runs behind index.py unchanged, and AWS's own runtime client runs index.main_handler."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import threading
import types
import warnings
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import falcon
import flask
import pytest
from fastapi import FastAPI, Request

import index
from faaskit.gateways.registry import GATEWAYS as REGISTRY
from faaskit.gateways.request import HttpRequest
from tests.support.gateways import GATEWAYS, HOST, Recorder, received, sample, send

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # jieba's source has invalid escapes
    import jieba

ROOT = Path(__file__).parents[2]
FORM = ("Content-Type", "application/x-www-form-urlencoded")
every_gateway = pytest.mark.parametrize("gateway", GATEWAYS)


def flask_application() -> flask.Flask:
    """The classic four calls."""
    app = flask.Flask("classic")

    @app.get("/hello/<name>")
    def hello(name: str) -> str:
        return f"hello {name}"

    @app.post("/welcome/post")
    def post() -> str:
        return "POST " + flask.request.form["name"]

    @app.get("/welcome/get")
    def get() -> str:
        return "GET " + flask.request.args["name"]

    @app.post("/jieba/")
    def words() -> flask.Response:
        return flask.jsonify(jieba.lcut(flask.request.get_json()["text"]))

    return app


@pytest.fixture(scope="module", autouse=True)
def quiet_jieba() -> None:
    jieba.setLogLevel("WARNING")


@every_gateway
def test_flask_runs_unchanged(gateway: str) -> None:
    app = flask_application()
    text = json.dumps({"text": "我爱北京天安门"}).encode()
    for request, body in (
        (HttpRequest("GET", "/hello/%E7%8E%8B%20%E8%8A%B3", [HOST]), "hello 王 芳"),
        (HttpRequest("POST", "/welcome/post", [HOST, FORM], "name=王+芳".encode()), "POST 王 芳"),
        (HttpRequest("GET", "/welcome/get?name=a%2Bb+%E8%8A%B3", [HOST]), "GET a+b 芳"),
    ):
        client = send(app, gateway, request)
        assert (client.status, client.body.decode()) == (200, body)
    client = send(app, gateway, HttpRequest("POST", "/jieba/", [HOST, ("Content-Type", "application/json")], text))
    assert json.loads(client.body) == ["我", "爱", "北京", "天安门"]


@every_gateway
def test_falcon_runs_unchanged(gateway: str) -> None:
    class Hello:
        def on_post(self, request: falcon.Request, response: falcon.Response, name: str) -> None:
            response.media = {"name": name, "q": request.get_param("q"), "body": request.media}

    app = falcon.App()
    app.add_route("/hello/{name}", Hello())
    request = HttpRequest("POST", "/hello/%E7%8E%8B?q=a%2Bb", [HOST, ("Content-Type", "application/json")], b"[1]")
    client = send(app, gateway, request)
    assert json.loads(client.body) == {"name": "王", "q": "a+b", "body": [1]}


def test_fastapi_runs_through_a2wsgi_as_documented(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    api = FastAPI()

    @api.get("/hello/{name}")
    async def hello(request: Request, name: str, q: str) -> dict[str, str | None]:
        return {"name": name, "q": q, "client": request.client and request.client.host}

    @api.get("/broken")
    async def broken() -> None:
        raise LookupError("in the route")

    app = types.ModuleType("app")
    app.app = api  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "app", app)
    [recipe] = re.findall(
        r"```python\n(from app import app\n.*?)```", (ROOT / "docs" / "bridge.md").read_text("utf-8"), re.DOTALL
    )
    names: dict[str, Any] = {"__name__": "recipe"}
    exec(recipe, names)

    def get(target: str) -> Any:
        return received(
            names["handler"](
                REGISTRY["aws-http"].build_event(HttpRequest("GET", target, [HOST], address="203.0.113.7")), {}
            )
        )

    assert json.loads(get("/hello/%E7%8E%8B?q=1").body) == {"name": "王", "q": "1", "client": "203.0.113.7"}
    assert not caplog.records
    assert get("/broken").status == 500
    assert "LookupError: in the route" in caplog.text


def apart(code: str, cwd: Path, **variables: str) -> str:
    """What Python prints in a process of its own, in another project's folder, with a copy of index.py."""
    (cwd / "index.py").write_text((ROOT / "index.py").read_text("utf-8"), "utf-8")
    environment = {**os.environ, **variables}
    ended = subprocess.run([sys.executable, "-c", code], cwd=cwd, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()


def test_another_project_takes_index_alone_and_names_its_application(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import flask\nwsgi = flask.Flask('x')\nwsgi.get('/')(lambda: 'flask here')\n")
    code = (
        "import index, sys\n"
        "print(index.main_handler({'httpMethod': 'GET', 'path': '/', 'headers': {}}, {})['body'])\n"
        "print('django' in sys.modules)"
    )
    assert apart(code, tmp_path, WSGI_APPLICATION="app:wsgi").split("\n") == ["flask here", "False"]


def test_a_factory_is_called_once_and_may_make_an_asgi_application(tmp_path: Path) -> None:
    source = (
        "import flask, falcon.asgi\n"
        "def create_app():\n    print('made')\n    made = flask.Flask('x')\n    made.get('/')(lambda: 'here')\n"
        "    return made\n"
        "def create_asgi():\n    print('made')\n    return falcon.asgi.App()\n"
    )
    (tmp_path / "app.py").write_text(source)
    code = (
        "import index\nfor _ in range(2):\n"
        "    print(index.main_handler({'httpMethod': 'GET', 'path': '/', 'headers': {}}, {})['statusCode'])"
    )
    assert apart(code, tmp_path, WSGI_APPLICATION="app:create_app()") == "made\n200\n200"
    assert apart(code, tmp_path, WSGI_APPLICATION="app:create_asgi()") == "made\n404\n404"


def test_another_project_that_only_uses_handle_request_loads_on_a_platform(tmp_path: Path) -> None:
    code = "import index, sys; print('django' in sys.modules)"
    assert apart(code, tmp_path, AWS_LAMBDA_FUNCTION_NAME="f") == "False"


def test_a_handler_of_ones_own_loads_beside_a_copy_of_the_development_side(tmp_path: Path) -> None:
    """As README has it: faaskit/ is copied, so there is a package mydjango, but no mydjango.wsgi."""
    (tmp_path / "mydjango" / "cloud").mkdir(parents=True)
    (tmp_path / "app.py").write_text("import flask\napp = flask.Flask('x')\napp.get('/')(lambda: 'flask here')\n")
    code = (
        "from app import app\nfrom index import handle_request\n"
        "print(handle_request(app, {'httpMethod': 'GET', 'path': '/', 'headers': {}}, {})['body'])"
    )
    assert apart(code, tmp_path, TENCENTCLOUD_RUNENV="SCF", PYTHONPATH="") == "flask here"


def test_on_a_platform_the_application_is_imported_with_index_and_then_frozen(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import gc\nwas_enabled = gc.isenabled()\ndef application(e, s): pass\n")
    code = "import gc, sys, index; print(sys.modules['app'].was_enabled, gc.isenabled(), gc.get_freeze_count() > 0)"
    assert apart(code, tmp_path, WSGI_APPLICATION="app", TENCENTCLOUD_RUNENV="SCF") == "False True True"


def test_importing_index_brings_nothing_that_django_does_not() -> None:
    code = (
        "import sys, django.core.wsgi, django.urls, django.http\nbefore = set(sys.modules)\n"
        "import index\nprint(sorted(set(sys.modules) - before))"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "['__future__', 'gc', 'index']"  # the first two cost nothing


@pytest.mark.usefixtures("real_project")
def test_fcs_oldest_trigger_calls_the_handler_as_a_wsgi_application() -> None:
    started: list[Any] = []
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/hello/Tom",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "443",
        "wsgi.url_scheme": "https",
        "wsgi.input": sys.stdin.buffer if hasattr(sys.stdin, "buffer") else sys.stdin,
        "HTTP_PROXY": "evil",
        "fc.context": type("Context", (), {"request_id": "fc-1"})(),
        "fc.request_uri": "/2016-08-15/proxy/service/function/hello/Tom?x=1",
    }
    body = index.main_handler(environ, lambda *given: started.append(given))
    assert b"".join(body) == b"hello Tom"
    assert started[0][0] == "200 OK"
    assert environ["SCRIPT_NAME"] == "/2016-08-15/proxy/service/function"
    assert environ["serverless.context"] is environ["fc.context"]
    assert "HTTP_PROXY" not in environ


@pytest.mark.parametrize(
    ("path", "uri", "script_name"),
    [
        ("/", "/2016-08-15/proxy/s/f", "/2016-08-15/proxy/s/f"),
        ("/", "/2016-08-15/proxy/s/f/?x=1", "/2016-08-15/proxy/s/f"),
        ("/", "/", ""),
        ("/a b", "/2016-08-15/proxy/s/f/a%20b", "/2016-08-15/proxy/s/f"),
        ("/a", None, ""),
    ],
)
def test_fcs_oldest_trigger_says_where_the_function_is(
    path: str, uri: str | None, script_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder()
    monkeypatch.setattr(index, "load_application", lambda: validator(recorder))
    environ: dict[str, Any] = {"fc.context": None, "fc.request_uri": uri}
    setup_testing_defaults(environ)
    environ |= {"PATH_INFO": path, "SCRIPT_NAME": "", "QUERY_STRING": "", "CONTENT_LENGTH": "0"}
    assert index.main_handler(environ, lambda status, headers: None) == [b"ok"]
    assert recorder.environ["SCRIPT_NAME"] == script_name


def test_fcs_oldest_trigger_gets_500_where_the_body_raises(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def application(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        yield b"begun"
        raise RuntimeError

    monkeypatch.setattr(index, "load_application", lambda: application)
    started: list[Any] = []
    body = index.main_handler({"fc.context": None}, lambda *given: started.append(given))
    assert started[0][0] == "500 Internal Server Error"
    assert b"begun" not in b"".join(body)
    assert "application.failed" in caplog.text


@pytest.mark.parametrize(
    ("method", "status", "size", "code", "sent"),
    [
        ("GET", "200 OK", 12, 502, None),
        ("GET", "200 OK", 6, 200, 6),
        ("HEAD", "200 OK", 12, 200, 0),
        ("HEAD", "200 OK", 1, 200, 0),
        ("GET", "204 No Content", 1, 204, 0),
        ("GET", "304 Not Modified", 1, 304, 0),
        ("GET", "20 OK", 1, 500, None),
    ],
)
def test_fcs_oldest_trigger_is_answered_by_the_same_rules(
    method: str, status: str, size: int, code: int, sent: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def application(environ: Any, start_response: Any) -> Any:
        start_response(status, [("Content-Type", "image/png"), ("X-Name", "Jos\xe9"), ("X-Utf8", "\xe7\x8e\x8b")])
        return (b"x" * 1024 * 1024 for _ in range(size))

    monkeypatch.setattr(index, "load_application", lambda: application)
    started: list[Any] = []
    body = index.main_handler({"REQUEST_METHOD": method, "fc.context": None}, lambda *given: started.append(given))
    [(line, headers)] = started
    assert int(line[:3]) == code
    if sent is not None:
        assert len(b"".join(body)) == sent * 1024 * 1024
        assert headers == [("Content-Type", "image/png"), ("X-Name", "Jos\xe9"), ("X-Utf8", "\xe7\x8e\x8b")]


def test_fcs_oldest_trigger_gets_500_for_a_header_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for header in (("X", "a\r\nSet-Cookie: b=1"), ("X\r\nEvil", "1")):
        monkeypatch.setattr(index, "load_application", lambda header=header: Recorder(headers=[header]))
        environ: dict[str, Any] = {"fc.context": None}
        setup_testing_defaults(environ)
        started: list[Any] = []
        index.main_handler(environ | {"CONTENT_LENGTH": "0"}, lambda *given: started.append(given))  # noqa: B023
        assert started[0][0] == "500 Internal Server Error"


def test_fcs_oldest_trigger_gets_500_for_an_application_that_raises(failing_import: None) -> None:
    started: list[Any] = []
    context = type("Context", (), {"request_id": "fc-1"})()
    body = index.main_handler({"fc.context": context}, lambda *given: started.append(given))
    assert started[0][0] == "500 Internal Server Error"
    assert b"fc-1" in b"".join(body)


class RuntimeApi(HTTPServer):
    """AWS's runtime API: hands out events, keeps what comes back."""

    def __init__(self, events: list[Any]) -> None:
        super().__init__(("127.0.0.1", 0), RuntimeApiHandler)
        self.events, self.answers, self.finished = list(enumerate(events)), {}, threading.Event()
        self.expected = len(events)
        self.answers: dict[str, Any]


class RuntimeApiHandler(BaseHTTPRequestHandler):
    server: RuntimeApi

    def do_GET(self) -> None:
        if not self.server.events:
            self.server.finished.wait(10)
            self.send_error(500)  # the client ends itself
            return
        number, event = self.server.events.pop(0)
        body = json.dumps(event).encode()
        self.send_response(200)
        for name, value in {
            "Lambda-Runtime-Aws-Request-Id": f"request-{number}",
            "Lambda-Runtime-Deadline-Ms": "9999999999999",
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-west-1:123456789012:function:survey",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.answers[self.path.partition("/invocation/")[2]] = json.loads(body)
        if len(self.server.answers) == self.server.expected:
            self.server.finished.set()
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the test's output quiet."""


@pytest.mark.skipif(
    not importlib.util.find_spec("runtime_client"), reason="awslambdaric's compiled client exists for Linux only"
)
def test_awss_own_runtime_client_runs_main_handler(tmp_path: Path) -> None:
    server = RuntimeApi([sample("aws-rest"), sample("aws-http"), sample("aws-alb"), {"key1": "value1"}])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    environment = {
        **os.environ,
        "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}",
        "AWS_LAMBDA_FUNCTION_NAME": "survey",
        "LAMBDA_TASK_ROOT": str(ROOT),
        "SECRET_KEY": "for-this-test",
        "ALLOWED_HOSTS": "*",
        "SQLITE_PATH": str(tmp_path / "db.sqlite3"),
    }
    command = [sys.executable, "-m", "awslambdaric", "index.main_handler"]
    client = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert server.finished.wait(30)
    finally:
        client.kill()
        client.wait()
        server.shutdown()
        server.server_close()
        thread.join()
    answers = server.answers
    assert answers["request-0/response"]["body"] == "GET b c"
    assert answers["request-1/response"]["body"] == "POST 王芳"
    assert answers["request-2/response"]["statusDescription"] == "301 Moved Permanently"  # the balancer said http
    assert answers["request-3/error"]["errorType"] == "UnknownEvent"
