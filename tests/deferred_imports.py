"""Pytest plugin, loaded before Django: the whole suite runs with deferred imports, as an instance does.

`LAZY_IMPORTS=0 pytest` runs it without.
"""

from __future__ import annotations

import os

from mydjango import deferred_modules, lazy_imports

if os.environ.get("LAZY_IMPORTS") != "0":
    lazy_imports.install(deferred_modules.MODULES)
