"""Requests through runserver and through every gateway differ only as docs/gateway.md lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from faaskit.gateways.registry import GATEWAYS
from tests.support.local_servers import ROOT, Client, Response, Server, rungateway, runserver

pytestmark = pytest.mark.slow

FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")
VARIABLES = {"SECRET_KEY": "the same for all servers, so that they could read each other's cookies", "DEBUG": "0"}
DOCUMENT = ROOT / "docs" / "gateway.md"

Exchange = Callable[[Client], list[Response]]
EXCHANGES: dict[str, Exchange] = {}


def exchange(function: Exchange) -> Exchange:
    """Register an exchange of several requests under its name."""
    EXCHANGES[function.__name__.replace("_", "-")] = function
    return function


def simple(name: str, method: str, target: str, *headers: tuple[str, str], body: bytes | None = None) -> None:
    """Register an exchange of one request."""
    EXCHANGES[name] = lambda client: [client.request(method, target, headers, body)]


for _name, _value in {
    "ascii": "Tom",
    "chinese": "王芳",
    "emoji": "🍜👨‍👩‍👧",
    "plus": "a+b c",
    "percent": "100% %2F",
    "markup": "<b>&amp;</b>",
}.items():
    simple(f"query-{_name}", "GET", f"/hello/?name={quote(_value, safe='')}")
    simple(f"path-{_name}", "GET", f"/hello/{quote(_value, safe='')}")
    simple(f"form-{_name}", "POST", "/welcome/post", FORM, body=urlencode({"name": _value}).encode())

simple("query-plus-is-a-space", "GET", "/hello/?name=a+b")
simple("query-repeated", "GET", "/welcome/get?name=one&name=two")
simple("query-blank", "GET", "/welcome/get?name=")
simple("query-key-alone", "GET", "/welcome/get?name")
simple("query-missing", "GET", "/welcome/get")
simple("query-encoded-key", "GET", "/welcome/get?n%61me=Tom")
simple("query-not-utf8", "GET", "/hello/?name=%FF")
simple("path-slash", "GET", "/hello/a%2Fb")
simple("path-double-slash", "GET", "/hello//x")
simple("path-leading-slashes", "GET", "//hello/?name=Tom")
simple("path-encoded-twice", "GET", "/hello/%252F")
simple("path-dots", "GET", "/hello/../welcome/get?name=Tom")
simple("path-not-utf8", "GET", "/hello/%FF")
simple("path-raw-utf8", "GET", "/hello/?name=%E7%8E%8B&x=1;y=2")
simple("redirect-to-the-slash", "GET", "/hello?name=Tom")
simple("redirect-to-the-login", "GET", "/admin/")
simple("query-for-the-login", "GET", "/dashboard/login/?next=/admin/")
simple("head", "HEAD", "/hello/?name=Tom")
simple("options", "OPTIONS", "/hello/")
simple("wrong-method", "DELETE", "/hello/")
simple("not-found", "GET", "/nothing/here")
simple("not-found-json", "GET", "/nothing/here", ("Accept", "application/json"))
simple("name-missing-json", "GET", "/hello/", ("Accept", "application/json"))
simple("jieba-sample", "GET", "/jieba/")
simple("jieba-query", "GET", f"/jieba/?text={quote('火锅味道很好,服务热情')}&topK=3")
simple("jieba-form", "POST", "/jieba/", FORM, body=urlencode({"text": "火锅味道很好"}).encode())
simple("jieba-json", "POST", "/jieba/", JSON, body='{"text": "火锅味道很好", "topK": 2}'.encode())
simple("jieba-too-long", "POST", "/jieba/", JSON, body=('{"text": "' + "好" * 20_001 + '"}').encode())
simple("jieba-bad-number", "GET", "/jieba/?topK=101")
simple("health", "GET", "/healthz")
simple("openapi", "GET", "/openapi.json")
simple("page", "GET", "/")
simple("page-english", "GET", "/", ("Accept-Language", "en"))
simple("page-with-compression-asked-for", "GET", "/", ("Accept-Encoding", "gzip, br"))
simple("headers-twice", "GET", "/", ("Accept-Language", "en"), ("Accept-Language", "fr"))
simple("header-with-underscores", "GET", "/hello/?name=Tom", ("X_Forwarded_Host", "evil.example"))
simple("other-host-claimed", "GET", "/admin/", ("X-Forwarded-Host", "evil.example"))
simple("static-style", "GET", "/static/admin/css/base.css")
simple("static-head", "HEAD", "/static/admin/css/base.css")
simple("static-picture", "GET", "/static/admin/img/icon-yes.svg")
simple("static-range", "GET", "/static/admin/css/base.css", ("Range", "bytes=0-9"))
simple("static-missing", "GET", "/static/nothing.css")
simple("submit-not-json", "POST", "/submitSurvey", JSON, body=b"{")
simple("submit-wrong-fields", "POST", "/submitSurvey", JSON, body=b'{"name": "", "satisfaction": 9}')
simple("submit-wrong-form", "POST", "/submitSurvey", FORM, body=b"name=%E7%8E%8B&satisfaction=9")
simple("submit-unknown-type", "POST", "/submitSurvey", ("Content-Type", "text/csv"), body=b"a,b")
simple("submit-empty", "POST", "/submitSurvey", JSON, body=b"")
simple("form-not-utf8", "POST", "/hello/", FORM, body=b"name=\xff\xfe")
simple("body-too-large", "POST", "/hello/", FORM, body=b"name=" + b"x" * 7_000_000)
simple("csrf-missing", "POST", "/dashboard/login/", FORM, body=b"username=a&password=b")
simple(
    "multipart",
    "POST",
    "/hello/",
    ("Content-Type", "multipart/form-data; boundary=cut"),
    body='--cut\r\nContent-Disposition: form-data; name="name"\r\n\r\n王芳\r\n--cut--\r\n'.encode(),
)


@exchange
def chunked_body(client: Client) -> list[Response]:
    """A body without Content-Length."""
    head = b"POST /hello/ HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n"
    body = b"Connection: close\r\n\r\n5\r\nname=\r\n3\r\nTom\r\n0\r\n\r\n"
    received = client.raw(head % (client.port, FORM[1].encode()) + body)
    # runserver takes the body for a second request; the first response counts.
    head, _, body = received.partition(b"\r\n\r\n")
    status = int(head.split()[1])
    return [Response(status, [], body.split(b"HTTP/1.1")[0])]


@exchange
def static_not_modified(client: Client) -> list[Response]:
    """A static file, then a conditional request with its date."""
    first = client.request("GET", "/static/admin/css/base.css")
    again = client.request("GET", "/static/admin/css/base.css", [("If-Modified-Since", first.header("last-modified"))])
    assert again.status == 304
    return [first, again]


@exchange
def submit_json(client: Client) -> list[Response]:
    """A submission as JSON."""
    body = '{"name": "王芳", "phone": "13800000000", "satisfaction": 5, "comment": "好吃 🍜"}'
    response = client.request("POST", "/submitSurvey", [JSON], body.encode())
    assert response.status == 201
    return [response]


@exchange
def submit_form(client: Client) -> list[Response]:
    """A submission as a form, and the thank-you page to which it redirects."""
    fields = {"name": "王芳", "phone": "13800000000", "satisfaction": "5"}
    response = client.request("POST", "/submitSurvey", [FORM], urlencode(fields).encode())
    assert response.status == 302
    return [response, client.request("GET", response.header("location"))]


@exchange
def admin_login(client: Client) -> list[Response]:
    """Log in with the cookies and the token of the form, look around, log out."""
    page = client.request("GET", "/dashboard/login/?next=/admin/")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[1]
    jar = page.cookies()
    origin = ("Origin", f"http://127.0.0.1:{client.port}")

    def send(method: str, target: str, fields: dict[str, str] | None = None) -> Response:
        headers = [("Cookie", "; ".join(f"{name}={value}" for name, value in jar.items()))]
        body = None
        if fields is not None:
            headers += [FORM, origin]
            body = urlencode(fields | {"csrfmiddlewaretoken": token}).encode()
        response = client.request(method, target, headers, body)
        jar.update(response.cookies())
        return response

    wrong = send("POST", "/dashboard/login/", {"next": "/admin/", "username": "chef", "password": "wrong"})
    right = send("POST", "/dashboard/login/", {"next": "/admin/", "username": "chef", "password": "a long secret"})
    assert right.status == 302
    assert {"sessionid", "csrftoken"} <= set(right.cookies())
    index = send("GET", "/admin/")
    assert index.status == 200
    listed = send("GET", "/admin/survey/submission/?q=%E4%B8%8D%E5%AD%98%E5%9C%A8")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', index.text)[1]
    out = send("POST", "/admin/logout/", {})
    assert send("GET", "/admin/").status == 302
    return [page, wrong, right, index, listed, out]


# Values that differ between two requests to the same server.
MASKS = [
    (re.compile(r"127\.0\.0\.1:\d+"), "HOST"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "UUID"),
    (re.compile(r'(<input[^>]*type="hidden"[^>]*value=")[^"]*'), r"\1MASKED"),
    (re.compile(r'(value=")[^"]*("[^>]*type="hidden")'), r"\1MASKED\2"),
    (re.compile(r"((?:csrftoken|sessionid|erase_token)=)[^;]*"), r"\1MASKED"),
    (re.compile(r"expires=[^;]*"), "expires=MASKED"),
    (re.compile(r'"id": \d+'), '"id": 0'),
    (re.compile(r'("(?:reference|erase_token)": ")[^"]*'), r"\1MASKED"),
    (re.compile(r"(/thanks/|[?&]reference=)[\w-]+"), r"\1MASKED"),
    (re.compile(r"(<a href=\"\?\">总共 )\d+"), r"\1MASKED"),
    (re.compile(r"(<\w+[^>]*class=\"[^\"]*reference[^\"]*\"[^>]*>)[^<]*"), r"\1MASKED"),
]
# The server's own headers, times, and the length, which masked bodies would make differ; it is checked by itself.
UNCOMPARED = {"date", "server", "connection", "expires", "content-length"}


def masked(text: str) -> str:
    for pattern, replacement in MASKS:
        text = pattern.sub(replacement, text)
    return text


def comparable(responses: list[Response]) -> list[object]:
    """Return what must be equal on every server."""
    return [
        (
            response.status,
            sorted((name, masked(value)) for name, value in response.headers if name not in UNCOMPARED),
            masked(response.body.decode("utf-8", "backslashreplace")),
        )
        for response in responses
    ]


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """One database for all servers, with a member of staff."""
    folder = tmp_path_factory.mktemp("parity")
    environ = VARIABLES | {"SQLITE_PATH": str(folder / "db.sqlite3"), "LEXICON_DIR": str(folder)}
    for command in (
        ["migrate", "--noinput", "-v0"],
        ["createsuperuser", "--noinput", "--username", "chef", "--email", "chef@example.com"],
    ):
        password = {"DJANGO_SUPERUSER_PASSWORD": "a long secret"}
        setup = Server(["manage.py", *command], environ | password)
        assert setup.process.wait(120) == 0, setup.err
        setup.stop()
    return environ


@pytest.fixture(scope="module")
def reference(variables: dict[str, str]) -> Iterator[dict[str, list[object]]]:
    """The responses of runserver."""
    server, client = runserver(variables)
    try:
        yield {name: comparable(converse(client)) for name, converse in EXCHANGES.items()}
    finally:
        server.stop()


def documented() -> dict[str, set[str]]:
    """Return the exchanges that differ by gateway, from the table in docs/gateway.md."""
    table = DOCUMENT.read_text(encoding="utf-8").split("<!-- differences -->")[1]
    differences: dict[str, set[str]] = {gateway: set() for gateway in GATEWAYS}
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) != 5 or not cells[0].startswith("`"):
            continue
        assert all(cells), f"a row without its source: {line}"
        for gateway in list(GATEWAYS) if cells[1] == "all" else cells[1].replace("`", "").split(", "):
            differences[gateway].add(cells[0].strip("`"))
    return differences


def config_without_the_shell(folder: Path) -> Path:
    path = folder / "serverless.yml"
    path.write_text("component: scf\nname: survey\ninputs: {timeout: 30, initTimeout: 60}\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_gateway_differs_from_runserver_only_as_documented(gateway, reference, variables, tmp_path):
    environ = [argument for name, value in variables.items() for argument in ("--env", f"{name}={value}")]
    config = config_without_the_shell(tmp_path)
    server = rungateway("--gateway", gateway, "--config", str(config), "--instances", "2", *environ)
    try:
        client = server.client()
        different = {}
        for name, converse in EXCHANGES.items():
            responses = converse(client)
            for response in responses:
                if response.all("content-length") and response.status not in (304,) and response.body:
                    assert int(response.header("content-length")) == len(response.body)
            if comparable(responses) != reference[name]:
                different[name] = (reference[name], comparable(responses))
    finally:
        server.stop()
    assert set(different) == documented()[gateway], {
        name: pair for name, pair in different.items() if name not in documented()[gateway]
    }


def test_every_documented_difference_is_about_an_exchange_that_is_made():
    assert set().union(*documented().values()) <= set(EXCHANGES)
