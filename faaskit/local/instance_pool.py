"""The instances of one function: started on demand, up to a number, stopped when they are late or idle."""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from faaskit.gateways.invocation import EVENT_TOO_LARGE, IMPORT_ERROR, PROCESS_EXIT, RESULT_TOO_LARGE, Invocation
from faaskit.local.instance import Instance, Launch

WATCH_EVERY = 0.05  # seconds: how late a timeout may be noticed


class InstancePool:
    """Up to `size` instances of one function. A request waits in line where all are busy."""

    def __init__(self, launch: Launch, size: int = 1, idle: float = 300) -> None:
        self.launch = launch
        self.size = size
        self.idle_seconds = idle
        self._lock = threading.Lock()
        self._idle: list[Instance] = []  # the last used at the end: it is used next, so that the others may expire
        self._alive: set[Instance] = set()
        self._slots = 0  # instances, and those about to be started
        self._waiting: deque[Future[Instance | None]] = deque()
        self._number = 0
        self._closed = threading.Event()
        # Linux ends a child with the *thread* that started it (setpriv): so one thread that lives long starts all.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="starter")
        self._watch = threading.Thread(target=self._watch_for_ever, name="instances", daemon=True)
        self._watch.start()

    def invoke(self, invocation: Invocation, event: bytes, context: dict[str, Any]) -> None:
        """Run one event in a free instance, in a new one, or in the next that becomes free."""
        if len(event) > self.launch.platform.request_limit:
            invocation.code = EVENT_TOO_LARGE
            invocation.error = f"The event is {len(event)} bytes; the limit is {self.launch.platform.request_limit}"
            return
        instance = self._acquire(invocation)
        if instance is None:
            return
        usable = False
        try:
            usable = instance.invoke(invocation, event, context)
        finally:
            self._release(instance, usable)
        if len(invocation.output) > self.launch.platform.result_limit:
            invocation.code = RESULT_TOO_LARGE
            invocation.error = (
                f"The result is {len(invocation.output)} bytes; the limit is {self.launch.platform.result_limit}"
            )

    def _acquire(self, invocation: Invocation) -> Instance | None:
        """An instance for this thread alone; None, with the reason in the invocation, where none can be started."""
        given = waiter = None
        with self._lock:
            if self._idle:
                given = self._idle.pop()
            elif self._slots < self.size:
                self._slots += 1
            else:
                waiter = Future[Instance | None]()
                self._waiting.append(waiter)
        if waiter:
            given = waiter.result()
        if given and given.died():  # while it was idle: a new one takes its slot
            self._forget(given)
            given = None
        return given or self._start(invocation)

    def _start(self, invocation: Invocation) -> Instance | None:
        if self._closed.is_set():
            invocation.code, invocation.error = PROCESS_EXIT, "The instances are being ended"
            self._give_slot_back()
            return None
        with self._lock:
            self._number += 1
            number, launch = self._number, self.launch
        try:
            instance = Instance(launch, number, lambda spawn: self._starter.submit(spawn).result())
        except OSError as error:
            invocation.code, invocation.error = IMPORT_ERROR, f"No instance can be started: {error}"
            self._give_slot_back()
            return None
        with self._lock:
            self._alive.add(instance)
        if instance.start(invocation):
            return instance
        invocation.cold, invocation.init = True, instance.init
        self._discard(instance)
        return None

    def _release(self, instance: Instance, usable: bool) -> None:
        """Hand the instance to who waits longest, else keep it; one that cannot serve any more makes room."""
        if not usable or self._closed.is_set() or instance.launch is not self.launch:
            self._discard(instance)
            return
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set_result(instance)
                return
            # Before anyone can take it: a signal that comes late would stop the next invocation.
            instance.freeze()
            instance.idle_since = time.monotonic()
            self._idle.append(instance)

    def _forget(self, instance: Instance) -> None:
        instance.close()
        with self._lock:
            self._alive.discard(instance)

    def _discard(self, instance: Instance) -> None:
        self._forget(instance)
        self._give_slot_back()

    def _give_slot_back(self) -> None:
        """Who waits longest may start an instance; else there is room for a later one."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set_result(None)
            else:
                self._slots -= 1

    def _watch_for_ever(self) -> None:
        """End what is late, stop what is idle for too long."""
        while not self._closed.wait(WATCH_EVERY):
            now = time.monotonic()
            with self._lock:
                alive = list(self._alive)
                expired = [one for one in self._idle if now - one.idle_since > self.idle_seconds]
                self._idle = [one for one in self._idle if one not in expired]
            for instance in alive:
                instance.watch(now)
            for instance in expired:
                self._discard(instance)

    def check(self) -> Invocation:
        """Whether an instance can start at all: one is started and ended. The first request still finds none."""
        invocation = Invocation()
        with self._lock:
            self._slots += 1
        instance = self._start(invocation)
        if instance is not None:
            self._discard(instance)
        return invocation

    def restart(self, launch: Launch | None = None) -> None:
        """Let the next invocations find new instances; those at work finish with the old code."""
        with self._lock:
            self.launch = launch or replace(self.launch)
            idle, self._idle = self._idle, []
        for instance in idle:
            self._discard(instance)

    def count(self) -> int:
        """How many instances there are."""
        with self._lock:
            return len(self._alive)

    def close(self) -> None:
        """End every instance."""
        self._closed.set()
        self._watch.join()
        with self._lock:
            alive = list(self._alive)
            self._idle.clear()
        for instance in alive:
            instance.close()
        self._starter.shutdown()
