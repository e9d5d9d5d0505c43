"""Serve the application of a Web function over HTTP: `python web_function.py PORT THREADS`, started by scf_bootstrap.

A Web function receives requests instead of events, so of index.py it takes what the two kinds share: the application,
the client's address, host and scheme, the request id and the response to an error. docs/web-function.md explains it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

import index

LARGEST_BODY = 6 * index.MEGABYTE  # of a request, as the platform takes it
# The platform sends the keys of the execution role along with each request (Tencent 583/56124). An application that
# shows its request's headers, as Django's debug page does, must not have them.
CREDENTIALS = ("HTTP_X_SCF_SECRET_ID", "HTTP_X_SCF_SECRET_KEY", "HTTP_X_SCF_SESSION_TOKEN")


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Call the application that WSGI_APPLICATION names; its errors get the responses that index.py gives them."""
    prepare(environ)
    try:
        return index.load_application()(environ, start_response)
    except Exception as error:  # noqa: BLE001  (error_response logs it)
        status, headers, body = index.error_response(error, environ, environ["serverless.request_id"])
        start_response(status, headers, sys.exc_info())
        return [body]


def prepare(environ: dict[str, Any]) -> None:
    """Set in the environ what index.py sets for the event of a Function URL."""
    for name in ("HTTP_PROXY", *CREDENTIALS):  # HTTP clients obey HTTP_PROXY
        environ.pop(name, None)
    address = index.remote_address(index.FUNCTION_URL, {}, environ)
    if address:  # of the platform's header; without it the server's, on this machine
        environ["REMOTE_ADDR"] = address
    headers = {"x-scf-request-id": environ.get("HTTP_X_SCF_REQUEST_ID")}
    environ["serverless.request_id"] = index.request_id_of({"headers": headers}, None)
    limit = environ.get("HTTP_X_SCF_TIMEOUT", "")
    environ["serverless.context"] = {"time_limit_in_ms": int(limit)} if limit.isdecimal() else {}
    # No proxy sets X-Forwarded-Proto here. Without the scheme of PUBLIC_URL, Django would redirect to https for ever.
    index.set_server(environ, index.FUNCTION_URL)
    base, path = index.settings.base_path, environ["PATH_INFO"]
    if base and index.begins_with(path, base):
        environ["SCRIPT_NAME"], environ["PATH_INFO"] = base, path[len(base) :]


def main(port: int, threads: int) -> None:
    """Serve until the platform ends the instance."""
    index.load_application()  # before the port opens: the platform waits for that as long as initTimeout says
    # Imported after the application, which may defer what waitress imports and no request needs.
    from waitress.server import create_server

    server = create_server(
        application,
        host="0.0.0.0",  # noqa: S104  (the platform's own proxy connects from outside of the sandbox)
        port=port,
        threads=threads,
        ident=None,
        max_request_body_size=LARGEST_BODY,
        # A frozen instance finds its open connections old when it thaws. Closing them would lose the request that
        # arrives on one, and nobody but the platform connects.
        channel_timeout=10**9,
    )
    server.run()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
