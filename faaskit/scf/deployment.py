"""Deploy serverless.yml and build/, roll back and remove.

Code and configuration go to `$LATEST`, which is published as a version. That version migrates the database and must
pass a direct invocation of /healthz; only then the default alias, to which URL and timers are bound, moves to it. Until
then guests use the old version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from faaskit.function_config import LAYER_FILE, FunctionConfig
from faaskit.scf import bucket_cors, custom_domain, function_log, layer, log_topic, triggers
from faaskit.scf.api import Api, DeployError, Report
from faaskit.scf.canary import Canary
from faaskit.scf.default_alias import Alias
from faaskit.scf.function import Function
from faaskit.scf.parameters import configuration, fingerprint, leftovers, validate, web_config
from faaskit.scf.steps import Steps
from faaskit.scf.upload import Archive, Store


@dataclass
class Deployment:
    """One function with its layer, as serverless.yml describes them, in one account."""

    config: FunctionConfig
    layer_config: FunctionConfig | None
    api: Api
    report: Report
    bucket: Store | None = None
    health: str = ""  # the path that must respond with 200; "": / must respond below 500
    migrate: tuple[str, ...] = ()  # the command that runs in a new version before it receives traffic
    log_fields: Mapping[str, str] = field(default_factory=dict)  # that `cls: auto` indexes, with their types
    uploads: str = ""  # the URL of the bucket to which the project's pages upload; "": none
    open_bucket: Callable[[str, str], Store] | None = None
    canary: Canary | None = None
    steps: Steps = field(init=False)
    function: Function = field(init=False)

    def __post_init__(self) -> None:
        self.steps = Steps(self.report)
        self.function = Function(self.config, self.api, self.steps, self.bucket, self.health)

    def deploy(self, archive: Archive, layer_archive: Archive | None) -> str:
        """Deploy the archives and return the public URL, '' for none; raises DeployError."""
        self._validate()
        function = self.function
        present, alias = function.read()
        function.check_fixed(present)
        with self.steps.step("read the Web function"):
            domain = custom_domain.held_by_web_function(self.api, self.config)
        layers = self._layers(layer_archive)
        topic = self._log_topic()
        with self.steps.step("find the public URL"):
            url = self._url()
        shared = self._configuration(url, layers, topic)
        if self.canary and present:
            function_log.topic_of({**present, **shared}, self.config)  # without a log there is nothing to watch
        wanted = fingerprint(archive.content, self.config, shared)
        if present and url and not leftovers(shared, present) and function.is_released(alias.version, wanted):
            self.report(f"Version {alias.version} already is this code and configuration.")
        else:
            if present:
                alias = function.update_code(archive, present, alias)
            else:
                function.create(archive, shared)
            uploaded = function.code_hash()
            url = url or self._discover_url()
            shared = self._configuration(url, layers, topic)
            function.update_configuration(shared, present)
            self._release(archive, uploaded, shared, alias)
        with self.steps.step("set the triggers"):
            function.synchronise(("http", "timer"))
        self._let_pages_upload(url)
        if domain:
            with self.steps.step("move the custom domain"):
                custom_domain.move(self.api, domain, web_config(self.config), self.config)
                self.report(f"{domain.name} leads to {self.config.name}. {web_config(self.config).name} stays.")
        return url

    def rollback(self, version: str = "") -> None:
        """Move the alias to `version`, or to the one before, and check its health; raises DeployError."""
        if version and not version.isdecimal():
            raise DeployError(f"{version} is not a published version: name one by its number, as in 'rollback 3'.")
        present, alias = self.function.read()
        if not present:
            raise DeployError(f"There is no function {self.config.name} in {self.config.region}.")
        # A canary that nobody ended: its traffic goes back to the version that has the rest.
        target = version or (alias.version if alias.canary else alias.previous)
        if not target:
            raise DeployError(f"No version before {alias.version} is known: name one, as in 'rollback 3'.")
        if target == alias.version and not alias.canary:
            raise DeployError(f"Version {target} already receives traffic.")
        self.function.move_traffic(target, alias.previous if target == alias.version else alias.version)
        with self.steps.step("verify the version", "Name another version, as in 'rollback 3'."):
            self.function.check_health(target)

    def remove(self) -> None:
        """Delete the functions of both types with versions and triggers, and the layer; raises DeployError."""
        web = replace(self.function, config=web_config(self.config))
        with self.steps.step("delete the function"):
            if web.exists():
                web.delete()
                self.report(f"Function {web.config.name} with its versions and triggers is deleted.")
            if not self.function.exists():
                self.report(f"There is no function {self.config.name} in {self.config.region}.")
            else:
                self.function.delete()
                self.report(f"Function {self.config.name} with its versions and triggers is deleted.")
        if self.layer_config is not None:
            with self.steps.step("delete the layer"):
                count = layer.remove(self.api, self.layer_config.name)
                self.report(f"Layer {self.layer_config.name}: {count} versions deleted.")

    def _let_pages_upload(self, url: str) -> None:
        if self.uploads and self.open_bucket:
            with self.steps.step("let pages upload to the bucket"):
                bucket_cors.allow(self.uploads, url, self.open_bucket, self.report)

    def _validate(self) -> None:
        """Raise DeployError for entries of serverless.yml that no deployment could use."""
        try:
            validate(self.config)
            triggers.wanted(self.config)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise DeployError(f"{self.config.path}: an entry is not as a deployment reads it: {error!r}.") from error

    def _layers(self, archive: Archive | None) -> list[dict[str, Any]]:
        """Return the configuration's layers; publish the one of deploy/layer/serverless.yml if its archive is new."""
        found = []
        for entry in self.config.inputs.get("layers") or []:
            version = entry["version"]
            if str(version).startswith("${output:"):
                if self.layer_config is None or archive is None:
                    file = self.config.path.parent / LAYER_FILE
                    raise DeployError(f"{file} is missing: layer {entry['name']} needs it.")
                if entry["name"] != self.layer_config.name:
                    raise DeployError(
                        f"{self.layer_config.path} describes layer {self.layer_config.name}, wanted {entry['name']}."
                    )
                with self.steps.step("publish the layer"):
                    version, new = layer.publish(self.api, self.layer_config, archive, self.bucket)
                self.report(f"Layer {entry['name']}: version {version}{'' if new else ', unchanged'}.")
            found.append({"LayerName": entry["name"], "LayerVersion": version})
        return found

    def _log_topic(self) -> dict[str, str]:
        with self.steps.step("find the log topic"):
            return log_topic.ensure(self.api, self.config, self.log_fields, self.report)

    def _configuration(
        self, url: str, layers: list[dict[str, Any]], topic: dict[str, str], config: FunctionConfig | None = None
    ) -> dict[str, Any]:
        return configuration(config or self.config, self.config.environment | {"PUBLIC_URL": url}, layers) | topic

    def _url(self) -> str:
        """Return PUBLIC_URL, or else the Function URL that exists, or ''."""
        existing = self.function.url()
        return self.config.environment.get("PUBLIC_URL") or existing

    def _discover_url(self) -> str:
        """Create the http trigger of a new function and return its URL, which nobody knows before."""
        with self.steps.step("create the Function URL"):
            self.function.synchronise(("http",))
            url = self._url()
            if not url:
                self.report("serverless.yml has no public Function URL, and PUBLIC_URL is not set.")
            return url

    def _release(self, archive: Archive, uploaded: str, shared: dict[str, Any], alias: Alias) -> None:
        """Publish $LATEST with its fingerprint, migrate, check its health, move traffic, delete old versions."""
        version = self.function.publish(archive, uploaded, shared)
        if self.migrate:
            self.function.migrate(version, self.migrate)
        with self.steps.step("verify the new version", "Repair what its log says, package and deploy again."):
            self.function.check_health(version)
        if self.canary and alias.version.isdecimal():
            self.function.try_canary(version, alias, self.canary)
        self.function.move_traffic(version, alias.version)
        self.function.prune({version, alias.version})
