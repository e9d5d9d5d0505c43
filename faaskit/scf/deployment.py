"""Deploy serverless.yml and build/, roll back and remove.

Code and configuration go to `$LATEST`, which is published as a version. That version migrates the database and must
pass a direct invocation of /healthz; only then the default alias, to which URL and timers are bound, moves to it. Until
then guests use the old version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from faaskit.function_config import LAYER_FILE, FunctionConfig
from faaskit.scf import default_alias, layer, remote, triggers, versions
from faaskit.scf.api import POLL_EVERY, POLLS, Api, ApiError, ApiUnreachable, DeployError, find, wait_until_active
from faaskit.scf.default_alias import LATEST, Alias
from faaskit.scf.parameters import configuration, create_function, fingerprint, name_and_namespace, update_configuration
from faaskit.scf.upload import Archive, Bucket, send

HEALTH_TRIES = 3  # TDSQL-C pauses without connections and needs seconds to resume
HEALTH_PAUSE = 5.0  # seconds
AGAIN = "Run the same command again: it continues where it stopped."
ADVICE = {  # by the beginning of the platform's error code
    "AuthFailure": "Check TENCENT_SECRET_ID, TENCENT_SECRET_KEY (and TENCENT_TOKEN), and this machine's clock.",
    "UnauthorizedOperation": "Give the keys' user QcloudSCFFullAccess (and QcloudCOSFullAccess for COS).",
    "LimitExceeded": "Delete resources of this kind in the console, then run the command again.",
    "RequestSizeLimitExceeded": (
        "Set CODE_BUCKET to the name of a COS bucket, such as survey-code-1250000000, and run the command again."
    ),
}


@dataclass
class Deployment:
    """One function with its layer, as serverless.yml describes them, in one account."""

    config: FunctionConfig
    layer_config: FunctionConfig | None
    api: Api
    report: Callable[[str], None]
    pause: Callable[[float], None]
    bucket: Bucket | None = None
    health_path: str = "/healthz"
    migrate: bool = True
    # The version that receives traffic, for error messages: '' for none, None until it is read.
    live: str | None = field(default=None, init=False)

    def deploy(self, function: Archive, layer_archive: Archive | None) -> str:
        """Deploy the archives and return the public URL, '' for none; raises DeployError."""
        exists, alias = self._read()
        layers = self._layers(layer_archive)
        with self._step("find the public URL"):
            url = self._url(self._triggers())
        shared = self._configuration(url, layers)
        if exists and url and self._is_released(alias.version, fingerprint(function.content, self.config, shared)):
            self.report(f"Version {alias.version} already is this code and configuration.")
        else:
            if exists:
                alias = self._update_code(function, alias)
            else:
                self._create(function, shared)
            url = url or self._discover_url()
            shared = self._configuration(url, layers)
            with self._step("update the configuration"):
                self.api.call("UpdateFunctionConfiguration", **update_configuration(shared))
                self._wait()
            self._release(fingerprint(function.content, self.config, shared), alias)
        with self._step("set the triggers"):
            self._synchronise(("http", "timer"))
        return url

    def rollback(self, version: str = "") -> None:
        """Move the alias to `version`, or to the one before, and check its health; raises DeployError."""
        exists, alias = self._read()
        if not exists:
            raise DeployError(f"There is no function {self.config.name} in {self.config.region}.")
        target = version or alias.previous
        if not target:
            raise DeployError(f"No version before {alias.version} is known: name one, as in '--rollback 3'.")
        if target == alias.version:
            raise DeployError(f"Version {target} already receives traffic.")
        self._move_traffic(target, alias.version)
        with self._step("verify the version", "Name another version, as in '--rollback 3'."):
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
                    version, new = layer.publish(self.api, self.layer_config, archive, self.bucket, self.pause)
                self.report(f"Layer {entry['name']}: version {version}{'' if new else ', unchanged'}.")
            found.append({"LayerName": entry["name"], "LayerVersion": version})
        return found

    def _read(self) -> tuple[bool, Alias]:
        """Return whether the function exists, and its default alias. Delete a function whose creation had failed."""
        with self._step("read the function"):
            function = find(self.api, "GetFunction", **name_and_namespace(self.config))
            if function is not None and function.get("Status") == "CreateFailed":
                self.report("The creation of the function failed last time: deleting the remains.")
                self._delete()
                function = None
            if function is None:
                self.live = ""
                return False, Alias(LATEST)
            self._wait()
            self._check_runtime(function)
            alias = default_alias.read(self.api, self.config)
            self.live = alias.version
            return True, alias

    def _check_runtime(self, function: dict[str, Any]) -> None:
        """Raise DeployError for another runtime or type, which the platform cannot change."""
        for key, wanted in (("Runtime", str(self.config.inputs.get("runtime", ""))), ("Type", "Event")):
            if function.get(key, wanted) != wanted:
                raise DeployError(
                    f"the function's {key.lower()} is {function[key]}, not {wanted}, and cannot be changed; give the "
                    "function another name in serverless.yml, or delete it with '--remove'."
                )

    def _configuration(self, url: str, layers: list[dict[str, Any]]) -> dict[str, Any]:
        return configuration(self.config, self.config.environment | {"PUBLIC_URL": url}, layers)

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

    def _update_code(self, archive: Archive, alias: Alias) -> Alias:
        """Update $LATEST; first publish the old code and move traffic to that if $LATEST receives it and is healthy."""
        with self._step("keep the present code in use"):
            if alias.version == LATEST and self._is_healthy(LATEST):
                version = versions.publish(self.api, self.config, "", self.pause)
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

    def _discover_url(self) -> str:
        """Create the http trigger of a new function and return its URL, which nobody knows before."""
        with self._step("create the Function URL"):
            self._synchronise(("http",))
            url = self._url(self._triggers())
            if not url and self.api.dry_run:
                return "https://the-function-url.example"
            if not url:
                self.report("serverless.yml has no public Function URL, and PUBLIC_URL is not set.")
            return url

    def _release(self, wanted: str, alias: Alias) -> None:
        """Publish $LATEST with its fingerprint, migrate, check its health, move traffic, delete old versions."""
        with self._step("publish a version"):
            version = versions.publish(self.api, self.config, wanted, self.pause)
        if self.migrate:
            with self._step("migrate the database", "The database may hold a part of the migration. " + AGAIN):
                self._migrate(version)
        with self._step("verify the new version", "Repair what its log says, package and deploy again."):
            self._check_health(version)
        self._move_traffic(version, alias.version)
        with self._step("delete old versions"):
            versions.prune(self.api, self.config, keep={version, alias.version})

    def _move_traffic(self, version: str, previous: str) -> None:
        with self._step("move the alias"):
            default_alias.move(self.api, self.config, version, previous)
        self.live = version
        self.report(f"Version {version} receives traffic.")

    def _migrate(self, version: str) -> None:
        """Run `migrate` in the new version, while the old one receives traffic on the same database."""
        invocation = remote.invoke(self.api, self.config, remote.manage_event(["migrate", "--noinput"]), version)
        if self.api.dry_run:
            return
        result = invocation.result if isinstance(invocation.result, dict) else {"output": invocation.result}
        if invocation.error or result.get("exit_code") != 0:
            reason = invocation.error or result.get("output")
            raise DeployError(f"version {version}: {reason}\n{invocation.log}".rstrip())
        self.report("The database is migrated.")

    def _check_health(self, version: str) -> None:
        """Raise DeployError unless the version responds to the health path with 200."""
        for attempt in range(1, HEALTH_TRIES + 1):
            invocation = remote.invoke(self.api, self.config, remote.health_event(self.health_path), version)
            if self.api.dry_run:
                return
            response = invocation.result if isinstance(invocation.result, dict) else {"body": invocation.result}
            status = response.get("statusCode")
            if status == 200:
                self.report(f"Version {version} passes {self.health_path}.")
                return
            if status != 503 or attempt == HEALTH_TRIES:
                reason = invocation.error or f"{status}: {str(response.get('body', response))[:500]}"
                raise DeployError(f"version {version}, {self.health_path}: {reason}\n{invocation.log}".rstrip())
            self.pause(HEALTH_PAUSE)

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

    def _wait(self) -> None:
        names = name_and_namespace(self.config)
        wait_until_active(self.api, self.pause, f"Function {self.config.name}", "GetFunction", **names)

    def _delete(self) -> None:
        """Delete the function with all versions and wait until the platform has done so."""
        names = name_and_namespace(self.config)
        self.api.call("DeleteFunction", **names)
        for _ in range(POLLS):
            if self.api.dry_run or find(self.api, "GetFunction", **names) is None:
                return
            self.pause(POLL_EVERY)
        raise DeployError(f"function {self.config.name} is still being deleted")

    @contextmanager
    def _step(self, step: str, advice: str = AGAIN) -> Iterator[None]:
        """Add the failed step, the version receiving traffic and the next command to the error."""
        try:
            yield
        except DeployError as error:
            if isinstance(error, ApiUnreachable) and self.live is None:
                raise  # nothing was done yet, so there is nothing to continue
            traffic = ""
            if self.live is not None:
                traffic = f"Version {self.live} receives traffic. " if self.live else "No version receives traffic. "
            raise DeployError(f"Could not {step}: {error}\n{traffic}{_advice(error) or advice}") from error


def _advice(error: DeployError) -> str:
    """Return the next command for a refusal whose cause lies in the account, or ''."""
    code = error.code if isinstance(error, ApiError) else ""
    return next((advice for prefix, advice in ADVICE.items() if code.startswith(prefix)), "")
