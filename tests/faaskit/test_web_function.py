"""A Web function behind the local gateway: what the platform adds, limits and streams, and several requests at once."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from faaskit.units import MEBIBYTE
from faaskit.web import bootstrap
from tests.support.eventually import eventually
from tests.support.local_servers import ROOT, Client, rungateway

pytestmark = pytest.mark.slow

# Every path that waits needs the others: one request at a time would never end.
APPLICATION = """
import os, threading, time
from flask import Flask, Response, request
app = Flask(__name__)
four, go_on = threading.Barrier(4), threading.Event()

@app.route("/echo", methods=["GET", "POST"])
def echo():
    environ = {key: value for key, value in request.environ.items() if isinstance(value, (str, int, bool, dict))}
    body = request.get_data().decode()
    return {"environ": environ, "body": body, "pid": os.getpid(), "url": request.url}

@app.get("/four/<nonce>")
def together(nonce):
    four.wait(30)
    return nonce

@app.get("/stream")
def stream():
    def lines():
        yield "first\\n"
        go_on.wait(30)
        yield "last\\n"
    return Response(lines(), mimetype="text/plain")

@app.get("/go-on")
def release():
    go_on.set()
    return "ok"

@app.get("/bytes")
def octets():
    return Response(bytes(range(256)), mimetype="image/png")

@app.get("/large/<int:size>")
def large(size):
    return Response(b"x" * size, mimetype="text/plain")

@app.get("/endless")
def endless():
    return Response((b"x" * 100_000 for _ in range(100)), mimetype="text/plain")

@app.get("/headers")
def headers():
    return Response("ok", headers={"X-Long": "x" * 5000})

@app.get("/hang")
def hang():
    threading.Event().wait(60)

@app.get("/die")
def die():
    os._exit(3)

@app.get("/raise")
def fail():
    raise ValueError("secret of the traceback")
"""
CONFIG = """
component: scf
name: echo
inputs:
  name: echo
  type: web
  timeout: 20
  instanceConcurrencyConfig: {enable: true, maxConcurrency: 4}
  environment: {variables: {WSGI_APPLICATION: "app:app"}}
  events:
    - timer: {parameters: {name: tick, cronExpression: '* * * * * * *', argument: nothing, enable: true}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "index.py", tmp_path)
    (tmp_path / "app.py").write_text(APPLICATION, encoding="utf-8")
    (tmp_path / "serverless.yml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


def echo(client: Client, *headers: tuple[str, str], target: str = "/echo", body: bytes | None = None) -> dict:
    return json.loads(client.request("POST" if body else "GET", target, headers, body).body)


def test_type_web_chooses_the_gateway_and_starts_scf_bootstrap(serve):
    server, _ = serve()
    assert "echo (scf_bootstrap) behind web at http://127.0.0.1:" in "".join(server.err)


def test_the_request_is_the_one_that_a_function_url_event_describes(serve):
    _, client = serve("--env", "PUBLIC_URL=https://survey.example.com")
    sent = [("X-Scf-Remote-Addr", "6.6.6.6"), ("X-Forwarded-For", "7.7.7.7"), ("X-Forwarded-Proto", "http")]
    sent += [("X_Forwarded_Proto", "http"), ("Proxy", "http://evil"), ("X-Scf-Secret-Key", "k")]
    seen = echo(client, *sent, target="/echo?a=1&a=%E4%BD%A0", body="你好".encode())
    environ = seen["environ"]
    assert (environ["REMOTE_ADDR"], environ["wsgi.url_scheme"]) == ("127.0.0.1", "https")
    assert environ["HTTP_HOST"] == f"127.0.0.1:{client.port}"  # as sent, not that of PUBLIC_URL
    assert seen["url"].startswith(f"https://127.0.0.1:{client.port}/echo?a=1&a=")
    assert seen["body"] == "你好"
    assert re.fullmatch(r"[0-9a-f-]{36}", environ["serverless.request_id"])
    assert environ["serverless.context"] == {"time_limit_in_ms": 20_000}
    assert environ["wsgi.multithread"] is True
    assert not {"HTTP_PROXY", "HTTP_X_SCF_SECRET_KEY"} & environ.keys()


def test_the_first_byte_arrives_before_the_last_one_is_made(serve):
    _, client = serve("--instances", "1")
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=60)
    connection.request("GET", "/stream")
    response = connection.getresponse()
    assert response.readline() == b"first\n"  # the application waits for the next request
    assert client.request("GET", "/go-on").text == "ok"
    assert response.read() == b"last\n"
    connection.close()


def test_four_requests_at_once_share_an_instance_and_a_fifth_waits(serve):
    server, client = serve("--instances", "1")
    with ThreadPoolExecutor(8) as threads:
        answers = threads.map(lambda nonce: client.request("GET", f"/four/{nonce}").text, range(8))
        assert list(answers) == [str(nonce) for nonce in range(8)]
    server.stop()  # its last line has been read then
    assert sum("Init Report" in line for line in server.out) == 1


