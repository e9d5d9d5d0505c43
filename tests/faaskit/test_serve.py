"""The gateway as its user meets it: starting, stopping, reports, timers, reload, other frameworks, many at once."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from faaskit import project
from faaskit.units import MEBIBYTE
from tests.support.eventually import eventually
from tests.support.local_servers import ROOT, Client, Server, rungateway

pytestmark = pytest.mark.slow

ECHO = """
import json, os, time
import index_part
def handler(event, context):
    if event.get("Type") == "Timer":
        with open(os.environ["TIMER_FILE"], "a") as file:
            file.write(event["Message"] + "\\n")
        return None
    if event["path"] == "/die":
        os._exit(1)
    if event["path"] == "/raise":
        raise ValueError("secret of the traceback")
    if event["path"] == "/hang":
        time.sleep(3600)
    if event["path"] == "/malformed":
        return {"status": 200}
    if event["path"] == "/base64":
        return {"statusCode": 200, "isBase64Encoded": True, "headers": {}, "body": "aGk="}
    body = {"event": event, "pid": os.getpid(), "part": index_part.VALUE, "environ": dict(os.environ)}
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": json.dumps(body)}
"""

CONFIG = """
component: scf
name: echo
inputs:
  name: echo
  handler: index.handler
  timeout: 20
  environment:
    variables:
      GREETING: ${env:GREETING_OF_THE_TEST}
      FROM_THE_FILE: yes it is
      TIMER_FILE: %s
  events:
    - timer: {parameters: {name: every-second, cronExpression: '* * * * * * *', argument: tick, enable: true}}
    - timer: {parameters: {name: off-duty, cronExpression: '* * * * * * *', argument: never}}
"""

APPLICATION = """
from flask import Flask, redirect, request
app = Flask(__name__)

@app.route("/hello/<name>")
def hello(name):
    return f"hello {name}"

@app.post("/form")
def form():
    return request.form["name"]

@app.get("/away")
def away():
    return redirect("/hello/you")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A function that returns its event and environment."""
    (tmp_path / "index.py").write_text(ECHO, encoding="utf-8")
    (tmp_path / "index_part.py").write_text("VALUE = 'old'\n", encoding="utf-8")
    (tmp_path / "serverless.yml").write_text(CONFIG % (tmp_path / "ticks"), encoding="utf-8")
    return tmp_path


def body(client: Client, target: str, *headers: tuple[str, str]) -> dict:
    return json.loads(client.request("GET", target, headers).body)


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def children(parent: int) -> list[int]:
    """Return the children of a process."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it ended meanwhile
            continue
        if int(fields[1]) == parent:
            found.append(int(entry.name))
    return found


