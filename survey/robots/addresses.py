"""The webhook addresses that robots may have."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

from survey.robots.services import SERVICES

HTTPS_PORT = 443


class WebhookError(Exception):
    """Raised when an address is refused or gives no usable response. The text names neither the path nor the query."""


def host_of(url: str) -> tuple[str, int]:
    """Return host and port of a webhook address. Raises WebhookError for one that no robot has."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or HTTPS_PORT
    except ValueError:
        raise WebhookError("This is no address.") from None
    is_plain = url.isascii() and url.isprintable() and not any(character in url for character in " \\#")
    if parts.scheme != "https" or "@" in parts.netloc or not is_plain or parts.path in ("", "/"):
        raise WebhookError("The address is not like https://host/path.")
    hosts = {(service.host, HTTPS_PORT) for service in SERVICES.values()} | set(settings.ROBOT_HOSTS)
    if (host, port) not in hosts:
        raise WebhookError(f"{host}:{port} is neither a service's host nor in ROBOT_HOSTS.")
    return host, port
