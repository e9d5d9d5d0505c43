"""Environment variables: typed reading with a clear error, and which function platform this is."""

from __future__ import annotations

import os

from django.core.exceptions import ImproperlyConfigured

TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off"}


def text(name: str, default: str = "") -> str:
    """The variable without surrounding white space; an empty one counts as unset."""
    return os.environ.get(name, "").strip() or default


def flag(name: str, default: bool) -> bool:
    """A yes-or-no variable: 1/0, true/false, yes/no, on/off; anything else raises ImproperlyConfigured."""
    value = text(name).lower()
    if not value:
        return default
    if value in TRUE or value in FALSE:
        return value in TRUE
    raise ImproperlyConfigured(f"{name}={os.environ[name]!r} is neither true nor false: use 1 or 0.")


def integer(name: str, default: int, minimum: int = 0) -> int:
    """A whole number of at least `minimum`; anything else raises ImproperlyConfigured."""
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
    """'scf', 'lambda' or 'fc' where the platform's own variable is present, else ''."""
    if os.environ.get("TENCENTCLOUD_RUNENV"):
        return "scf"
    if os.environ.get("AWS_LAMBDA_FUNCTION_NAME"):
        return "lambda"
    if os.environ.get("FC_FUNCTION_NAME"):
        return "fc"
    return ""
