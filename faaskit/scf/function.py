"""One function of the account: read it, bring it up to date, publish a version, try it, give it traffic, delete it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from faaskit.function_config import FunctionConfig
from faaskit.scf import canary, default_alias, function_log, remote, triggers, versions
from faaskit.scf.api import (
    POLL_EVERY,
    POLLS,
    Api,
    ApiError,
    ApiUnreachable,
    DeployError,
    failure,
    find,
    wait_until_active,
    wait_until_settled,
)
from faaskit.scf.canary import Canary
from faaskit.scf.default_alias import LATEST, Alias
from faaskit.scf.parameters import (
    DEFAULT_ALIAS,
    SECTIONS,
    create_function,
    fingerprint,
    fixed,
    kind,
    leftovers,
    name_and_namespace,
    update_configuration,
)
from faaskit.scf.steps import AGAIN, Steps
from faaskit.scf.upload import Archive, Store, send

HEALTH_TRIES = 3  # TDSQL-C pauses without connections and needs seconds to resume
HEALTH_PAUSE = 5.0  # seconds
FAILED_CHANGE = ("UpdateFailed", "PublishFailed")  # of $LATEST; published versions are not affected (SCF 115197)


@dataclass
class Function:
    """One function, as serverless.yml describes it."""

    config: FunctionConfig
    api: Api
    steps: Steps
    bucket: Store | None = None
    health: str = ""  # the path that must respond with 200; "": / must respond below 500

    def read(self) -> tuple[dict[str, Any], Alias]:
        """Return $LATEST ({} for no function) and the default alias. Delete a function whose creation had failed."""
        with self.steps.step("read the function"):
            names = name_and_namespace(self.config)
            present = find(self.api, "GetFunction", **names)
            if present is not None:
                present = wait_until_settled(self.api, f"Function {self.config.name}", "GetFunction", **names)
            if present is not None and present.get("Status") == "CreateFailed":
                self.steps.report("The creation of the function failed last time: deleting the remains.")
                self.delete()
                present = None
            if present is None:
                self.steps.live = ""
                return {}, Alias(LATEST)
            alias = default_alias.read(self.api, self.config)
            self.steps.live = alias.version
            status = str(present.get("Status"))
            if status in FAILED_CHANGE:
                self.steps.report(f"{LATEST} is {status}, which published versions do not notice: {failure(present)}")
            elif status != "Active":
                raise DeployError(f"function {self.config.name} is {status}: {failure(present)}")
            return present, alias

    def check_fixed(self, present: dict[str, Any]) -> None:
        """Raise DeployError for an entry that CreateFunction alone takes and that differs, such as the runtime."""
        wanted = {
            "Runtime": str(self.config.inputs.get("runtime", "")),
            "Type": kind(self.config),
            **fixed(self.config),
        }
        for key, value in wanted.items():
            if present.get(key, value) != value:
                raise DeployError(
                    f"The function's {key} is {present[key]}, not {value}, and cannot be changed here. Change it in "
                    "the console, give the function another name in serverless.yml, or remove it first."
                )

    def is_released(self, version: str, wanted: str) -> bool:
        """Return whether a version was published with this fingerprint."""
        with self.steps.step("read the versions"):
            return versions.fingerprint_of(self.api, self.config, version) == wanted

    def create(self, archive: Archive, shared: dict[str, Any]) -> None:
        """Create the function with the code and configuration."""
        with self.steps.step("create the function"):
            self.steps.report(f"Creating function {self.config.name} in {self.config.region}.")
            send(self.api, "CreateFunction", archive, self.bucket, "Code", **create_function(self.config, shared))
            self._wait()

    def update_code(self, archive: Archive, present: dict[str, Any], alias: Alias) -> Alias:
        """Update $LATEST; first publish the old code and move traffic to that if $LATEST receives it and is healthy."""
        with self.steps.step("keep the present code in use"):
            if alias.version == LATEST and present["Status"] == "Active" and self._is_healthy(LATEST):
                version, _ = versions.publish(self.api, self.config, "")
                default_alias.move(self.api, self.config, version, "")
                self.steps.report(f"The code of $LATEST still receives traffic, as version {version}.")
                alias = Alias(version)
                self.steps.live = version
        with self.steps.step("update the code"):
            self.steps.report(f"Updating function {self.config.name} in {self.config.region}.")
            names = name_and_namespace(self.config)
            handler = {} if self.config.is_web else {"Handler": self.config.handler}
            send(self.api, "UpdateFunctionCode", archive, self.bucket, "Code", **names, **handler)
            self._wait()
        return alias

    def code_hash(self) -> str:
        """Return the SHA-256 of the archive in $LATEST as the platform computes it."""
        with self.steps.step("update the code"):
            return versions.code_hash(self.api, self.config, LATEST)

    def update_configuration(self, shared: dict[str, Any], present: dict[str, Any]) -> None:
        """Give $LATEST the configuration; raises DeployError for a section that the platform keeps."""
        with self.steps.step("update the configuration"):
            self.api.call("UpdateFunctionConfiguration", **update_configuration(shared, present))
            detail = self._wait()
            kept = leftovers(shared, detail)
            if kept:
                names = ", ".join(SECTIONS[key] for key in kept)
                raise DeployError(
                    f"the function still has {names}, which serverless.yml no longer has. Take that away in the "
                    "console, under the function's configuration."
                )
        if present.get("ClsTopicId") and "ClsTopicId" not in shared:
            self.steps.report(f"The log stays in topic {present['ClsTopicId']}: serverless.yml names no other.")

    def publish(self, archive: Archive, uploaded: str, shared: dict[str, Any], pair: str = "") -> str:
        """Publish $LATEST with its fingerprint and return the version; raises DeployError for somebody else's code."""
        with self.steps.step("publish a version"):
            wanted = fingerprint(archive.content, self.config, shared)
            version, detail = versions.publish(self.api, self.config, wanted, pair)
            published = versions.code_hash(self.api, self.config, version)
            if published not in (uploaded, archive.sha256) or not versions.has_configuration(detail, shared):
                versions.delete(self.api, self.config, version)
                raise DeployError(
                    f"somebody else deployed at the same time, so that version {version} held other code or settings; "
                    "it is deleted."
                )
        return version

    def migrate(self, version: str, command: tuple[str, ...]) -> None:
        """Run the command in the new version, while the old one receives traffic on the same database."""
        with self.steps.step("migrate the database", "The database may hold a part of the migration. " + AGAIN):
            invocation = remote.invoke(self.api, self.config, remote.manage_event(list(command)), version)
            result = invocation.result if isinstance(invocation.result, dict) else {"output": invocation.result}
            if invocation.error or result.get("exit_code") != 0:
                reason = invocation.error or result.get("output")
                raise DeployError(f"version {version}: {reason}\n{invocation.log}".rstrip())
            self.steps.report("The database is migrated.")

    def move_traffic(self, version: str, previous: str) -> None:
        """Give all traffic to a version."""
        with self.steps.step("move the alias"):
            try:
                default_alias.move(self.api, self.config, version, previous)
            except (ApiUnreachable, KeyboardInterrupt):
                self.steps.live = f"{previous} or {version}"  # the call may have arrived
                raise
        self.steps.live = version
        self.steps.report(f"Version {version}{self.steps.of} receives traffic.")

    def try_canary(self, version: str, alias: Alias, wanted: Canary) -> None:
        """Give a version a share of the traffic and watch it; take that back and raise DeployError if it is worse.

        The share is taken back after every other error too, and after Control-C.
        """
        topic = function_log.topic_of(self.api.call("GetFunction", **name_and_namespace(self.config)), self.config)
        old, share = alias.version, f"{wanted.percent} % of the traffic"
        advice = f"Version {version} stays published: 'rollback {version}' gives it all traffic."
        with self.steps.step("try the version as a canary", advice):
            worse = "the canary was interrupted"
            self.steps.live = f"{old} (and, with {share} until 'rollback {old}', version {version})"
            try:
                default_alias.share(self.api, self.config, alias, version, wanted.percent / 100)
                minutes = wanted.watch.total_seconds() / 60
                self.steps.report(f"Version {version} receives {share} for {minutes:g} minutes; Ctrl-C takes it back.")
                worse = canary.watch(self.api, self.config, topic, (old, version), wanted, self.steps.report)
            finally:
                if worse:
                    default_alias.move(self.api, self.config, old, alias.previous)
                    self.steps.live = old
            if worse:
                raise DeployError(f"{worse}.")

    def prune(self, keep: set[str]) -> None:
        """Delete old versions; a refusal is only reported."""
        try:
            versions.prune(self.api, self.config, keep)
        except DeployError as error:
            self.steps.report(f"Old versions stay: {error}")

    def check_health(self, version: str) -> None:
        """Raise DeployError unless the version responds to the health path with 200, or to / below 500."""
        path, accepted = (self.health, range(200, 201)) if self.health else ("/", range(500))
        for attempt in range(1, HEALTH_TRIES + 1):
            invocation = remote.invoke(self.api, self.config, remote.health_event(path), version)
            response = invocation.result if isinstance(invocation.result, dict) else {"body": invocation.result}
            status = response.get("statusCode")
            if status in accepted:
                self.steps.report(f"Version {version}{self.steps.of} passes {path}.")
                return
            if status != 503 or attempt == HEALTH_TRIES:
                reason = invocation.error or f"{status}: {str(response.get('body', response))[:500]}"
                raise DeployError(f"version {version}{self.steps.of}, {path}: {reason}\n{invocation.log}".rstrip())
            time.sleep(HEALTH_PAUSE)

    def _is_healthy(self, version: str) -> bool:
        try:
            self.check_health(version)
        except ApiError:
            raise
        except DeployError:
            return False
        return True

    def url(self) -> str:
        """Return the public address of the Function URL, '' for none."""
        present = triggers.existing(self.api, self.config)
        return triggers.function_url(
            [each for each in present if each.get("Qualifier", DEFAULT_ALIAS) == DEFAULT_ALIAS]
        )

    def synchronise(self, kinds: tuple[str, ...]) -> None:
        """Give the function the triggers of serverless.yml that are of these kinds."""
        present = triggers.existing(self.api, self.config)
        for line in triggers.synchronise(self.api, self.config, kinds, present):
            self.steps.report(f"Trigger {line}.")

    def exists(self) -> bool:
        """Return whether the account has the function."""
        return find(self.api, "GetFunction", **name_and_namespace(self.config)) is not None

    def delete(self) -> None:
        """Delete the function with all versions and wait until the platform has done so."""
        names = name_and_namespace(self.config)
        self.api.call("DeleteFunction", **names)
        for _ in range(POLLS):
            if find(self.api, "GetFunction", **names) is None:
                return
            time.sleep(POLL_EVERY)
        raise DeployError(f"function {self.config.name} is still being deleted")

    def _wait(self) -> dict[str, Any]:
        names = name_and_namespace(self.config)
        return wait_until_active(self.api, f"Function {self.config.name}", "GetFunction", **names)
