"""The Web function of a deployment: it has no Invoke API, so a version is tried through a Function URL of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from faaskit.scf import triggers
from faaskit.scf.api import DeployError
from faaskit.scf.function import HEALTH_PAUSE, Function
from faaskit.scf.parameters import name_and_namespace

URL_TRIES = 6  # a new Function URL may take seconds until it is reachable


@dataclass
class WebFunction(Function):
    """A function of type HTTP."""

    def check_health(self, version: str) -> None:
        """Raise DeployError unless the version responds to the health path with 200, or to / below 500.

        The platform's documents do not say that a version of a Web function may have a Function URL of its own; no
        account was at hand to try it (docs/web-function.md).
        """
        path, accepted = (self.health, range(200, 201)) if self.health else ("/", range(500))
        with self._opened(version) as url:
            for attempt in range(1, URL_TRIES + 1):
                status, body = self.api.fetch(url + path)
                if status in accepted:
                    self.steps.report(f"Version {version}{self.steps.of} passes {path}.")
                    return
                if status not in (0, 404, 503) or attempt == URL_TRIES:  # 404, and 0: not yet reachable
                    raise DeployError(
                        f"version {version}{self.steps.of}, {path}: {status or 'no response'}: {body[:500]}"
                    )
                time.sleep(HEALTH_PAUSE)

    def synchronise(self, kinds: tuple[str, ...]) -> None:
        """Give the function its triggers; close what an interrupted deployment left open."""
        super().synchronise(kinds)
        for trigger in triggers.existing(self.api, self.config):
            if trigger["TriggerName"].startswith(triggers.HEALTH_NAME):
                self._close(trigger)

    def _close(self, trigger: Mapping[str, Any]) -> None:
        chosen = {key: trigger[key] for key in ("TriggerName", "Type", "Qualifier")}
        self.api.call("DeleteTrigger", **name_and_namespace(self.config), **chosen)

    @contextmanager
    def _opened(self, version: str) -> Iterator[str]:
        """Open a Function URL on a version, and close it whatever happens."""
        names = name_and_namespace(self.config)
        trigger = triggers.health_url(version)
        present = [each for each in triggers.existing(self.api, self.config) if each.get("Qualifier") == version]
        if not present:  # else the last deployment was interrupted here
            self.api.call("CreateTrigger", **names, **trigger)
            listed = triggers.existing(self.api, self.config)
            present = [each for each in listed if each.get("Qualifier") == version]
        try:
            url = triggers.function_url(present)
            if not url:
                raise DeployError(f"the Function URL on version {version} has no public address")
            yield url
        finally:
            self._close(trigger)
