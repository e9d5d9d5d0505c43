"""The registry of jobs that a timer runs every minute: management commands that apps register in their module `jobs`.

On a platform the triggers of serverless.yml run them, locally `manage.py runserver`.
"""

from __future__ import annotations

from django.utils.module_loading import autodiscover_modules

_COMMANDS: list[str] = []


def register(command: str) -> None:
    """Register a management command that needs no argument and may run several times at once."""
    _COMMANDS.append(command)


def commands() -> list[str]:
    """Return the registered commands of all apps."""
    autodiscover_modules("jobs")
    return _COMMANDS
