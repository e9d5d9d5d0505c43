"""The instances of one function: started on demand up to a limit, ended when they are late or idle."""

from __future__ import annotations

import threading
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from faaskit.gateways.invocation import EVENT_TOO_LARGE, IMPORT_ERROR, PROCESS_EXIT, RESULT_TOO_LARGE, Invocation
from faaskit.local.instance import Instance, Launch

WATCH_INTERVAL = 0.05  # seconds: how late a timeout may be noticed


class InstancePool:
    """Up to `size` instances of one function. Events queue where all instances are busy."""

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
        # Linux ends a child with the *thread* that started it (setpriv), so one long-lived thread starts them all.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="starter")
        self._watch = threading.Thread(target=self._watch_instances, name="instances", daemon=True)
        self._watch.start()

    def run_event(self, invocation: Invocation, event: bytes, context: dict[str, Any]) -> None:
        """Run one event in a free instance, in a new one, or in the next that becomes free."""
        limit = self.launch.platform.payload_limit
        if len(event) > limit:
            invocation.fail(EVENT_TOO_LARGE, f"The event is {len(event)} bytes; the limit is {limit}")
            return
        instance = self._acquire(invocation)
        if instance is None:
            return
        usable = False
        try:
            usable = instance.handle_event(invocation, event, context)
        finally:
            self._release(instance, usable)
        size = len(invocation.output)
        if size > limit:
            invocation.fail(RESULT_TOO_LARGE, f"The result is {size} bytes; the limit is {limit}")

    def _acquire(self, invocation: Invocation) -> Instance | None:
        """Return an instance for this thread alone, or None, with the reason in the invocation."""
        instance = waiter = None
        with self._lock:
            if self._idle:
                instance = self._idle.pop()
            elif self._slots < self.size:
                self._slots += 1
            else:
                waiter = Future[Instance | None]()
                self._waiting.append(waiter)
        if waiter:
            instance = waiter.result()
        if instance and instance.process.poll() is not None:  # it died while idle: a new one takes its slot
            self._remove(instance)
            instance = None
        return instance or self._start(invocation)

    def _start(self, invocation: Invocation) -> Instance | None:
        if self._closed.is_set():
            invocation.fail(PROCESS_EXIT, "The instances are being ended")
            self._free_slot()
            return None
        with self._lock:
            self._number += 1
            number, launch = self._number, self.launch
        try:
            instance = Instance(launch, number, lambda spawn: self._starter.submit(spawn).result())
        except OSError as error:
            invocation.fail(IMPORT_ERROR, f"No instance can be started: {error}")
            self._free_slot()
            return None
        with self._lock:
            self._alive.add(instance)
        if instance.start(invocation):
            return instance
        invocation.cold, invocation.init = True, instance.init
        self._discard(instance)
        return None

    def _release(self, instance: Instance, usable: bool) -> None:
        """Hand the instance to the longest waiting event, keep it idle, or discard it."""
        if not usable or self._closed.is_set() or instance.launch is not self.launch:
            self._discard(instance)
            return
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set_result(instance)
                return
            # Under the lock: a late signal would stop the next invocation.
            instance.freeze()
            instance.idle_since = time.monotonic()
            self._idle.append(instance)

    def _remove(self, instance: Instance) -> None:
        instance.close()
        with self._lock:
            self._alive.discard(instance)

    def _discard(self, instance: Instance) -> None:
        self._remove(instance)
        self._free_slot()

    def _free_slot(self) -> None:
        """Let the longest waiting event start an instance, or leave the slot for a later event."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set_result(None)
            else:
                self._slots -= 1

    def _watch_instances(self) -> None:
        """End late instances and those that were idle for too long, until the pool is closed."""
        while not self._closed.wait(WATCH_INTERVAL):
            now = time.monotonic()
            with self._lock:
                alive = list(self._alive)
                expired = [instance for instance in self._idle if now - instance.idle_since > self.idle_seconds]
                self._idle = [instance for instance in self._idle if instance not in expired]
            for instance in alive:
                instance.end_if_late(now)
            for instance in expired:
                self._discard(instance)

    def try_start(self) -> Invocation:
        """Start one instance and end it; return the outcome. The first event still has a cold start."""
        invocation = Invocation()
        with self._lock:
            self._slots += 1
        instance = self._start(invocation)
        if instance is not None:
            self._discard(instance)
        return invocation

    def restart(self) -> None:
        """Let the next events find new instances; busy ones finish with the old code."""
        with self._lock:
            self.launch = replace(self.launch)  # another object: _release discards instances of the former one
            idle, self._idle = self._idle, []
        for instance in idle:
            self._discard(instance)

    def count(self) -> int:
        """Return the number of instances."""
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
