"""Deploy serverless.yml and build/, roll back and remove.

Code and configuration go to `$LATEST`, which is published as a version. That version migrates the database and must
pass a direct invocation of /healthz; only then the default alias, to which URL and timers are bound, moves to it. Until
then guests use the old version.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from faaskit.function_config import LAYER_FILE, FunctionConfig
from faaskit.scf import default_alias, layer, log_topic, remote, triggers, versions
from faaskit.scf.api import (
    POLL_EVERY,
    POLLS,
    Api,
    ApiError,
    ApiUnreachable,
    DeployError,
    Report,
    failure,
    find,
    wait_until_active,
    wait_until_settled,
)
from faaskit.scf.default_alias import LATEST, Alias
from faaskit.scf.parameters import (
    SECTIONS,
    configuration,
    create_function,
    fingerprint,
    fixed,
    leftovers,
    name_and_namespace,
    update_configuration,
    validate,
)
from faaskit.scf.upload import Archive, Store, send

HEALTH_TRIES = 3  # TDSQL-C pauses without connections and needs seconds to resume
HEALTH_PAUSE = 5.0  # seconds
FAILED_CHANGE = ("UpdateFailed", "PublishFailed")  # of $LATEST; published versions are not affected (SCF 115197)
AGAIN = "Run the same command again: it continues where it stopped."
PERMISSIONS = (
    "Give the keys' user QcloudSCFFullAccess (and QcloudCOSFullAccess for COS, QcloudCLSFullAccess for 'cls: auto')."
)
ADVICE = {  # by the beginning of the platform's error code, the longer one first
    "AuthFailure.UnauthorizedOperation": PERMISSIONS,
    "AuthFailure": "Check TENCENT_SECRET_ID, TENCENT_SECRET_KEY (and TENCENT_TOKEN), and this machine's clock.",
    "UnauthorizedOperation": PERMISSIONS,
    "LimitExceeded": "Delete resources of this kind in the console, then run the command again.",
    "FailedOperation.FunctionStatusError": "If another deployment is at work, wait for its end. " + AGAIN,
}


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
    # The version that receives traffic, for error messages: '' for none, None until it is read.
    live: str | None = field(default=None, init=False)

    def deploy(self, function: Archive, layer_archive: Archive | None) -> str:
        """Deploy the archives and return the public URL, '' for none; raises DeployError."""
        self._validate()
        present, alias = self._read()
        self._check_fixed(present)
        layers = self._layers(layer_archive)
        topic = self._log_topic()
        with self._step("find the public URL"):
            url = self._url(self._triggers())
        shared = self._configuration(url, layers, topic)
        wanted = fingerprint(function.content, self.config, shared)
        if present and url and not leftovers(shared, present) and self._is_released(alias.version, wanted):
            self.report(f"Version {alias.version} already is this code and configuration.")
        else:
            if present:
                alias = self._update_code(function, present, alias)
            else:
                self._create(function, shared)
            with self._step("update the code"):
                uploaded = versions.code_hash(self.api, self.config, LATEST)
            url = url or self._discover_url()
            shared = self._configuration(url, layers, topic)
            self._update_configuration(shared, present)
            self._release(function, uploaded, shared, alias)
        with self._step("set the triggers"):
            self._synchronise(("http", "timer"))
        return url

    def rollback(self, version: str = "") -> None:
        """Move the alias to `version`, or to the one before, and check its health; raises DeployError."""
        if version and not version.isdecimal():
            raise DeployError(f"{version} is not a published version: name one by its number, as in 'rollback 3'.")
        present, alias = self._read()
        if not present:
            raise DeployError(f"There is no function {self.config.name} in {self.config.region}.")
        target = version or alias.previous
        if not target:
            raise DeployError(f"No version before {alias.version} is known: name one, as in 'rollback 3'.")
        if target == alias.version:
            raise DeployError(f"Version {target} already receives traffic.")
        self._move_traffic(target, alias.version)
        with self._step("verify the version", "Name another version, as in 'rollback 3'."):
            self._check_health(target)

    def remove(self) -> None:
        """Delete function, versions, triggers and the layer, where they still exist; raises DeployError."""
        with self._step("delete the function"):
            if find(self.api, "GetFunction", **name_and_namespace(self.config)) is None:
                self.report(f"There is no function {self.config.name} in {self.config.region}.")
            else:
                self._delete()
                self.report(f"Function {self.config.name} with its versions and triggers is deleted.")
        if self.layer_config is not None:
            with self._step("delete the layer"):
                count = layer.remove(self.api, self.layer_config.name)
                self.report(f"Layer {self.layer_config.name}: {count} versions deleted.")

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
                with self._step("publish the layer"):
                    version, new = layer.publish(self.api, self.layer_config, archive, self.bucket)
                self.report(f"Layer {entry['name']}: version {version}{'' if new else ', unchanged'}.")
            found.append({"LayerName": entry["name"], "LayerVersion": version})
        return found

    def _log_topic(self) -> dict[str, str]:
        with self._step("find the log topic"):
            return log_topic.ensure(self.api, self.config, self.log_fields, self.report)

    def _read(self) -> tuple[dict[str, Any], Alias]:
        """Return $LATEST ({} for no function) and the default alias. Delete a function whose creation had failed."""
        with self._step("read the function"):
            names = name_and_namespace(self.config)
            present = find(self.api, "GetFunction", **names)
            if present is not None:
                present = wait_until_settled(self.api, f"Function {self.config.name}", "GetFunction", **names)
            if present is not None and present.get("Status") == "CreateFailed":
                self.report("The creation of the function failed last time: deleting the remains.")
                self._delete()
                present = None
            if present is None:
                self.live = ""
                return {}, Alias(LATEST)
            alias = default_alias.read(self.api, self.config)
            self.live = alias.version
            status = str(present.get("Status"))
            if status in FAILED_CHANGE:
                self.report(f"{LATEST} is {status}, which published versions do not notice: {failure(present)}")
            elif status != "Active":
                raise DeployError(f"function {self.config.name} is {status}: {failure(present)}")
            return present, alias

    def _check_fixed(self, present: dict[str, Any]) -> None:
        """Raise DeployError for an entry that CreateFunction alone takes and that differs, such as the runtime."""
        wanted = {"Runtime": str(self.config.inputs.get("runtime", "")), "Type": "Event", **fixed(self.config)}
        for key, value in wanted.items():
            if present.get(key, value) != value:
                raise DeployError(
                    f"The function's {key} is {present[key]}, not {value}, and cannot be changed here. Change it in "
                    "the console, give the function another name in serverless.yml, or remove it first."
                )

    def _configuration(self, url: str, layers: list[dict[str, Any]], topic: dict[str, str]) -> dict[str, Any]:
        return configuration(self.config, self.config.environment | {"PUBLIC_URL": url}, layers) | topic

    def _url(self, existing: list[dict[str, Any]]) -> str:
        """Return PUBLIC_URL, or else the Function URL among the existing triggers, or ''."""
        return self.config.environment.get("PUBLIC_URL") or triggers.function_url(existing)

    def _is_released(self, version: str, wanted: str) -> bool:
        with self._step("read the versions"):
            return versions.fingerprint_of(self.api, self.config, version) == wanted

    def _create(self, archive: Archive, shared: dict[str, Any]) -> None:
        with self._step("create the function"):
            self.report(f"Creating function {self.config.name} in {self.config.region}.")
            send(self.api, "CreateFunction", archive, self.bucket, "Code", **create_function(self.config, shared))
            self._wait()

    def _update_code(self, archive: Archive, present: dict[str, Any], alias: Alias) -> Alias:
        """Update $LATEST; first publish the old code and move traffic to that if $LATEST receives it and is healthy."""
        with self._step("keep the present code in use"):
            if alias.version == LATEST and present["Status"] == "Active" and self._is_healthy(LATEST):
                version, _ = versions.publish(self.api, self.config, "")
                default_alias.move(self.api, self.config, version, "")
                self.report(f"The code of $LATEST still receives traffic, as version {version}.")
                alias = Alias(version)
                self.live = version
        with self._step("update the code"):
            self.report(f"Updating function {self.config.name} in {self.config.region}.")
            names = name_and_namespace(self.config)
            send(self.api, "UpdateFunctionCode", archive, self.bucket, "Code", **names, Handler=self.config.handler)
            self._wait()
        return alias

    def _update_configuration(self, shared: dict[str, Any], present: dict[str, Any]) -> None:
        with self._step("update the configuration"):
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
            self.report(f"The log stays in topic {present['ClsTopicId']}: serverless.yml names no other.")

    def _discover_url(self) -> str:
        """Create the http trigger of a new function and return its URL, which nobody knows before."""
        with self._step("create the Function URL"):
            self._synchronise(("http",))
            url = self._url(self._triggers())
            if not url:
                self.report("serverless.yml has no public Function URL, and PUBLIC_URL is not set.")
            return url

    def _release(self, archive: Archive, uploaded: str, shared: dict[str, Any], alias: Alias) -> None:
        """Publish $LATEST with its fingerprint, migrate, check its health, move traffic, delete old versions."""
        with self._step("publish a version"):
            version, detail = versions.publish(self.api, self.config, fingerprint(archive.content, self.config, shared))
            published = versions.code_hash(self.api, self.config, version)
            if published not in (uploaded, archive.sha256) or not versions.has_configuration(detail, shared):
                versions.delete(self.api, self.config, version)
                raise DeployError(
                    f"somebody else deployed at the same time, so that version {version} held other code or settings; "
                    "it is deleted."
                )
        if self.migrate:
            with self._step("migrate the database", "The database may hold a part of the migration. " + AGAIN):
                self._migrate(version)
        with self._step("verify the new version", "Repair what its log says, package and deploy again."):
            self._check_health(version)
        self._move_traffic(version, alias.version)
        try:
            versions.prune(self.api, self.config, keep={version, alias.version})
        except DeployError as error:
            self.report(f"Old versions stay: {error}")

    def _move_traffic(self, version: str, previous: str) -> None:
        with self._step("move the alias"):
            try:
                default_alias.move(self.api, self.config, version, previous)
            except (ApiUnreachable, KeyboardInterrupt):
                self.live = f"{previous} or {version}"  # the call may have arrived
                raise
        self.live = version
        self.report(f"Version {version} receives traffic.")

    def _migrate(self, version: str) -> None:
        """Run the command in the new version, while the old one receives traffic on the same database."""
        invocation = remote.invoke(self.api, self.config, remote.manage_event(list(self.migrate)), version)
        result = invocation.result if isinstance(invocation.result, dict) else {"output": invocation.result}
        if invocation.error or result.get("exit_code") != 0:
            reason = invocation.error or result.get("output")
            raise DeployError(f"version {version}: {reason}\n{invocation.log}".rstrip())
        self.report("The database is migrated.")

    def _check_health(self, version: str) -> None:
        """Raise DeployError unless the version responds to the health path with 200, or to / below 500."""
        path, accepted = (self.health, range(200, 201)) if self.health else ("/", range(500))
        for attempt in range(1, HEALTH_TRIES + 1):
            invocation = remote.invoke(self.api, self.config, remote.health_event(path), version)
            response = invocation.result if isinstance(invocation.result, dict) else {"body": invocation.result}
            status = response.get("statusCode")
            if status in accepted:
                self.report(f"Version {version} passes {path}.")
                return
            if status != 503 or attempt == HEALTH_TRIES:
                reason = invocation.error or f"{status}: {str(response.get('body', response))[:500]}"
                raise DeployError(f"version {version}, {path}: {reason}\n{invocation.log}".rstrip())
            time.sleep(HEALTH_PAUSE)

    def _is_healthy(self, version: str) -> bool:
        try:
            self._check_health(version)
        except ApiError:
            raise
        except DeployError:
            return False
        return True

    def _triggers(self) -> list[dict[str, Any]]:
        return triggers.existing(self.api, self.config)

    def _synchronise(self, kinds: tuple[str, ...]) -> None:
        for line in triggers.synchronise(self.api, self.config, kinds, self._triggers()):
            self.report(f"Trigger {line}.")

    def _wait(self) -> dict[str, Any]:
        names = name_and_namespace(self.config)
        return wait_until_active(self.api, f"Function {self.config.name}", "GetFunction", **names)

    def _delete(self) -> None:
        """Delete the function with all versions and wait until the platform has done so."""
        names = name_and_namespace(self.config)
        self.api.call("DeleteFunction", **names)
        for _ in range(POLLS):
            if find(self.api, "GetFunction", **names) is None:
                return
            time.sleep(POLL_EVERY)
        raise DeployError(f"function {self.config.name} is still being deleted")

    @property
    def traffic(self) -> str:
        """Return a sentence that names the version receiving traffic, '' before that is known."""
        if self.live is None:
            return ""
        return f"Version {self.live} receives traffic. " if self.live else "No version receives traffic. "

    @contextmanager
    def _step(self, step: str, advice: str = AGAIN) -> Iterator[None]:
        """Add the failed step, the version receiving traffic and the next command to the error."""
        try:
            yield
        except DeployError as error:
            if isinstance(error, ApiUnreachable) and self.live is None:
                raise  # nothing was done yet, so there is nothing to continue
            raise DeployError(f"Could not {step}: {error}\n{self.traffic}{_advice(error) or advice}") from error


def _advice(error: DeployError) -> str:
    """Return the next command for a refusal whose cause lies in the account, or ''."""
    code = error.code if isinstance(error, ApiError) else ""
    return next((advice for prefix, advice in ADVICE.items() if code.startswith(prefix)), "")
