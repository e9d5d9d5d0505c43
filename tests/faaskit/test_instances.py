"""Instances serve one event at a time, are held to time and memory, and are ended and replaced as on the platform."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from faaskit.gateways.invocation import Invocation
from faaskit.gateways.platforms import FC, LAMBDA, SCF
from faaskit.local import memory_limit, sandbox
from faaskit.local.instance import Launch
from faaskit.local.instance_pool import InstancePool
from faaskit.units import MEBIBYTE
from tests.support.eventually import eventually

pytestmark = pytest.mark.slow

HANDLER = """
import os, subprocess, sys, threading, time
busy = threading.Lock()
def handler(event, context):
    if isinstance(event, bytes):
        return {"bytes": event.decode(), "request_id": context.request_id}
    do = event.get("do")
    if do == "raise":
        raise ValueError("broken on purpose")
    if do == "exit":
        sys.exit(3)
    if do == "die":
        os._exit(7)
    if do == "hang":
        time.sleep(3600)
    if do == "swallow":
        held = [b"x" * 1_000_000 for _ in range(event["megabytes"])]
        return len(held)
    if do == "child":
        return subprocess.Popen(["sleep", "3600"]).pid
    if do == "large":
        return "x" * event["bytes"]
    if do == "write":
        try:
            open("written", "w").close()
        except OSError as error:
            return type(error).__name__
        return "written"
    if do == "environ":
        return dict(os.environ)
    if do == "remaining":
        return context.get_remaining_time_in_millis()
    if do == "meet":
        assert busy.acquire(blocking=False), "two at once"
        other = os.path.join(event["folder"], event["name"])
        open(other, "w").close()
        while len(os.listdir(event["folder"])) < event["instances"]:
            time.sleep(0.001)
        busy.release()
    return {"pid": os.getpid(), "nonce": event.get("nonce"), "context": context}
"""


@pytest.fixture
def launch(tmp_path: Path) -> Launch:
    """A function of its own in a folder of its own."""
    (tmp_path / "function.py").write_text(HANDLER, encoding="utf-8")
    variables = {"PATH": os.environ["PATH"], "GREETING": "hello"}
    return Launch(tmp_path, "function.handler", SCF, variables, memory=0, timeout=60)


@pytest.fixture
def pool_of():
    """Make pools, and close them at the end."""
    pools = []

    def make(launch: Launch, size: int = 1, idle: float = 300) -> InstancePool:
        pools.append(InstancePool(launch, size, idle))
        return pools[-1]

    yield make
    for pool in pools:
        pool.close()


def run(pool: InstancePool, **event: object) -> Invocation:
    invocation = Invocation()
    context = {"request_id": invocation.request_id, "time_limit_in_ms": 60_000}
    pool.run_event(invocation, json.dumps(event).encode(), context)
    return invocation


def gone(pid: int) -> bool:
    """Return whether a process has ended; a zombie has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_an_instance_is_started_on_demand_and_used_again(launch, pool_of):
    pool = pool_of(launch)
    assert pool.count() == 0
    first, second = run(pool), run(pool)
    assert (first.cold, second.cold) == (True, False)
    assert first.init > 0
    assert first.peak > 1_000_000
    assert first.result["pid"] == second.result["pid"]
    assert first.result["context"]["request_id"] == first.request_id


def test_a_trial_start_leaves_the_first_event_cold(launch, pool_of):
    pool = pool_of(launch)
    assert pool.try_start().code == 200
    assert pool.count() == 0
    assert run(pool).cold


def test_an_instance_sees_only_the_functions_variables(launch, pool_of, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_SHELL", "x")
    seen = run(pool_of(launch), do="environ").result
    assert seen["GREETING"] == "hello"
    assert "SECRET_OF_THE_SHELL" not in seen


def test_each_instance_serves_one_request_at_a_time(launch, pool_of, tmp_path):
    """All four must be in their handlers together for any of them to return."""
    folder = tmp_path / "met"
    folder.mkdir()
    pool = pool_of(launch, size=4)

    def meet(number: int) -> int:
        event = {"do": "meet", "folder": str(folder), "instances": 4, "name": str(number), "nonce": number}
        invocation = run(pool, **event)
        assert invocation.result["nonce"] == number
        return invocation.result["pid"]

    with ThreadPoolExecutor(12) as threads:
        pids = Counter(threads.map(meet, range(12)))
    assert len(pids) == 4
    assert sum(pids.values()) == 12


def test_an_exception_is_430_and_the_instance_stays(launch, pool_of, capfd):
    pool = pool_of(launch)
    pid = run(pool).result["pid"]
    invocation = run(pool, do="raise")
    assert (invocation.code, invocation.error) == (430, "ValueError: broken on purpose")
    assert "Traceback" in capfd.readouterr().err
    assert run(pool).result["pid"] == pid


@pytest.mark.parametrize(("do", "status"), [("exit", 3), ("die", 7)])
def test_an_instance_that_ends_is_439_and_is_replaced(launch, pool_of, do, status):
    pool = pool_of(launch)
    pid = run(pool).result["pid"]
    invocation = run(pool, do=do)
    assert (invocation.code, invocation.error) == (439, f"Process exited with code {status}")
    successor = run(pool)
    assert successor.cold
    assert successor.result["pid"] != pid


def test_an_instance_that_died_while_idle_is_replaced(launch, pool_of):
    pool = pool_of(launch)
    pid = run(pool).result["pid"]
    os.kill(pid, 9)
    eventually(lambda: gone(pid))
    assert run(pool).cold


def test_a_late_result_is_433_and_the_instance_is_ended(launch, pool_of):
    pool = pool_of(replace(launch, timeout=0.3))
    pid = run(pool).result["pid"]
    invocation = run(pool, do="hang")
    assert (invocation.code, invocation.error) == (433, "Invoking task timed out after 0.3 seconds")
    assert gone(pid)
    assert run(pool).code == 200


def test_a_request_that_waits_gets_the_successor_of_an_ended_instance(launch, pool_of):
    pool = pool_of(replace(launch, timeout=0.3))
    with ThreadPoolExecutor(3) as threads:
        codes = sorted(threads.map(lambda do: run(pool, do=do).code, ["hang", "die", None]))
    assert codes == [200, 433, 439]


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import nothing_of_that_name", "ModuleNotFoundError: No module named 'nothing_of_that_name'"),
        ("def handler(", "SyntaxError"),
        ("x = 1", "AttributeError: module 'function' has no attribute 'handler'"),
        ("raise SystemExit(4)", "Process exited with code 4"),
    ],
)
def test_a_handler_that_cannot_be_imported_is_443(launch, pool_of, source, error):
    (launch.folder / "function.py").write_text(source, encoding="utf-8")
    pool = pool_of(launch)
    for _ in range(2):
        invocation = run(pool)
        assert invocation.code == 443
        assert invocation.error.startswith(error)
        assert "\n" not in invocation.error
    assert pool.count() == 0


