"""The account and function that a command works on, from serverless.yml and the environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from faaskit import function_config
from faaskit.function_config import LAYER_FILE, FunctionConfig, FunctionConfigError
from faaskit.scf.api import Api, DeployError, TencentApi, credentials
from faaskit.scf.planned import PlannedApi, PlannedBucket
from faaskit.scf.upload import Bucket, Store

NO_KEYS = (
    "TENCENT_SECRET_ID and TENCENT_SECRET_KEY are not set: put your account's keys (console: CAM, API keys) "
    "into the environment or into {} beside serverless.yml."
)


@dataclass(frozen=True)
class Account:
    """The API, and the descriptions of the function and, where deploy/layer/serverless.yml exists, its layer."""

    api: Api
    config: FunctionConfig
    layer_config: FunctionConfig | None = None
    bucket: Store | None = None
    open_bucket: Callable[[str, str], Store] | None = None  # by name and region


def open_account(folder: Path, dry_run: bool = False, stage: str = "") -> Account:
    """Read the files of `folder`, those of the stage among them, and the environment; raises DeployError.

    A dry run sends no call and prints each. SCF_ENDPOINT, CLS_ENDPOINT and COS_ENDPOINT (http://host:port)
    name another address of the API, such as a proxy inside a VPC.
    """
    layer_file = folder / LAYER_FILE
    try:
        environ = function_config.deployment_environ(folder, stage)
        config = function_config.load(folder / "serverless.yml", environ, stage)
        # One stage for both: a copy of the folder is another stage as soon as its function is.
        layer_config = function_config.load(layer_file, environ, config.stage) if layer_file.is_file() else None
    except FunctionConfigError as error:
        raise DeployError(str(error)) from error
    name = environ.get("CODE_BUCKET", "")
    if dry_run:
        planned = PlannedBucket(name or "the value of CODE_BUCKET")
        return Account(PlannedApi(), config, layer_config, planned, lambda name, region: PlannedBucket(name))
    keys = credentials(environ)
    if keys is None:
        raise DeployError(NO_KEYS.format(function_config.env_file(folder, stage).name))

    def open_bucket(name: str, region: str) -> Store:
        return Bucket(name, region, keys, environ.get("COS_ENDPOINT", ""))

    bucket = open_bucket(name, config.region) if name else None
    return Account(TencentApi(config.region, keys, environ), config, layer_config, bucket, open_bucket)