def test_bytes_pass(serve):
    _, client = serve()
    response = client.request("GET", "/bytes")
    assert (response.header("content-type"), response.body) == ("image/png", bytes(range(256)))


def test_what_the_platform_does_not_carry_is_its_own_error(serve):
    server, client = serve("--instances", "1")
    assert client.request("GET", f"/large/{6 * MEBIBYTE}").status == 200
    for path in (f"/large/{6 * MEBIBYTE + 1}", "/headers"):
        response = client.request("GET", path)
        assert (response.status, json.loads(response.body)["errorCode"]) == (407, 407)
    assert client.request("POST", "/echo", body=b"x" * (6 * MEBIBYTE + 1)).status == 406
    with pytest.raises(http.client.IncompleteRead):  # nobody knew its length before
        client.request("GET", "/endless")
    eventually(lambda: any("the response was cut off" in line for line in server.out))


def test_a_late_request_ends_the_instance_and_the_next_one_gets_another(serve):
    server, client = serve("--timeout", "1", "--instances", "1")
    before = echo(client)["pid"]
    assert client.request("GET", "/hang").status == 433
    assert echo(client)["pid"] != before
    assert client.request("GET", "/die").status == 439
    eventually(lambda: any("439 Process exited with code 3" in line for line in server.out))


def test_an_error_of_the_application_is_the_one_of_the_event_function(serve):
    _, client = serve()
    response = client.request("GET", "/raise")
    assert response.status == 500
    assert "secret" not in response.text


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs SIGSTOP")
def test_an_instance_is_frozen_between_requests_and_goes_on(serve):
    _, client = serve("--freeze", "--instances", "1")
    pid = echo(client)["pid"]

    def is_stopped() -> bool:
        return re.search(r"^State:\s+T", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE) is not None

    for _ in range(3):
        eventually(is_stopped)
        assert echo(client)["pid"] == pid


def test_timers_run_in_the_event_function(serve):
    server, _ = serve(timers=True)
    eventually(lambda: any("timer tick" in line for line in server.out))


def test_an_application_that_does_not_start_is_one_sentence(folder):
    (folder / "app.py").write_text("raise RuntimeError('no start')", encoding="utf-8")
    server = rungateway("--no-timers", folder=folder)
    assert server.process.wait(60) == 1
    server.stop()
    assert "scf_bootstrap cannot be started: Process exited with code 1." in "".join(server.err)


def test_memory_is_held(serve):
    server, client = serve("--memory", "64", "--instances", "1")
    if "held by cgroup" not in "".join(server.err):
        pytest.skip("no memory cgroup can be made here")
    pid = echo(client)["pid"]
    limits = [
        int(path.read_text())
        for path in Path("/sys/fs/cgroup").glob("**/rungateway-*/memory.limit_in_bytes")
        if str(pid) in (path.parent / "cgroup.procs").read_text().split()
    ]
    assert limits in ([64 * MEBIBYTE], [])  # []: version 2


def test_the_project_may_bring_a_bootstrap_of_its_own(folder, serve):
    own = '#!/bin/bash\nexec "$FUNCTION_PYTHON" -m flask --app app run --port "$FUNCTION_PORT"\n'
    (folder / bootstrap.NAME).write_text(own, encoding="utf-8")
    _, client = serve()
    assert client.request("GET", "/bytes").status == 200


def test_reload_serves_the_new_code(folder, serve):
    _, client = serve("--reload")
    assert client.request("GET", "/go-on").text == "ok"
    changed = APPLICATION.replace('return "ok"', 'return "new"')
    (folder / "app.py").write_text(changed, encoding="utf-8")
    eventually(lambda: client.request("GET", "/go-on").text == "new")


def test_options_that_do_not_fit_a_web_function_are_one_sentence(folder):
    server = rungateway("--debug", "--gateway", "web", folder=folder)
    assert server.process.wait(60) == 1
    server.stop()
    assert "terminal" in "".join(server.err) or "takes no --debug" in "".join(server.err)


def test_the_bootstrap_is_as_the_platform_wants_it(tmp_path):
    bootstrap.write(tmp_path, "3.10", 4)
    file = tmp_path / bootstrap.NAME
    content = file.read_bytes()
    assert content.startswith(b"#!/bin/bash\n")
    assert content.endswith(b"\n")
    assert b"\r" not in content
    assert b"/var/lang/python310/bin/python3.10" in content
    assert b":-9000}" in content
    assert stat.S_IMODE(file.stat().st_mode) == 0o755
    assert (tmp_path / "web_function.py").is_file()


def test_a_bootstrap_of_the_projects_own_keeps_its_lines_and_gets_its_mode(tmp_path):
    file = tmp_path / bootstrap.NAME
    file.write_bytes(b"#!/bin/bash\r\nexec ./serve")
    bootstrap.write(tmp_path, "3.10", 4)
    assert file.read_bytes() == b"#!/bin/bash\nexec ./serve\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o755
    assert not (tmp_path / "web_function.py").exists()


def test_no_instance_is_left_behind(serve):
    server, client = serve()
    pid = echo(client)["pid"]
    client.request("GET", "/bytes")
    assert server.stop() == 0
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
