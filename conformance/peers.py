"""index.py and five other bridges under one signature: (WSGI application) -> handler(event, context).

`conformance.peers:apig_wsgi` is the handler of apig-wsgi around the suite's application, and so on.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from functools import partial
from types import ModuleType
from typing import Any

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Handler = Callable[[Any, Any], Any]


def with_index(application: Application) -> Handler:
    """index.handle_request."""
    import index

    return partial(index.handle_request, application)


def with_apig_wsgi(application: Application) -> Handler:
    """With binary support, which index.py always has."""
    import apig_wsgi

    return apig_wsgi.make_lambda_handler(application, binary_support=True)


def with_serverless_wsgi(application: Application) -> Handler:
    """As its generated handler calls it."""
    import serverless_wsgi

    return partial(serverless_wsgi.handle_request, application)


def with_awsgi(application: Application) -> Handler:
    """On PyPI: aws-wsgi."""
    import awsgi

    return partial(awsgi.response, application)


def with_zappa(application: Application) -> Handler:
    """Zappa's own handler with the settings that it generates, binary support on."""
    from zappa.handler import LambdaHandler
    from zappa.middleware import ZappaWSGIMiddleware

    if "zappa_settings" not in sys.modules:
        placeholder = ModuleType("bench_application")
        placeholder.application = application  # type: ignore[attr-defined]
        sys.modules["bench_application"] = placeholder
        settings = ModuleType("zappa_settings")
        settings.__dict__.update(
            LOG_LEVEL="CRITICAL",
            ENVIRONMENT_VARIABLES={},
            PROJECT_NAME="survey",
            API_STAGE="dev",
            APP_MODULE="bench_application",
            APP_FUNCTION="application",
            DJANGO_SETTINGS=None,
            BINARY_SUPPORT=True,
            DEBUG=False,
            DOMAIN=None,
            BASE_PATH=None,
            CONTEXT_HEADER_MAPPINGS={},
            EXCEPTION_HANDLER=None,
            COGNITO_TRIGGER_MAPPING={},
            AWS_EVENT_MAPPING={},
            AWS_BOT_EVENT_MAPPING={},
            AUTHORIZER_FUNCTION=None,
        )
        sys.modules["zappa_settings"] = settings
    handler = LambdaHandler()
    handler.wsgi_app = ZappaWSGIMiddleware(application)
    return handler.handler  # type: ignore[no-any-return]


def with_mangum(application: Application) -> Handler:
    """Mangum speaks ASGI: a WSGI application reaches it through asgiref; Django has a handler of its own."""
    from asgiref.wsgi import WsgiToAsgi
    from mangum import Mangum

    asgi: Any = getattr(application, "asgi", None) or WsgiToAsgi(application)  # type: ignore[arg-type]
    handler = Mangum(asgi, lifespan="off")
    asyncio.set_event_loop(asyncio.new_event_loop())
    return handler


BRIDGES: dict[str, Callable[[Application], Handler]] = {
    "index.py": with_index,
    "apig-wsgi": with_apig_wsgi,
    "serverless-wsgi": with_serverless_wsgi,
    "Mangum": with_mangum,
    "Zappa": with_zappa,
    "aws-wsgi": with_awsgi,
}
# Each bridge's package; `conformance.peers:PACKAGE` is its handler around the suite's application.
PACKAGES = dict(
    zip(BRIDGES, ("index", "apig_wsgi", "serverless_wsgi", "mangum", "zappa", "awsgi"), strict=True),
)


def __getattr__(package: str) -> Handler:
    """The handler of a bridge."""
    from conformance.application import application

    for name, module in PACKAGES.items():
        if module == package:
            return BRIDGES[name](application)
    raise AttributeError(package)
