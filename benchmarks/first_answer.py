"""One fresh instance for benchmarks/coldstart.py: answers one request and prints `right` when the answer is.

    python -I -S -B first_answer.py FOLDER floor|packaged|serverless-wsgi|zappa hello|page|submit|comment|jieba|migrate

It imports as little as it can, since it is part of what is measured: no annotations from typing, no pathlib.
"""

# ruff: noqa: I001, PTH123

import sys

BODY = '{"name": "Tom", "phone": "1234567890", "satisfaction": 5}'
COMMENTED = BODY[:-1] + ', "comment": "\u670d\u52a1\u5458\u6001\u5ea6\u5f88\u597d\uff0c\u6392\u961f\u592a\u4e45"}'
# method, path, query, body, status, what the answer begins with or holds
REQUESTS = {
    "hello": ("GET", "/hello/", {"name": "Tom"}, "", 200, "Hello world ! Tom"),
    "page": ("GET", "/", {}, "", 200, "<form"),
    "submit": ("POST", "/submitSurvey", {}, BODY, 201, "reference"),
    "comment": ("POST", "/submitSurvey", {}, COMMENTED, 201, "reference"),
    "jieba": ("GET", "/jieba/", {}, "", 200, "Serverless"),
}
HEADERS = {"host": "survey.example.com", "accept": "*/*", "content-type": "application/json"}


def floor():
    """The smallest Django project that answers /hello/."""
    import io

    from django.conf import settings

    settings.configure(SECRET_KEY="for-measuring-only", ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"])

    from django.core.wsgi import get_wsgi_application
    from django.http import HttpResponse
    from django.urls import path

    def hello(request):
        return HttpResponse("Hello world ! " + request.GET["name"], content_type="text/plain; charset=utf-8")

    globals()["urlpatterns"] = [path("hello/", hello)]
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/hello/",
        "QUERY_STRING": "name=Tom",
        "SERVER_NAME": "survey.example.com",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "https",
    }
    started = []
    response = get_wsgi_application()(environ, lambda status, headers, exc_info=None: started.append(status))
    body = b"".join(response).decode()
    response.close()
    return int(started[0][:3]), body


def packaged(method, path, query, body):
    """Through index.py, as a Function URL's event."""
    import index

    event = {"httpMethod": method, "path": path, "queryString": query, "headers": HEADERS, "body": body}
    answer = index.main_handler(event, {})
    return answer["statusCode"], answer["body"]


def rest_event(method, path, query, body):
    """What the two peers read: an event of AWS's REST gateway."""
    return {
        "httpMethod": method,
        "path": path,
        "resource": "/{proxy+}",
        "headers": {**HEADERS, "X-Forwarded-Proto": "https"},
        "multiValueHeaders": {name: [value] for name, value in {**HEADERS, "X-Forwarded-Proto": "https"}.items()},
        "queryStringParameters": query,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()},
        "pathParameters": {"proxy": path.lstrip("/")},
        "requestContext": {"identity": {"sourceIp": "203.0.113.7"}, "stage": "dev", "requestId": "1"},
        "body": body,
        "isBase64Encoded": False,
    }


def serverless_wsgi(*request):
    """Through serverless-wsgi."""
    import serverless_wsgi
    from mydjango.wsgi import application

    answer = serverless_wsgi.handle_request(application, rest_event(*request), {})
    return int(answer["statusCode"]), answer["body"]


def zappa(*request):
    """Through Zappa's handler."""
    from base64 import b64decode

    from zappa.handler import lambda_handler

    answer = lambda_handler(rest_event(*request), None)
    body = answer["body"]
    return int(answer["statusCode"]), b64decode(body).decode() if answer.get("isBase64Encoded") else body


def main(folder, bridge, route):
    """Answer one request; exit code 1 when the answer is wrong."""
    sys.path[:0] = [folder + "/user", folder + "/opt"]
    if route == "migrate":
        import index

        print("right" if index.main_handler({"manage": ["migrate", "--noinput"]}, {})["exit_code"] == 0 else "wrong")
        print("VmHWM: 0 kB")
        return
    *request, status, held = REQUESTS[route]
    if bridge == "floor":
        answer = floor()
    else:
        answer = {"packaged": packaged, "serverless-wsgi": serverless_wsgi, "zappa": zappa}[bridge](*request)
    print("right" if answer[0] == status and held in answer[1] else f"wrong: {answer}")
    with open("/proc/self/status") as status_file:
        print(next(line for line in status_file if line.startswith("VmHWM")))


if __name__ == "__main__":
    main(*sys.argv[1:])