def refused(*arguments: str, folder: Path, **environ: str) -> str:
    """Run a gateway that cannot start; return its standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "faaskit", "serve", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    return done.stderr


def test_a_port_in_use_is_one_sentence(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert refused(str(port), folder=folder) == f"127.0.0.1:{port} cannot be served: Address already in use.\n"


@pytest.mark.parametrize("address", ["here", "1.2.3.4:x", "99999"])
def test_a_malformed_address_is_one_sentence(folder, address):
    assert refused(address, folder=folder).startswith(f"{address} is not an address")


@pytest.mark.parametrize("host", ["nosuch.invalid", "é" * 70])
def test_an_unknown_host_is_one_sentence(folder, host):
    printed = refused(f"{host}:9000", folder=folder)
    assert re.fullmatch(rf"{host}:9000 (cannot be served|is not an address): [A-Z \[w].*\.\n", printed)
    assert "Unknown error" not in printed


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--memory", "-5", "it must be 0 (no limit) or more MB"),
        ("--idle", "-1", "it must be 0 seconds or more"),
        ("--idle", "nan", "it must be 0 seconds or more"),
    ],
)
def test_a_number_below_zero_is_one_sentence(folder, option, value, sentence):
    assert refused("0", option, value, folder=folder) == f"{option} {value}: {sentence}.\n"


@pytest.mark.parametrize("seconds", ["0", "-1", "nan"])
def test_a_timeout_of_0_or_less_is_one_sentence(folder, seconds):
    printed = refused("0", "--timeout", seconds, folder=folder)
    assert printed == f"--timeout {seconds}: it must be above 0 seconds.\n"


def test_a_broken_index_is_its_traceback_and_one_sentence(folder):
    (folder / "index.py").write_text("def handler(:\n", encoding="utf-8")
    lines = refused("0", folder=folder).splitlines()
    assert lines[-1].startswith("index.handler cannot be started: SyntaxError: ")
    assert "(index.py, line 1)" in lines[-1]


def test_a_bad_serverless_yml_is_one_sentence(folder):
    (folder / "serverless.yml").write_text("inputs: [", encoding="utf-8")
    printed = refused("0", folder=folder)
    assert re.fullmatch(r".*serverless\.yml cannot be read: .*\n", printed)


def test_the_same_sentences_through_manage_py(folder):
    done = subprocess.run(
        [sys.executable, "manage.py", "rungateway", "0", "--folder", str(folder), "--env", "x"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "CommandError: --env x: write NAME=VALUE.\n")


def test_the_environment_is_the_functions_and_what_is_missing_is_reported(serve, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_SHELL", "x")
    server, client = serve("--env", "ADDED=here")
    environ = body(client, "/")["environ"]
    assert (environ["FROM_THE_FILE"], environ["ADDED"]) == ("yes it is", "here")
    assert (environ["TENCENTCLOUD_RUNENV"], environ["SCF_FUNCTIONNAME"]) == ("SCF", "echo")
    assert environ["PUBLIC_URL"] == f"http://127.0.0.1:{client.port}"
    assert environ["SQLITE_PATH"].endswith("db.sqlite3")
    assert len(environ["SECRET_KEY"]) >= 50
    assert not {"GREETING", "SECRET_OF_THE_SHELL"} & set(environ)
    printed = "".join(server.err)
    assert "not set, so left out: ${env:GREETING_OF_THE_TEST}" in printed
    assert "set for this machine: PUBLIC_URL, SECRET_KEY, SQLITE_PATH" in printed


def test_many_unset_variables_are_counted(serve, folder):
    lines = "".join(f"      UNSET_{number}: ${{env:UNSET_{number}}}\n" for number in range(6))
    file = folder / "serverless.yml"
    file.write_text(file.read_text(encoding="utf-8").replace("    variables:\n", f"    variables:\n{lines}"))
    server, _ = serve()
    assert "not set, so left out: 7 variables of serverless.yml\n" in "".join(server.err)


def test_a_variable_of_the_shell_is_taken_where_the_file_asks_for_it(serve, monkeypatch):
    monkeypatch.setenv("GREETING_OF_THE_TEST", "hello")
    _, client = serve()
    assert body(client, "/")["environ"]["GREETING"] == "hello"


def test_the_event_has_the_request_as_it_was_on_the_wire(serve):
    _, client = serve("--gateway", "aws-rest", "--gateway-stage", "test")
    event = body(client, "//a%2Fb/%E7%8E%8B?x=1&x=2", ("X-Twice", "one"), ("X-Twice", "two"), ("Name", "王"))["event"]
    assert event["path"] == "//a%2Fb/%E7%8E%8B"
    assert event["multiValueHeaders"]["X-Twice"] == ["one", "two"]
    assert event["multiValueHeaders"]["Name"] == ["王"]
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"]}
    assert event["requestContext"]["stage"] == "test"
    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("http://h.example?x=1", "/", {"x": "1"}),
        ("http://h.example/a?x=http://other/", "/a", {"x": "http://other/"}),
        ("http://h.example", "/", {}),
        ("/a?x=http://other/b", "/a", {"x": "http://other/b"}),
    ],
)
def test_a_target_in_absolute_form_keeps_its_path_and_query(serve, target, path, query):
    _, client = serve()
    event = body(client, target)["event"]
    assert (event["path"], event["queryString"]) == (path, query)


def test_a_malformed_chunked_body_is_400(serve):
    server, client = serve()
    head = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    for chunks in (b"no number\r\n", b"-5\r\n", b"3\r\nabcdef\r\n0\r\n\r\n"):
        response = client.raw(head + chunks)
        assert response.startswith(b"HTTP/1.1 400 Bad Request\r\n")
        assert b"The request's body cannot be read: " in response
    assert json.loads(client.raw(head + b"3\r\nabc\r\n0\r\n\r\n").partition(b"\r\n\r\n")[2])["event"]["body"] == "abc"
    server.stop()
    assert "Traceback" not in "".join(server.err)


def test_a_query_that_the_client_did_not_encode_arrives_whole(serve):
    """In UTF-8 删 ends in A0 and 入 has 85 in its middle: both are white space in latin-1."""
    _, client = serve()
    target = "/删?text=删入".encode()
    response = client.raw(b"GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n" % target)
    event = json.loads(response.partition(b"\r\n\r\n")[2])["event"]
    assert (event["path"], event["queryString"]) == ("/%E5%88%A0", {"text": "删入"})


@pytest.mark.parametrize("gateway", ["function-url", "fc"])
def test_chinese_may_fill_the_limit_as_other_text_does(folder, serve, gateway):
    """A character of three bytes is three bytes of the event, not six."""
    (folder / "index.py").write_text("def handler(event, context):\n    return {'statusCode': 201}\n", encoding="utf-8")
    _, client = serve("--gateway", gateway)
    for size, status in ((6 * MEBIBYTE - 4096, 201), (6 * MEBIBYTE, 413 if gateway == "fc" else 406)):
        assert client.request("POST", "/", body="王".encode() * (size // 3)).status == status


def test_failures_get_the_platforms_responses_and_are_reported(serve):
    server, client = serve("--timeout", "0.5", "--json")
    responses = {path: client.request("GET", path) for path in ("/raise", "/die", "/hang", "/malformed", "/base64")}
    assert [response.status for response in responses.values()] == [430, 439, 433, 403, 200]
    failure = json.loads(responses["/hang"].body)
    assert failure["errorMessage"] == "Invoking task timed out after 0.5 seconds"
    assert json.loads(responses["/malformed"].body)["errno"] == 403
    assert responses["/base64"].body == b"aGk="
    server.stop()
    *reports, last = [json.loads(line) for line in server.out]
    assert [report["code"] for report in reports] == [430, 439, 433, 200, 200]
    assert reports[2]["request_id"] == failure["requestId"]
    assert "statusCode is None" in reports[3]["note"]
    assert "does not decode" in reports[4]["note"]
    assert last["summary"]["invocations"] == 5
    assert last["summary"]["failed"] == 3
    assert last["summary"]["cold_starts"] == 3


def test_a_report_has_the_fields_of_the_platforms_log_and_no_query(serve):
    server, client = serve("--memory", "0")
    client.request("GET", "/path?name=personal")
    client.request("GET", "/path?name=personal")
    server.stop()
    cold, first, second, summary = server.out
    identity = r"RequestId: [0-9a-f-]{36}"
    assert re.fullmatch(rf"Init Report {identity} Coldstart:[\d.]+ms Instance:\d+\n", cold)
    report = rf"Report {identity} GET /path 200 Duration:[\d.]+ms BilledDuration:\d+ms Memory:0MB MemUsage:[\d.]+MB\n"
    assert re.fullmatch(report, first)
    assert re.fullmatch(report, second)
    assert re.match(r"Summary invocations:2 failed:0 cold_starts:1 gb_seconds:[\d.]+ p50_ms:", summary)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_control_c_ends_every_instance_without_a_trace(serve, number):
    server, client = serve("--instances", "2", "--freeze")
    body(client, "/")
    with (
        socket.create_connection(("127.0.0.1", client.port)) as busy,
        socket.create_connection(("127.0.0.1", client.port)) as too,
    ):
        for connection in (busy, too):
            connection.sendall(b"GET /hang HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        eventually(lambda: len(children(server.process.pid)) == 2)
        pids = children(server.process.pid)
        assert server.stop(number) == 0
    eventually(lambda: all(map(gone, pids)))
    assert "Traceback" not in "".join(server.err)
    assert server.out[-1].startswith("Summary ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_copy_of_the_database_that_strict_makes_is_removed_at_the_end(serve, folder, number, monkeypatch):
    temporary = folder / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    sqlite3.connect(folder / "db.sqlite3").close()
    server, client = serve("--strict")
    copy = Path(body(client, "/")["environ"]["SQLITE_PATH"])
    assert (copy.is_file(), copy.parent.parent) == (True, temporary)
    assert server.stop(number) == 0
    assert list(temporary.iterdir()) == []


def test_a_change_of_the_code_restarts_the_instances(serve, folder):
    server, client = serve("--reload")
    assert body(client, "/")["part"] == "old"
    # Written until the watcher, which starts beside the server, has seen a change.
    eventually(
        lambda: (folder / "index_part.py").write_text("VALUE = 'renewed'\n") and body(client, "/")["part"] == "renewed"
    )
    server.stop()  # its last line has been read then
    assert any("index_part.py changed" in line for line in server.err)


def test_reload_without_watchfiles_is_one_sentence(folder):
    blocked = "import sys; sys.modules['watchfiles'] = None; from faaskit.cli import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-c", blocked, "serve", "0", "--reload"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "--reload needs watchfiles: run 'pip install watchfiles'.\n")
    assert "needs `watchfiles`" in (ROOT / "docs" / "faaskit.md").read_text(encoding="utf-8")


def test_timers_run_at_their_times_unless_left_out_or_off(serve, folder):
    server, _ = serve(timers=True)
    ticks = folder / "ticks"
    eventually(lambda: ticks.exists() and ticks.read_text().count("tick\n") >= 2)
    server.stop()
    assert "never" not in ticks.read_text()
    assert any("timer every-second" in line for line in server.out)


def test_a_flask_folder_needs_only_index_and_serverless_yml(tmp_path):
    """In a folder without Django's settings; the interpreter may import neither settings nor survey."""
    (tmp_path / "application.py").write_text(APPLICATION, encoding="utf-8")
    (tmp_path / "index.py").write_text((ROOT / "index.py").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "serverless.yml").write_text(
        "inputs: {environment: {variables: {WSGI_APPLICATION: 'application:app'}}}\n", encoding="utf-8"
    )
    assert_flask_responds(rungateway(folder=tmp_path))


