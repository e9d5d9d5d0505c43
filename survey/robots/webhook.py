"""Post to webhook addresses, and to nothing else: people type them, and the function stands inside a private network.

Only https, only to the hosts of the services and to those of ROBOT_HOSTS, without following a redirect. The name is
resolved once and the connection made to the address that was examined, so that a second look-up cannot lead elsewhere.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import socket
import ssl
import time
from functools import cached_property
from typing import Any
from urllib.parse import urlsplit

from survey.robots.addresses import WebhookError, host_of

LONGEST_RESPONSE = 65_536  # bytes


class Client:
    """Posts JSON. The trusted certificates are read once."""

    @cached_property
    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.sslsocket_class = _BoundedSocket
        return context

    def post(self, url: str, body: dict[str, object], deadline: float) -> tuple[int, dict[str, Any]]:
        """Return the status and the JSON object of the response, before `deadline` (of time.monotonic()).

        Raises WebhookError, OSError and http.client.HTTPException.
        """
        host, port = host_of(url)
        connection = _Connection(host, port, self._context, deadline)
        parts = urlsplit(url)
        try:
            connection.request(
                "POST",
                parts.path + (f"?{parts.query}" if parts.query else ""),
                json.dumps(body, ensure_ascii=False).encode(),
                {"Content-Type": "application/json; charset=utf-8", "Connection": "close"},
            )
            response = connection.getresponse()
            content = response.read(LONGEST_RESPONSE)
        finally:
            connection.close()
        if response.status // 100 == 3:
            raise WebhookError(f"HTTP {response.status}: a redirect, which is not followed.")
        try:
            reply = json.loads(content)
        except ValueError:
            reply = None
        if not isinstance(reply, dict):
            raise WebhookError(f"HTTP {response.status} without a JSON object.")
        return response.status, reply


class _BoundedSocket(ssl.SSLSocket):
    """A socket whose every read is bounded anew, since one byte a second would never time out."""

    deadline = 0.0

    def recv_into(self, *args: Any, **options: Any) -> int:  # noqa: ANN401  (the standard library's signature)
        self.settimeout(_left(self.deadline))
        return super().recv_into(*args, **options)


class _Connection(http.client.HTTPSConnection):
    """A connection to the examined address of its host."""

    def __init__(self, host: str, port: int, context: ssl.SSLContext, deadline: float) -> None:
        super().__init__(host, port, context=context)
        self._trust, self._deadline = context, deadline

    def connect(self) -> None:
        address = _address(self.host, self.port)
        plain = socket.create_connection((address, self.port), _left(self._deadline))
        try:
            plain.settimeout(_left(self._deadline))  # for the whole handshake
            encrypted: Any = self._trust.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise
        encrypted.deadline = self._deadline
        self.sock = encrypted


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("The conversation took too long.")
    return left


def _address(host: str, port: int) -> str:
    """Return an address of the host that is not in a private network. Raises WebhookError without one.

    IPv4 alone: the platforms have no other way out, and IPv6 has many spellings of a private IPv4 address. An address
    that ROBOT_HOSTS itself names, not by a host name, is the operator's choice.
    """
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        found = socket.getaddrinfo(host, port, socket.AF_INET, socket.SOCK_STREAM)
    else:
        return host
    addresses = [str(address[0]) for *_kind, address in found]
    public = next(filter(_is_public, addresses), None)
    if public is None:
        raise WebhookError(f"{host} is in a private network.")
    return public


def _is_public(address: str) -> bool:
    parsed = ipaddress.IPv4Address(address)
    return parsed.is_global and not parsed.is_multicast
