"""Pytest plugin, loaded before Django: the whole suite runs with deferred imports, as an instance does.

`LAZY_IMPORTS=0 pytest` runs it without.
"""

from __future__ import annotations

import os

from mydjango.cold_start import deferred_imports, deferred_modules

if os.environ.get("LAZY_IMPORTS") != "0":
    deferred_imports.install(deferred_modules.MODULES)