def test_a_flask_folder_without_serverless_yml_reports_its_defaults(tmp_path):
    """As in README: index.py and faaskit/ are copied, the rest of this project is out of reach."""
    (tmp_path / "application.py").write_text(APPLICATION, encoding="utf-8")
    shutil.copy(ROOT / "index.py", tmp_path)
    shutil.copytree(ROOT / "faaskit", tmp_path / "faaskit")
    options = ["--env", "WSGI_APPLICATION=application:app"]
    server = Server(["-m", "faaskit", "serve", "0", *options], {"PYTHONPATH": ""}, tmp_path)
    assert_flask_responds(server)
    notes = "".join(server.err).splitlines()
    assert "  no serverless.yml: index.main_handler with the platform's defaults, variables from --env alone" in notes
    assert "  timeout: 3 s" in notes


def test_a_config_that_is_named_must_exist(folder):
    printed = refused("0", "--config", "other.yml", folder=folder)
    assert printed == "other.yml does not exist: it describes the function.\n"


def test_the_gateway_loads_the_packages_that_the_distribution_requires():
    code = "import sys, faaskit.local.serve, faaskit.local.invoke; print(*{n.partition('.')[0] for n in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    modules = set(done.stdout.split())
    files = [(ROOT / name).read_text(encoding="utf-8") for name in ("requirements-dev.txt", "requirements-deploy.txt")]
    # Not those with a marker: they may not be installed here.
    pinned = {name.lower() for name in re.findall(r"^([\w-]+)==[^;\n]+$", "".join(files), re.MULTILINE)}
    loaded = {name for name in pinned if modules & {file.parts[0] for file in importlib.metadata.files(name)}}
    metadata = project.tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    required = [*metadata["dependencies"], *metadata["optional-dependencies"]["local"]]
    names = {re.match(r"[\w-]+", entry)[0].lower() for entry in required if ";" not in entry}
    # Imported on use: watchfiles for --reload, waitress by the server of a Web function.
    assert names - {"watchfiles", "waitress"} == loaded


