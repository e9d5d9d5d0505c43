"""The list for mydjango/lazy_imports.py: what requests rarely use of what Django and others import, and why it is safe.

What each entry saves is printed by `python benchmarks/coldstart.py --modules`.
"""

from __future__ import annotations

import sys

from mydjango.lazy_imports import Deferred, is_pending


def get_running_loop() -> object:
    """asyncio's: as long as nobody has imported asyncio, no loop can be running."""
    if is_pending("asyncio"):
        raise RuntimeError("no running event loop")
    return sys.modules["asyncio"].get_running_loop()


MODULES = {
    "asyncio": Deferred(
        submodules=("base_futures", "constants", "coroutines", "format_helpers", "log"),
        exports={"iscoroutine": "coroutines", "iscoroutinefunction": "coroutines"},
        values={"get_running_loop": get_running_loop},
    ),
    "django.core.checks": Deferred(
        submodules=("messages", "registry", "urls"),
        exports={
            **dict.fromkeys(("CheckMessage", "Critical", "Debug", "Error", "Info", "Warning"), "messages"),
            **dict.fromkeys(("Tags", "register"), "registry"),
        },
    ),
    "django.core.mail": Deferred(stand_ins=("get_connection",)),
    "django.core.management": Deferred(submodules=("color",)),
    "django.core.serializers": Deferred(submodules=("json",)),
    "django.core.serializers.json": Deferred(stand_ins=("DjangoJSONEncoder",)),
    "django.views": Deferred(submodules=("debug", "decorators"), stand_ins=("View",)),
    "django.views.debug": Deferred(),
}
