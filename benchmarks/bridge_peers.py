"""index.py and its five peers under one signature: (WSGI application) -> (event -> answer)."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from types import ModuleType, SimpleNamespace
from typing import Any

import apig_wsgi
import awsgi
import serverless_wsgi
from asgiref.wsgi import WsgiToAsgi
from mangum import Mangum

import index

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
Bridge = Callable[[Any], Any]
CONTEXT = SimpleNamespace(aws_request_id="r-1", function_name="survey")


def ours(application: Application) -> Bridge:
    """index.handle_request."""
    return lambda event: index.handle_request(application, event, CONTEXT)


def with_apig_wsgi(application: Application) -> Bridge:
    """With binary support, which ours always has."""
    handler = apig_wsgi.make_lambda_handler(application, binary_support=True)
    return lambda event: handler(event, CONTEXT)


def with_serverless_wsgi(application: Application) -> Bridge:
    """As its generated handler calls it."""
    return lambda event: serverless_wsgi.handle_request(application, event, CONTEXT)


def with_awsgi(application: Application) -> Bridge:
    """On PyPI: aws-wsgi."""
    return lambda event: awsgi.response(application, event, CONTEXT)


def with_zappa(application: Application) -> Bridge:
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
    return lambda event: handler.handler(event, CONTEXT)


def with_mangum(application: Application) -> Bridge:
    """Mangum speaks ASGI: a WSGI application reaches it through asgiref; Django has a handler of its own."""
    asgi: Any = getattr(application, "asgi", None) or WsgiToAsgi(application)  # type: ignore[arg-type]
    handler = Mangum(asgi, lifespan="off")
    asyncio.set_event_loop(asyncio.new_event_loop())
    return lambda event: handler(event, CONTEXT)  # type: ignore[arg-type]


BRIDGES: dict[str, Callable[[Application], Bridge]] = {
    "index.py": ours,
    "apig-wsgi": with_apig_wsgi,
    "serverless-wsgi": with_serverless_wsgi,
    "Mangum": with_mangum,
    "Zappa": with_zappa,
    "aws-wsgi": with_awsgi,
}
