"""Deploy a Web function and, on the same code, the event function beside it: timers, migrations, `invoke --remote`.

The Web function has the name of serverless.yml and `-web`, since the type of a function cannot be changed. Both
functions move to their new version or neither does. Traffic of a custom domain moves last.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from faaskit.scf import custom_domain, default_alias, versions
from faaskit.scf.api import ApiUnreachable, DeployError
from faaskit.scf.default_alias import Alias
from faaskit.scf.deployment import Deployment
from faaskit.scf.function import Function
from faaskit.scf.parameters import event_config, fingerprint, leftovers, web_config
from faaskit.scf.steps import Steps
from faaskit.scf.upload import Archive
from faaskit.scf.web_function import WebFunction


@dataclass
class WebDeployment(Deployment):
    """A Web function, the event function beside it, and their layer."""

    web: WebFunction = field(init=False)

    def __post_init__(self) -> None:
        config = self.config
        self.config = event_config(config)
        beside = Steps(self.report, of=f" of {self.config.name}")
        self.function = Function(self.config, self.api, beside, self.bucket, self.health)
        described = web_config(config)
        self.steps = Steps(self.report, of=f" of {described.name}")
        self.web = WebFunction(described, self.api, self.steps, self.bucket, self.health)

    def deploy(self, archive: Archive, layer_archive: Archive | None) -> str:
        """Deploy the archives and return the public URL, '' for none; raises DeployError."""
        self._validate()
        if self.canary:
            raise DeployError("A canary needs one function, and 'type: web' has two: deploy without one.")
        functions = (self.function, self.web)
        states = [function.read() for function in functions]
        for function, (present, _) in zip(functions, states, strict=True):
            function.check_fixed(present)
        domain = self._find_domain(states)
        layers = self._layers(layer_archive)
        topic = self._log_topic()
        with self.steps.step("find the public URL"):
            url = self.config.environment.get("PUBLIC_URL") or self.web.url()
        shared = [self._configured(function, url, layers, topic) for function in functions]
        if url and all(map(self._is_current, functions, states, shared, [archive] * 2)):
            self.report(f"Version {states[1][1].version}{self.steps.of} already is this code and configuration.")
        else:
            aliases, uploaded = [], []
            for function, (present, alias), each in zip(functions, states, shared, strict=True):
                if present:
                    alias = function.update_code(archive, present, alias)
                else:
                    function.create(archive, each)
                aliases.append(alias)
                uploaded.append(function.code_hash())
            url = url or self._discover_web_url()
            shared = [self._configured(function, url, layers, topic) for function in functions]
            for function, (present, _), each in zip(functions, states, shared, strict=True):
                function.update_configuration(each, present)
            self._release_both(archive, uploaded, shared, aliases)
        with self.steps.step("set the triggers"):
            self.function.synchronise(("timer",))
            self.web.synchronise(("http",))
        self._let_pages_upload(url)
        if domain and domain.leads_to(self.function.config):
            with self.steps.step("move the custom domain"):
                custom_domain.move(self.api, domain, self.function.config, self.web.config)
                self.report(
                    f"{domain.name} leads to {self.web.config.name}. {self.config.name} keeps its Function URL."
                )
        return url

    def rollback(self, version: str = "") -> None:
        """Move both functions to `version` of the Web function and the one beside it, or to those before."""
        if version and not version.isdecimal():
            raise DeployError(f"{version} is not a published version: name one by its number, as in 'rollback 3'.")
        (beside, old_beside), (present, old) = self.function.read(), self.web.read()
        if not present or not beside:
            raise DeployError(f"There is no function {self.web.config.name} in {self.config.region}.")
        target = version or old.previous
        if not target:
            raise DeployError(f"No version before {old.version} is known: name one, as in 'rollback 3'.")
        if target == old.version:
            raise DeployError(f"Version {target} already receives traffic.")
        with self.steps.step("read the versions"):
            pair = versions.pair_of(self.api, self.web.config, target)
        if not pair:
            raise DeployError(f"Version {target} of {self.web.config.name} names no version of {self.config.name}.")
        with self.steps.step("verify the version", "Name another version, as in 'rollback 3'."):
            self.web.check_health(target)
        self._move_both((pair, target), (old_beside, old))

    def _find_domain(self, states: list[tuple[dict[str, Any], Alias]]) -> custom_domain.CustomDomain | None:
        """Return PUBLIC_URL's custom domain. Raises DeployError where the type changes and there is none to move."""
        (beside, _), (present, _) = states
        with self.steps.step("read the custom domain"):
            domain = custom_domain.find_domain(self.api, self.config.environment.get("PUBLIC_URL", ""))
            old_url = self.function.url() if beside and not present else ""
        if old_url and not (domain and domain.leads_to(self.function.config)):
            raise DeployError(custom_domain.refusal(self.config, self.web.config, old_url))
        return domain

    def _configured(
        self, function: Function, url: str, layers: list[dict[str, Any]], topic: dict[str, str]
    ) -> dict[str, Any]:
        return self._configuration(url, layers, topic, function.config)

    def _is_current(
        self, function: Function, state: tuple[dict[str, Any], Alias], shared: dict[str, Any], archive: Archive
    ) -> bool:
        present, alias = state
        wanted = fingerprint(archive.content, function.config, shared)
        return bool(present) and not leftovers(shared, present) and function.is_released(alias.version, wanted)

    def _discover_web_url(self) -> str:
        """Create the http trigger of a new Web function and return its URL, which nobody knows before."""
        with self.steps.step("create the Function URL"):
            self.web.synchronise(("http",))
            url = self.web.url()
            if not url:
                self.report("serverless.yml has no public Function URL, and PUBLIC_URL is not set.")
            return url

    def _release_both(
        self, archive: Archive, uploaded: list[str], shared: list[dict[str, Any]], aliases: list[Alias]
    ) -> None:
        """Publish both, migrate, check the health of both, and move both; then delete old versions."""
        beside = self.function.publish(archive, uploaded[0], shared[0])
        version = self.web.publish(archive, uploaded[1], shared[1], pair=beside)
        if self.migrate:
            self.function.migrate(beside, self.migrate)
        advice = "Repair what its log says, package and deploy again."
        for function, each in ((self.function, beside), (self.web, version)):
            with self.steps.step("verify the new version", advice):
                function.check_health(each)
        self._move_both((beside, version), (aliases[0], aliases[1]))
        self.web.prune({version, aliases[1].version})
        self.function.prune({beside, aliases[0].version})  # as many: both publish together

    def _move_both(self, new: tuple[str, str], old: tuple[Alias, Alias]) -> None:
        """Move both aliases; where the second stays, move the first back. Raises DeployError."""
        self.function.move_traffic(new[0], old[0].version)
        try:
            self.web.move_traffic(new[1], old[1].version)
        except (DeployError, KeyboardInterrupt):
            if not self._has_moved(new[1]):
                self._move_back(old[0])
                raise
            self.steps.live = new[1]  # the call had arrived, and its response was lost

    def _has_moved(self, version: str) -> bool:
        try:
            return default_alias.read(self.api, self.web.config).version == version
        except ApiUnreachable:
            return False

    def _move_back(self, old: Alias) -> None:
        if old.version.isdecimal():
            self.function.move_traffic(old.version, old.previous)
