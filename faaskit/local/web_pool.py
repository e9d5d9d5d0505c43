"""The instances of a Web function: each serves several requests at once before another one is started."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from faaskit.gateways.invocation import IMPORT_ERROR, PROCESS_EXIT, Invocation
from faaskit.local.instance import Launch
from faaskit.local.instance_pool import WATCH_INTERVAL
from faaskit.local.web_instance import Bootstrap, WebInstance


class WebPool:
    """Up to `size` instances with up to `concurrency` requests each. Requests wait where all are busy."""

    def __init__(self, launch: Launch, script: Bootstrap, size: int, concurrency: int, idle: float) -> None:
        self.launch, self.script, self.concurrency = launch, script, concurrency
        self.size = size if script.takes_port else 1
        self.idle_seconds = idle
        self._changed = threading.Condition()
        self._ready: list[WebInstance] = []
        self._slots = 0  # instances, and those about to be started
        self._waiting = 0
        self._number = 0
        self._closed = threading.Event()
        # As in InstancePool: Linux ends a child with the thread that started it.
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="starter")
        self._watch = threading.Thread(target=self._watch_instances, name="instances", daemon=True)
        self._watch.start()

    def acquire(self, invocation: Invocation) -> WebInstance | None:
        """Return an instance with a free place, or None, with the reason in the invocation."""
        with self._changed:
            self._waiting += 1
            try:
                while not self._closed.is_set():
                    instance = next((one for one in self._ready if one.active < self.concurrency), None)
                    if instance:
                        return self._enter(instance)
                    starting = self._slots - len(self._ready)
                    if self._slots < self.size and starting * self.concurrency < self._waiting:
                        self._slots += 1
                        break
                    self._changed.wait()
                else:
                    invocation.fail(PROCESS_EXIT, "The instances are being ended")
                    return None
            finally:
                self._waiting -= 1
        return self._start(invocation)

    def release(self, instance: WebInstance) -> None:
        """Give the place back; discard an instance that ended, or that --reload has replaced."""
        with self._changed:
            instance.active -= 1
            usable = instance.process.poll() is None and instance.launch is self.launch
            if usable and not instance.active:
                # Under the lock: a late signal would stop the next request.
                instance.freeze()
                instance.idle_since = time.monotonic()
            elif not usable and instance in self._ready:
                self._forget(instance)
            self._changed.notify_all()
        if not usable and not instance.active:
            instance.close()

    def try_start(self) -> Invocation:
        """Start one instance and end it; return the outcome. The first request still has a cold start."""
        invocation = Invocation()
        with self._changed:
            self._slots += 1
        instance = self._start(invocation)
        if instance is not None:
            with self._changed:
                self._forget(instance)
            instance.close()
        return invocation

    def restart(self) -> None:
        """Let the next requests find new instances; busy ones finish with the old code."""
        with self._changed:
            self.launch = replace(self.launch)  # another object: release() discards instances of the former one
            idle = [instance for instance in self._ready if not instance.active]
            for instance in list(self._ready):
                self._forget(instance)
        for instance in idle:
            instance.close()

    def count(self) -> int:
        """Return the number of instances."""
        with self._changed:
            return len(self._ready)

    def close(self) -> None:
        """End every instance."""
        self._closed.set()
        self._watch.join()
        with self._changed:
            ready, self._ready = self._ready, []
            self._changed.notify_all()
        for instance in ready:
            instance.close()
        self._starter.shutdown()

    def _enter(self, instance: WebInstance) -> WebInstance:
        instance.active += 1
        if instance.active == 1:
            instance.thaw()
        return instance

    def _start(self, invocation: Invocation) -> WebInstance | None:
        """Start an instance for a slot that was taken."""
        with self._changed:
            self._number += 1
            number, launch = self._number, self.launch
        try:
            instance = WebInstance(launch, self.script, number, lambda spawn: self._starter.submit(spawn).result())
        except (OSError, RuntimeError) as error:  # RuntimeError: the starter was shut down
            invocation.fail(IMPORT_ERROR, f"No instance can be started: {error}")
            self._free_slot()
            return None
        if not instance.start(invocation):
            invocation.cold, invocation.init = True, instance.init
            instance.close()
            self._free_slot()
            return None
        with self._changed:
            self._ready.append(instance)
            self._enter(instance)
            self._changed.notify_all()
        return instance

    def _forget(self, instance: WebInstance) -> None:
        """Take an instance out of use, under the lock."""
        self._ready.remove(instance)
        self._slots -= 1

    def _free_slot(self) -> None:
        with self._changed:
            self._slots -= 1
            self._changed.notify_all()

    def _watch_instances(self) -> None:
        """End instances that were idle for too long, until the pool is closed."""
        while not self._closed.wait(WATCH_INTERVAL):
            oldest = time.monotonic() - self.idle_seconds
            with self._changed:
                # A process that died while idle goes too: the next request starts another one.
                ended = [
                    instance
                    for instance in self._ready
                    if not instance.active and (instance.idle_since < oldest or instance.process.poll() is not None)
                ]
                for instance in ended:
                    self._forget(instance)
            for instance in ended:
                instance.close()
