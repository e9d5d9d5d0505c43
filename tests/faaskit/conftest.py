"""Fixtures that several modules of these tests use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from faaskit.package import requirements
from tests.support.local_servers import Client, Server, rungateway


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make an empty folder the only index that pip is configured with."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in requirements.UV_INDEX_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "none"))
    return folder


@pytest.fixture
def serve(folder: Path) -> Iterator[Callable[..., tuple[Server, Client]]]:
    """Start gateways over the module's folder, and end them."""
    servers = []

    def start(*options: str, timers: bool = False) -> tuple[Server, Client]:
        server = rungateway(*options, *([] if timers else ["--no-timers"]), folder=folder)
        servers.append(server)
        return server, server.client()

    yield start
    for server in servers:
        server.stop()
