"""From serverless.yml and build/ to a running URL.

Nothing that guests use changes until the end: code and configuration go to `$LATEST`, which is published as a version;
that version migrates the database and answers a direct invocation of /healthz; only then does the default alias, to
which URL and timers are bound, move to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from faaskit.function_config import FunctionConfig
from faaskit.scf import default_alias, layer, remote, triggers, versions
from faaskit.scf.api import POLL_EVERY, POLLS, Api, ApiError, ApiUnreachable, DeployError, find, wait_until_active
from faaskit.scf.default_alias import LATEST, Alias
from faaskit.scf.parameters import create_function, fingerprint, name_and_namespace, settings, update_configuration
from faaskit.scf.upload import Archive, Bucket, send

HEALTH_TRIES = 3  # a database that sleeps while nobody is connected (TDSQL-C) needs a moment
HEALTH_PAUSE = 5.0  # seconds
AGAIN = "Run the same command again: it takes up where it stopped."


@dataclass
class Deployment:
    """One function with its layer, as serverless.yml describes them, and the account that it goes to."""

    config: FunctionConfig
    layer_config: FunctionConfig | None
    api: Api
    say: Callable[[str], None]
    pause: Callable[[float], None]
    bucket: Bucket | None = None
    health_path: str = "/healthz"
    migrate: bool = True
    # The version that guests get at this moment, for what is said when a step fails: '' for none, None before we know.
    serving: str | None = field(default=None, init=False)

    def deploy(self, function: Archive, layer_archive: Archive | None) -> str:
        """Bring the account to what serverless.yml and the archives say; returns the public URL."""
        present, alias = self._read()
        layers = self._layers(layer_archive)
        with self._step("find the public URL"):
            url = self._url(self._triggers())
        mark = fingerprint(function.content, self.config, self._settings(url, layers))
        if present and url and self._is_released(alias.version, mark):
            self.say(f"Version {alias.version} already is this code and configuration.")
        else:
            if present:
                alias = self._update_code(function, alias)
            else:
                self._create(function, self._settings(url, layers))
            url = url or self._discover_url()
            wanted = self._settings(url, layers)
            with self._step("update the configuration"):
                self.api.call("UpdateFunctionConfiguration", **update_configuration(wanted))
                self._wait()
            self._release(fingerprint(function.content, self.config, wanted), alias)
        with self._step("set the triggers"):
            self._synchronise(("http", "timer"))
        return url

    def rollback(self, version: str = "") -> str:
        """Move the alias back to the version before, or to the one named, and see whether it answers."""
        present, alias = self._read()
        if not present:
            raise DeployError(f"There is no function {self.config.name} in {self.config.region}.")
        target = version or alias.previous
        if not target:
            raise DeployError(f"No version before {alias.version} is known: name one, as in '--rollback 3'.")
        if target == alias.version:
            raise DeployError(f"Version {target} already serves.")
        self._move(target, alias.version)
        with self._step("see whether it answers", "Name another version, as in '--rollback 3'."):
            self._check_health(target)
        return target

    def remove(self) -> None:
        """Delete function, versions, triggers and the layer; nothing happens to what is already gone."""
        with self._step("delete the function"):
            if find(self.api, "GetFunction", **name_and_namespace(self.config)) is None:
                self.say(f"There is no function {self.config.name} in {self.config.region}.")
            else:
                self._delete()
                self.say(f"Function {self.config.name} with its versions and triggers is deleted.")
        if self.layer_config is not None:
            with self._step("delete the layer"):
                count = layer.remove(self.api, self.layer_config.name)
                self.say(f"Layer {self.layer_config.name}: {count} versions deleted.")

    def _layers(self, archive: Archive | None) -> list[dict[str, Any]]:
        """The layers; the one of deploy/layer/serverless.yml is published if its archive is new."""
        found = []
        for entry in self.config.inputs.get("layers") or []:
            version = entry["version"]
            if str(version).startswith("${output:"):
                if self.layer_config is None or archive is None:
                    file = self.config.path.parent / "deploy" / "layer" / "serverless.yml"
                    raise DeployError(f"{file} is missing: it describes layer {entry['name']}.")
                if entry["name"] != self.layer_config.name:
                    raise DeployError(
                        f"{self.layer_config.path} describes layer {self.layer_config.name}, wanted {entry['name']}."
                    )
                with self._step("publish the layer"):
                    version, new = layer.publish(self.api, self.layer_config, archive, self.bucket, self.pause)
                self.say(f"Layer {entry['name']}: version {version}{'' if new else ', unchanged'}.")
            found.append({"LayerName": entry["name"], "LayerVersion": version})
        return found

    def _read(self) -> tuple[bool, Alias]:
        """(whether the function is there, its default alias); one whose creation had failed is deleted first."""
        with self._step("read the function"):
            function = find(self.api, "GetFunction", **name_and_namespace(self.config))
            if function is not None and function.get("Status") == "CreateFailed":
                self.say("The function could not be created last time: deleting the remains.")
                self._delete()
                function = None
            if function is None:
                self.serving = ""
                return False, Alias(LATEST)
            self._wait()
            self._check_runtime(function)
            alias = default_alias.read(self.api, self.config)
            self.serving = alias.version
            return True, alias

    def _check_runtime(self, function: dict[str, Any]) -> None:
        """The platform cannot change a function's runtime or type."""
        for key, wanted in (("Runtime", str(self.config.inputs.get("runtime", ""))), ("Type", "Event")):
            if function.get(key, wanted) != wanted:
                raise DeployError(
                    f"the function's {key.lower()} is {function[key]}, not {wanted}, and cannot be changed; give the "
                    "function another name in serverless.yml, or delete it with '--remove'."
                )

    def _settings(self, url: str, layers: list[dict[str, Any]]) -> dict[str, Any]:
        return settings(self.config, self.config.environment | {"PUBLIC_URL": url}, layers)

    def _url(self, present: list[dict[str, Any]]) -> str:
        """PUBLIC_URL as it is set, else the Function URL if there is one already."""
        return self.config.environment.get("PUBLIC_URL") or triggers.function_url(present)

    def _is_released(self, version: str, mark: str) -> bool:
        with self._step("read the versions"):
            return versions.mark(self.api, self.config, version) == mark

    def _create(self, archive: Archive, wanted: dict[str, Any]) -> None:
        with self._step("create the function"):
            self.say(f"Creating function {self.config.name} in {self.config.region}.")
            send(self.api, "CreateFunction", archive, self.bucket, "Code", **create_function(self.config, wanted))
            self._wait()

    def _update_code(self, archive: Archive, alias: Alias) -> Alias:
        """New code to $LATEST, which must not be what guests get: then the old code first becomes a version."""
        with self._step("keep the present code serving"):
            if alias.version == LATEST and self._answers(LATEST):
                version = versions.publish(self.api, self.config, "", self.pause)
                default_alias.move(self.api, self.config, version, "")
                self.say(f"What served as $LATEST serves on as version {version}.")
                alias = Alias(version)
                self.serving = version
        with self._step("update the code"):
            self.say(f"Updating function {self.config.name} in {self.config.region}.")
            names = name_and_namespace(self.config)
            send(self.api, "UpdateFunctionCode", archive, self.bucket, "Code", **names, Handler=self.config.handler)
            self._wait()
        return alias

    def _discover_url(self) -> str:
        """Before the first deployment nobody knows the URL: create the trigger, which has it, and read it."""
        with self._step("create the Function URL"):
            self._synchronise(("http",))
            url = self._url(self._triggers())
            if not url and self.api.dry_run:
                return "https://the-function-url.example"
            if not url:
                self.say("serverless.yml has no public Function URL, and PUBLIC_URL is not set.")
            return url

    def _release(self, mark: str, alias: Alias) -> None:
        """Publish $LATEST, migrate, see that the version answers, give it to the guests, tidy up."""
        with self._step("publish a version"):
            version = versions.publish(self.api, self.config, mark, self.pause)
        if self.migrate:
            with self._step("migrate the database", "The database may hold a part of the migration. " + AGAIN):
                self._migrate(version)
        with self._step("verify the new version", "Repair what its log says, package and deploy again."):
            self._check_health(version)
        self._move(version, alias.version)
        with self._step("delete old versions"):
            versions.prune(self.api, self.config, keep={version, alias.version})

    def _move(self, version: str, previous: str) -> None:
        with self._step("move the alias"):
            default_alias.move(self.api, self.config, version, previous)
        self.serving = version
        self.say(f"Version {version} serves.")

    def _migrate(self, version: str) -> None:
        """Run `migrate` in the new version, while the old one serves on the same database."""
        result = remote.invoke(self.api, self.config, remote.manage_event(["migrate", "--noinput"]), version)
        if self.api.dry_run:
            return
        if result.error or not isinstance(result.answer, dict) or result.answer.get("exit_code") != 0:
            output = result.answer.get("output") if isinstance(result.answer, dict) else result.answer
            raise DeployError(f"version {version}: {result.error or output}\n{result.log}".rstrip())
        self.say("The database is migrated.")

    def _check_health(self, version: str) -> None:
        """Raise DeployError unless the version answers the health path with 200."""
        for attempt in range(1, HEALTH_TRIES + 1):
            result = remote.invoke(self.api, self.config, remote.health_event(self.health_path), version)
            if self.api.dry_run:
                return
            answer = result.answer if isinstance(result.answer, dict) else {}
            if answer.get("statusCode") == 200:
                self.say(f"Version {version} answers {self.health_path}.")
                return
            if answer.get("statusCode") != 503 or attempt == HEALTH_TRIES:
                got = result.error or f"{answer.get('statusCode')}: {str(answer.get('body', result.answer))[:500]}"
                raise DeployError(f"version {version}, {self.health_path}: {got}\n{result.log}".rstrip())
            self.pause(HEALTH_PAUSE)

    def _answers(self, version: str) -> bool:
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
            self.say(f"Trigger {line}.")

    def _wait(self) -> None:
        names = name_and_namespace(self.config)
        wait_until_active(self.api, self.pause, f"Function {self.config.name}", "GetFunction", **names)

    def _delete(self) -> None:
        """Delete the function with all versions and wait until it is gone."""
        names = name_and_namespace(self.config)
        self.api.call("DeleteFunction", **names)
        for _ in range(POLLS):
            if self.api.dry_run or find(self.api, "GetFunction", **names) is None:
                return
            self.pause(POLL_EVERY)
        raise DeployError(f"function {self.config.name} is still being deleted")

    @contextmanager
    def _step(self, what: str, advice: str = AGAIN) -> Iterator[None]:
        """Turn a failure into what somebody needs who stands before it: what failed, what serves, what to do."""
        try:
            yield
        except DeployError as error:
            if isinstance(error, ApiUnreachable) and self.serving is None:
                raise  # the first question already: there is nothing to take up again
            serves = "" if self.serving is None else f"Version {self.serving or 'none'} serves. "
            raise DeployError(f"Could not {what}: {error}\n{serves}{_advice(error) or advice}") from error


def _advice(error: DeployError) -> str:
    """What to do about the refusals whose cause lies in the account."""
    code = error.code if isinstance(error, ApiError) else ""
    if code.startswith("AuthFailure"):
        return "Check TENCENT_SECRET_ID, TENCENT_SECRET_KEY (and TENCENT_TOKEN), and this machine's clock."
    if code.startswith("UnauthorizedOperation"):
        return "The keys lack a permission: give their user QcloudSCFFullAccess (and QcloudCOSFullAccess for COS)."
    if code.startswith("LimitExceeded"):
        return (
            "The account has as many of these as it may have: delete some in the console, then run the command again."
        )
    if code.startswith("RequestSizeLimitExceeded"):
        return "Set CODE_BUCKET to the name of a COS bucket, such as survey-code-1250000000, and run the command again."
    return ""
