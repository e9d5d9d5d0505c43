"""Pytest plugin, loaded before Django: the whole suite runs with deferred imports, as an instance does.

`LAZY_IMPORTS=0 pytest` runs it without.
"""

from __future__ import annotations

import os

from mydjango.cold_start import deferred_imports
from mydjango.cold_start.deferred_modules import MODULES

if os.environ.get("LAZY_IMPORTS") != "0":
    # As in mydjango/wsgi.py, which reads the settings and so cannot be imported yet.
    deferred_imports.install({**MODULES, "survey.guest.services": deferred_imports.Deferred()})
