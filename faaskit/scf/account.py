"""The account that commands of this folder work on: serverless.yml's function, keys and region of the environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from faaskit import function_config
from faaskit.function_config import FunctionConfig, FunctionConfigError
from faaskit.scf.api import Api, DeployError, DryRun, ScfApi, credentials, required_credentials
from faaskit.scf.upload import Bucket


@dataclass(frozen=True)
class Account:
    """A way to the API, and what serverless.yml (with deploy/layer/serverless.yml, where there is one) describes."""

    api: Api
    config: FunctionConfig
    layer_config: FunctionConfig | None = None
    bucket: Bucket | None = None


def open_account(folder: Path, dry_run: bool = False, say: Callable[[str], None] = print) -> Account:
    """Read the files of `folder`, its .env and the environment; raises DeployError.

    SCF_ENDPOINT and COS_ENDPOINT (http://host:port) name another address of the API, such as a proxy inside a VPC.
    """
    layer_file = folder / "deploy" / "layer" / "serverless.yml"
    try:
        environ = function_config.deployment_environ(folder)
        config = function_config.load(folder / "serverless.yml", environ)
        # One stage for both: a copy of the folder is another stage as soon as its function is.
        layer_config = function_config.load(layer_file, environ, config.stage) if layer_file.is_file() else None
    except FunctionConfigError as error:
        raise DeployError(str(error)) from error
    keys = credentials(environ) if dry_run else required_credentials(environ)
    real = ScfApi(config.region, keys, environ.get("SCF_ENDPOINT", "")) if keys else None
    api = DryRun(real, say) if dry_run or real is None else real
    name = environ.get("CODE_BUCKET", "")
    bucket = Bucket(name, config.region, keys, environ.get("COS_ENDPOINT", "")) if name and keys else None
    return Account(api, config, layer_config, bucket)
