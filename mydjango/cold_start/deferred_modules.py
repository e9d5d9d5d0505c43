"""The modules of the standard library and of packages that requests rarely use: imported on first use."""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from http import HTTPStatus
from types import GeneratorType

from mydjango.cold_start.deferred_imports import Deferred

CO_COROUTINE = 0x80  # as inspect has it


def get_running_loop() -> object:
    """Stand in for asyncio's function: no loop runs before asyncio is imported."""
    if "asyncio.events" not in sys.modules:
        raise RuntimeError("no running event loop")
    return sys.modules["asyncio.events"].get_running_loop()


def iscoroutine(value: object) -> bool:
    """Stand in for asyncio's function; before Python 3.12 it takes generators for coroutines."""
    return isinstance(value, Coroutine) or (sys.version_info < (3, 12) and isinstance(value, GeneratorType))


def iscoroutinefunction(function: object) -> bool:
    """Stand in for asgiref's function: before asgiref.sync runs nothing is marked, and only a function's code tells."""
    if "asgiref.current_thread_executor" in sys.modules:  # which asgiref.sync imports
        return bool(sys.modules["asgiref.sync"].iscoroutinefunction(function))
    return bool(getattr(getattr(function, "__code__", None), "co_flags", 0) & CO_COROUTINE)


class NeverSent:
    """Stand in for the autoreloader's signals.

    Only the development server sends them, and it has imported their module before wsgi.py defers it.
    """

    def connect(self, *_args: object, **_kwargs: object) -> None:
        """Do nothing: no such signal is sent."""


MODULES = {
    # The standard library.
    "asyncio": Deferred(
        submodules=("base_futures", "constants", "coroutines", "format_helpers", "log"),
        exports={"iscoroutinefunction": "coroutines"},
        values={"get_running_loop": get_running_loop, "iscoroutine": iscoroutine},
    ),
    "calendar": Deferred(),
    "colorsys": Deferred(stand_ins=("hls_to_rgb", "rgb_to_hls")),
    "difflib": Deferred(),
    # Django parses headers with parameters by these, and writes dates with them.
    "email._parseaddr": Deferred(
        stand_ins=("AddressList", "_parsedate_tz", "mktime_tz", "parsedate", "parsedate_tz", "quote")
    ),
    "email.charset": Deferred(stand_ins=("Charset",)),
    "email.header": Deferred(stand_ins=("Header",)),
    "email.message": Deferred(stand_ins=("Message",)),
    "email.utils": Deferred(stand_ins=("collapse_rfc2231_value", "format_datetime", "formatdate", "parseaddr")),
    "gzip": Deferred(stand_ins=("GzipFile", "compress")),
    "hashlib": Deferred(stand_ins=("md5",)),
    "hmac": Deferred(),
    "html": Deferred(submodules=("parser",), stand_ins=("escape", "unescape")),
    # Django's responses need only the names of the status codes, not an HTTP client with TLS and a parser of mails.
    "http.client": Deferred(values={"responses": {status: status.phrase for status in HTTPStatus}}),
    "ipaddress": Deferred(),
    "logging.config": Deferred(),
    "mimetypes": Deferred(),
    "multiprocessing": Deferred(),
    "pickle": Deferred(stand_ins=("PicklingError",)),
    "secrets": Deferred(),
    "selectors": Deferred(),
    "shutil": Deferred(stand_ins=("copymode", "copystat")),
    "signal": Deferred(),
    "smtplib": Deferred(),
    "socketserver": Deferred(stand_ins=("StreamRequestHandler", "ThreadingTCPServer")),
    "ssl": Deferred(),
    "subprocess": Deferred(),
    "tempfile": Deferred(),
    "textwrap": Deferred(),
    "uuid": Deferred(stand_ins=("UUID",)),
    "zoneinfo": Deferred(),
    # Threads and event loops for asynchronous views, of which there are none.
    "asgiref.sync": Deferred(
        stand_ins=("async_to_sync", "markcoroutinefunction", "sync_to_async"),
        values={"iscoroutinefunction": iscoroutinefunction},
    ),
    # PyMySQL needs RSA only for caching_sha2_password on a connection without TLS.
    "cryptography.hazmat.backends": Deferred(stand_ins=("default_backend",)),
    "cryptography.hazmat.primitives.asymmetric.padding": Deferred(),
    "cryptography.hazmat.primitives.hashes": Deferred(),
    "cryptography.hazmat.primitives.serialization": Deferred(),
    "pymysql.optionfile": Deferred(stand_ins=("Parser",)),
    # Django.
    "django.contrib.admin": Deferred(submodules=("exceptions", "models", "templatetags", "utils")),
    # A template engine imports the tags of every app to look for `register`.
    **{
        f"django.contrib.admin.templatetags.{name}": Deferred(stand_ins=("register",))
        for name in ("admin_list", "admin_modify", "admin_urls", "log")
    },
    "django.contrib.auth.hashers": Deferred(
        stand_ins=("acheck_password", "check_password", "is_password_usable", "make_password")
    ),
    "django.contrib.auth.management": Deferred(stand_ins=("_get_builtin_permissions", "create_permissions")),
    "django.contrib.auth.password_validation": Deferred(),
    "django.contrib.contenttypes.management": Deferred(
        stand_ins=("create_contenttypes", "inject_rename_contenttypes_operations")
    ),
    "django.core.checks": Deferred(
        submodules=("messages", "registry", "urls"),
        exports={
            **dict.fromkeys(("CheckMessage", "Critical", "Debug", "Error", "Info", "Warning"), "messages"),
            **dict.fromkeys(("Tags", "register"), "registry"),
        },
    ),
    "django.core.files.temp": Deferred(),
    "django.db.backends.mysql.schema": Deferred(stand_ins=("DatabaseSchemaEditor",)),
    "django.core.mail": Deferred(
        submodules=("backends", "utils"),
        stand_ins=("EmailMessage", "EmailMultiAlternatives", "get_connection", "mail_managers", "send_mail"),
    ),
    "django.core.management": Deferred(submodules=("color",)),
    "django.core.serializers": Deferred(submodules=("json",)),
    "django.core.serializers.json": Deferred(stand_ins=("DjangoJSONEncoder",)),
    "django.template": Deferred(submodules=("loader",)),
    "django.template.backends": Deferred(),
    "django.template.backends.django": Deferred(stand_ins=("DjangoTemplates",)),
    "django.template.loader": Deferred(stand_ins=("get_template", "render_to_string")),
    # A widget's media names static files by it.
    "django.templatetags.static": Deferred(stand_ins=("static",)),
    "django.utils.autoreload": Deferred(
        stand_ins=("is_django_module",),
        values={"autoreload_started": NeverSent(), "file_changed": NeverSent()},
    ),
    "django.utils.translation.reloader": Deferred(
        stand_ins=("translation_file_changed", "watch_for_translation_changes")
    ),
    "django.views": Deferred(submodules=("debug", "decorators", "defaults", "i18n"), stand_ins=("View",)),
    "django.views.debug": Deferred(),
    "django.views.defaults": Deferred(),
    "django.views.i18n": Deferred(stand_ins=("set_language",)),
    "sqlparse": Deferred(),
}
