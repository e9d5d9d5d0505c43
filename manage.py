#!/usr/bin/env python
"""Django's command line for this project."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the management command of sys.argv. Raises SystemExit where a package is missing or a setting is wrong."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mydjango.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError as error:
        raise SystemExit(
            "Django is not installed here: run 'make run', or 'pip install -r requirements.txt'."
        ) from error
    try:
        execute_from_command_line(sys.argv)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "index", "mydjango", "survey"):
            raise
        raise SystemExit(
            f"The package {package} is not installed here: the commands for development need "
            "'pip install -r requirements-dev.txt'."
        ) from error
    except ImproperlyConfigured as error:
        if "--traceback" in sys.argv:
            raise
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
