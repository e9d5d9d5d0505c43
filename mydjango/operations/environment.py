"""Read environment variables as typed values, and detect the function platform."""

from __future__ import annotations

import os

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}
PLATFORM_DOMAINS = {
    "scf": (".tencentscf.com", ".apigw.tencentcs.com"),
    "lambda": (
        ".lambda-url.{region}.on.aws",
        ".execute-api.{region}.amazonaws.com",
        ".execute-api.{region}.amazonaws.com.cn",
    ),
    "fc": (".{region}.fcapp.run",),
}
PLATFORMS = {"TENCENTCLOUD_RUNENV": "scf", "AWS_LAMBDA_FUNCTION_NAME": "lambda", "FC_FUNCTION_NAME": "fc"}


def text(name: str, default: str = "") -> str:
    """Return a variable without surrounding white space. An empty variable counts as unset."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool) -> bool:
    """Return a variable whose value is in TRUE or FALSE. Raises ImproperlyConfigured for any other value."""
    value = text(name).lower()
    if not value:
        return default
    if value in TRUE or value in FALSE:
        return value in TRUE
    raise ImproperlyConfigured(f"{name}={os.environ[name]!r} is neither true nor false: use 1 or 0.")


def integer(name: str, default: int, minimum: int = 0) -> int:
    """Return a whole number of at least `minimum`. Raises ImproperlyConfigured for any other value."""
    value = text(name)
    if not value:
        return default
    try:
        number = int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number.") from None
    if number < minimum:
        raise ImproperlyConfigured(f"{name}={number} is below {minimum}.")
    return number


def platform() -> str:
    """Return 'scf', 'lambda' or 'fc' by the variable that the platform sets, or '' elsewhere."""
    return next((name for variable, name in PLATFORMS.items() if os.environ.get(variable)), "")


def region() -> str:
    """Return the region that AWS and FC report, else AWS's default."""
    return os.environ.get("AWS_REGION") or os.environ.get("FC_REGION") or "us-east-1"


def platform_hosts() -> list[str]:
    """Return the domains below which the platform gives each function a host, as ALLOWED_HOSTS takes them.

    The platform routes by these hosts, so a request cannot choose another one. Elsewhere there are none.
    """
    region = os.environ.get("AWS_REGION") or os.environ.get("FC_REGION", "")
    return [domain.format(region=region) for domain in PLATFORM_DOMAINS.get(platform(), ())]
