"""Run management commands, each an argument, as one Django process in the environment of the function's instances.

`faaskit/local/preparation.py` starts this file by its path. `--migrate-sqlite` comes first and is no command: it
migrates the default database where that is SQLite.
"""

from __future__ import annotations

import shlex
import sys
from io import StringIO

import django
from django.core.management import call_command
from django.db import connection

if __name__ == "__main__":
    sys.path.pop(0)  # the folder of this file
    django.setup()
    for command in sys.argv[1:]:
        if command == "--migrate-sqlite":
            if connection.vendor == "sqlite":
                call_command("migrate", verbosity=0)
        else:
            call_command(*shlex.split(command), stdout=StringIO())
