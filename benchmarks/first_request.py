"""A fresh instance for benchmarks/coldstart.py; prints its CPU seconds and peak megabytes.

    python first_request.py FOLDERS BRIDGE EVENT STATUS TEXT

FOLDERS are put in the path, EVENT is JSON; the response must have the STATUS and hold the TEXT. Imports as little as
it can, since it is part of what is measured.
"""

# ruff: noqa: PTH123  (no pathlib)

import sys
import time


def smallest_project(event):
    """Serve /hello/ with the smallest Django project there is; the event is not read."""
    from wsgiref.util import setup_testing_defaults

    from django.conf import settings

    settings.configure(SECRET_KEY="for-measuring-only", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"])

    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import path

    def hello(request):
        return HttpResponse("Hello world ! " + request.GET["name"], content_type="text/plain; charset=utf-8")

    globals()["urlpatterns"] = [path("hello/", hello)]
    environ = {"PATH_INFO": "/hello/", "QUERY_STRING": "name=Tom"}
    setup_testing_defaults(environ)
    response = get_wsgi_application()(environ, lambda status, headers: None)
    body = b"".join(response).decode()
    response.close()
    return {"statusCode": response.status_code, "body": body}


def through_index(event):
    """Call the project through index.py."""
    import index

    return index.main_handler(event, {})


def through_serverless_wsgi(event):
    """Call the project through serverless-wsgi."""
    import serverless_wsgi

    from mydjango.wsgi import application

    return serverless_wsgi.handle_request(application, event, {})


def through_zappa(event):
    """Call the project through Zappa's handler."""
    from base64 import b64decode

    from zappa.handler import lambda_handler

    result = lambda_handler(event, None)
    return {**result, "body": b64decode(result["body"]).decode()} if result.get("isBase64Encoded") else result


BRIDGES = {
    "smallest project": smallest_project,
    "index.py": through_index,
    "serverless-wsgi": through_serverless_wsgi,
    "zappa": through_zappa,
}


def main(folders, bridge, event, status, text):
    """Handle one event; exit with the result where it is wrong."""
    sys.path[:0] = folders.split(":")
    if bridge != "nothing":
        import json

        result = BRIDGES[bridge](json.loads(event))
        if str(result["statusCode"]) != status or text not in result["body"]:
            sys.exit(f"wrong result: {result}")
    cpu = time.process_time()
    # Not ru_maxrss: it begins with the size of the process that forked this one.
    with open("/proc/self/status") as file:
        peak = next(line for line in file if line.startswith("VmHWM")).split()[1]
    print(cpu, int(peak) / 1024)


if __name__ == "__main__":
    main(*sys.argv[1:])