def test_an_interpreter_that_is_missing_is_443(launch, pool_of):
    assert run(pool_of(replace(launch, python="/nowhere/python"))).code == 443


def test_idle_instances_are_stopped(launch, pool_of):
    pool = pool_of(launch, idle=0.01)
    pid = run(pool).result["pid"]
    eventually(lambda: pool.count() == 0)
    assert gone(pid)
    assert run(pool).cold


def test_a_restart_replaces_the_instances(launch, pool_of):
    pool = pool_of(launch)
    first = run(pool).result["pid"]
    pool.restart()
    second = run(pool)
    assert second.cold
    assert gone(first)


def test_closing_ends_every_instance_and_its_children_even_a_busy_one(launch):
    pool = InstancePool(launch, 3)
    pid, child = run(pool).result["pid"], run(pool, do="child").result
    busy = threading.Thread(target=run, args=(pool,), kwargs={"do": "hang"})
    busy.start()
    eventually(lambda: not pool._idle)
    pool.close()
    busy.join()
    assert gone(pid)
    eventually(lambda: gone(child))
    assert pool.count() == 0


@pytest.mark.parametrize(("size", "code"), [(6_000_000, 200), (6 * MEBIBYTE, 406)])
def test_an_event_over_6_mb_is_406(launch, pool_of, size, code):
    assert run(pool_of(launch), text="x" * size).code == code


@pytest.mark.parametrize(("size", "code"), [(6 * MEBIBYTE - 2, 200), (6 * MEBIBYTE - 1, 407)])
def test_a_result_over_6_mb_is_407(launch, pool_of, size, code):
    assert run(pool_of(launch), do="large", bytes=size).code == code


def test_aliyun_hands_over_bytes_and_an_object(launch, pool_of):
    result = run(pool_of(replace(launch, platform=FC)), a=1).result
    assert json.loads(result["bytes"]) == {"a": 1}
    assert result["request_id"]


def test_aws_context_knows_the_remaining_time(launch, pool_of):
    assert 0 < run(pool_of(replace(launch, platform=LAMBDA)), do="remaining").result <= 60_000


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_frozen_instance_is_stopped_between_requests(launch, pool_of):
    pool = pool_of(replace(launch, freeze=True))
    pid = run(pool).result["pid"]

    def state() -> str:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]

    eventually(lambda: state() == "T")
    again = run(pool)
    assert (again.cold, again.result["pid"]) == (False, pid)
    eventually(lambda: state() == "T")


def test_more_memory_than_the_limit_is_434(launch, pool_of):
    group = memory_limit.cgroup(64)
    if group is None:
        pytest.skip("no memory cgroup can be made here: it needs root")
    group.close()
    pool = pool_of(replace(launch, memory=64))
    assert run(pool, do="swallow", megabytes=10).code == 200
    invocation = run(pool, do="swallow", megabytes=100)
    assert (invocation.code, invocation.error) == (434, "Memory limit of 64 MB exceeded")
    assert run(pool).code == 200
    folders = [instance.memory_group.folder for instance in pool._alive]
    pool.close()
    assert not any(folder.exists() for folder in folders)


def test_read_only_code_cannot_be_written(launch, pool_of):
    if not sandbox.read_only_possible(launch.folder):
        pytest.skip("no mount namespace can be made here")
    assert run(pool_of(replace(launch, read_only=True)), do="write").result == "OSError"
    assert run(pool_of(launch), do="write").result == "written"


def test_an_instance_ends_with_its_gateway(launch, tmp_path):
    """Also a frozen one, and also when the gateway is killed."""
    script = tmp_path / "gateway.py"
    script.write_text(
        "import json, os, sys, pickle\n"
        "from faaskit.local.instance_pool import InstancePool\n"
        "from faaskit.local.instance import Invocation\n"
        "pool = InstancePool(pickle.loads(bytes.fromhex(sys.argv[1])), 1)\n"
        "invocation = Invocation()\n"
        "pool.run_event(invocation, b'{}', {})\n"
        "print(invocation.result['pid'], flush=True)\n"
        "os.kill(os.getpid(), 9)\n",
        encoding="utf-8",
    )
    import pickle
    import subprocess

    frozen = pickle.dumps(replace(launch, freeze=True)).hex()
    environ = os.environ | {"PYTHONPATH": str(Path.cwd())}
    output = subprocess.run(
        [sys.executable, str(script), frozen], capture_output=True, text=True, env=environ, check=False
    ).stdout
    eventually(lambda: gone(int(output)))