def assert_flask_responds(server: Server) -> None:
    try:
        client = server.client()
        form = ("Content-Type", "application/x-www-form-urlencoded")
        assert client.request("GET", "/hello/%E7%8E%8B").text == "hello 王"
        assert client.request("POST", "/form", [form], b"name=%E8%8A%B3").text == "芳"
        assert client.request("GET", "/away").header("location").endswith("/hello/you")
        assert client.request("GET", "/nothing").status == 404
    finally:
        assert server.stop() == 0


def test_the_development_side_imports_neither_settings_nor_survey_nor_django():
    modules = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, faaskit.local.serve, faaskit.local.invoke; print(*sys.modules)",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not [name for name in modules if name.split(".")[0] in ("django", "survey") or name == "mydjango.settings"]


def test_300_clients_at_once_each_get_their_own_response(serve):
    """1,500 requests by 300 clients through eight instances: none wrong, lost or crossed."""
    server, client = serve("--instances", "8", "--json")
    together = threading.Barrier(300)

    def request(number: int) -> set[int]:
        together.wait(60)
        pids = set()
        for turn in range(5):
            nonce = f"{number}-{turn}"
            response = client.request("GET", f"/?nonce={nonce}", [("X-Nonce", nonce)])
            content = json.loads(response.body)
            assert content["event"]["queryString"] == {"nonce": nonce}
            assert content["event"]["headers"]["x-nonce"] == nonce
            pids.add(content["pid"])
        return pids

    with ThreadPoolExecutor(300) as clients:
        pids = set().union(*clients.map(request, range(300)))
    server.stop()
    assert 1 <= len(pids) <= 8
    summary = json.loads(server.out[-1])["summary"]
    assert (summary["invocations"], summary["failed"]) == (1500, 0)
