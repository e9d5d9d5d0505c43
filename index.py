"""Runs a WSGI application behind the gateways of Tencent Cloud, AWS and Alibaba Cloud.

A function platform turns each HTTP request into an *event*, a dict made of JSON, and calls `main_handler(event,
context)`. What that returns, again a dict, the gateway turns into the HTTP answer. In between, this file does what a
web server does: event -> WSGI environ (PEP 3333) -> application -> answer.

Every gateway spells its event differently. `GATEWAYS` describes each in a few words: where path, query and client
address are, whether they are still percent-encoded, and how the answer must look. One path through the code reads them
all: `handle_request`. Timers and direct invocations run management commands: `handle_other`.

Settings are environment variables: WSGI_APPLICATION, PUBLIC_URL, API_GATEWAY_BASE_PATH, STRIP_STAGE_PATH,
TEXT_MIME_TYPES, MANAGE_COMMANDS, EVENT_HANDLERS. docs/bridge.md explains them. Standard library only.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import re
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import quote_from_bytes, unquote_to_bytes, urlsplit

Event = dict[str, Any]
Environ = dict[str, Any]
Headers = dict[str, list[str]]  # name, in the case of its first appearance: all its values
Response = tuple[str, list[tuple[str, str]], bytes]  # status, headers, body
StartResponse = Callable[..., Callable[[bytes], Any]]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

DEFAULT_APPLICATION = "mydjango.wsgi:application"
DEFAULT_COMMANDS = "migrate --noinput --plan --check; check --deploy --database= --fail-level="
PLATFORM_VARIABLES = ("TENCENTCLOUD_RUNENV", "AWS_LAMBDA_FUNCTION_NAME", "FC_FUNCTION_NAME")
MEGABYTE = 1024 * 1024

logger = logging.getLogger(__name__)


class UnknownEvent(ValueError):
    """An event that is neither HTTP nor a command, and for which EVENT_HANDLERS names no function."""


class CommandFailed(RuntimeError):
    """A timer's command was refused, or ended with another exit code than 0: the platform retries and reports."""


class Problem(Exception):
    """An error with an answer of its own: a status line and a sentence."""

    def __init__(self, status: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.detail = status, detail


def main_handler(event: Any, context: Any) -> Any:
    """The entry on every platform."""
    if callable(context):  # FC's oldest HTTP trigger passes (environ, start_response)
        return handle_wsgi_call(event, context)
    event = read_event(event)
    return handle_request(named_application, event, context) if is_http(event) else handle_other(event, context)


def handle_request(application: Application, event: Any, context: Any) -> Event:
    """Answer one HTTP event; whatever goes wrong is an answer too. UnknownEvent for an event that is not HTTP."""
    if type(event) is not dict:
        event = read_event(event)
    if "httpMethod" not in event and not is_http(event):
        raise UnknownEvent(f"This event is not HTTP: {describe(event)}.")
    request = event.get("requestContext")
    if type(request) is not dict:
        request = {}
    for gateway in GATEWAYS:
        if gateway.recognises(event, request):
            break
    environ: Environ = {}
    try:
        environ = build_environ(gateway, event, request, context)
        body = event.get("body")
        if type(body) is str and not event.get("isBase64Encoded"):
            body = body.encode("utf-8", "replace")
        else:
            body = read_body(event)
        environ["wsgi.input"] = BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        status, headers, body = run(application, environ, gateway.limit)
        return build_answer(gateway, event, environ, status, headers, body)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 it is logged, and no exit or cancellation must end the instance
        return build_answer(gateway, event, environ, *error_response(error, environ, request_id(event, context)))


def read_event(event: Any) -> Event:
    """The event as a dict; Aliyun's FC hands over the bytes of the JSON."""
    if isinstance(event, (bytes, bytearray, str)):
        try:
            event = json.loads(event)
        except (ValueError, RecursionError) as error:
            raise UnknownEvent("The event is not JSON.") from error
    if not isinstance(event, dict):
        raise UnknownEvent(f"The event is a {type(event).__name__}, not an object.")
    return event


HTTP_KEYS = frozenset({"httpMethod", "path", "rawPath", "headers", "multiValueHeaders", "requestContext"})


def is_http(event: Event) -> bool:
    """Whether the event may have come over HTTP. Asked first, so that no HTTP request can pose as a command."""
    return "httpMethod" in event or not HTTP_KEYS.isdisjoint(event)


# --- What each gateway sends, and wants back --------------------------------------------------------------------------


def list_answer(event: Event, status: str, headers: Headers) -> Event:
    """One map, in which a list repeats a header."""
    return {"headers": {name: values[0] if len(values) == 1 else values for name, values in headers.items()}}


def aws_rest_answer(event: Event, status: str, headers: Headers) -> Event:
    """Multi-value headers where the event had them, else only for what is repeated."""
    if event.get("multiValueHeaders"):
        return {"multiValueHeaders": headers}
    single = {name: values[0] for name, values in headers.items() if len(values) == 1}
    repeated = {name: values for name, values in headers.items() if len(values) > 1}
    return {"headers": single, "multiValueHeaders": repeated} if repeated else {"headers": single}


def aws_v2_answer(event: Event, status: str, headers: Headers) -> Event:
    """Cookies as a list of their own, other repeats joined."""
    answer: Event = {"headers": {}}
    for name, values in headers.items():
        if name.lower() == "set-cookie":
            answer["cookies"] = values
        else:
            answer["headers"][name] = ",".join(values)
    return answer


def alb_answer(event: Event, status: str, headers: Headers) -> Event:
    """The status line, and the kind of map that the event had.

    A map of single values has one place a name, so a second cookie is spelled set-Cookie or so: names are compared
    without case, and the load balancer passes them on as they are.
    """
    if event.get("multiValueHeaders"):
        return {"statusDescription": status, "multiValueHeaders": headers}
    single = {}
    for name, values in headers.items():
        letters = [place for place, char in enumerate(name) if char.isalpha()]
        for number, value in enumerate(values if name.lower() == "set-cookie" else [",".join(values)]):
            swapped = list(name)
            for bit, place in enumerate(letters):
                if number >> bit & 1:
                    swapped[place] = swapped[place].swapcase()
            single["".join(swapped)] = value
    return {"statusDescription": status, "headers": single}


class Gateway(NamedTuple):
    """How one gateway spells a request, and what it makes of an answer."""

    name: str
    recognises: Callable[[Event, Event], bool]  # (event, its requestContext): is it this gateway's?
    answer: Callable[[Event, str, Headers], Event]  # headers, and what else this gateway wants beside code and body
    query: tuple[str, ...]  # the keys that may hold the query; the first that is not empty does
    address: Callable[[Event], Any] = lambda request: None  # the client's address in the requestContext ...
    address_header: str = ""  # ... or the header to which the platform appends it
    path: str = "path"
    path_encoded: bool = True  # percent-encoded
    query_encoded: bool = False
    stage_hosts: tuple[str, ...] = ()  # where public URLs begin with the stage
    stage_in_path: bool = False  # whether the event's path does too
    forwards: bool = True  # whether it sets X-Forwarded-Proto and -Port, or passes on the client's own
    binary: bool = True  # whether base64 answers are decoded
    limit: int = 6 * MEGABYTE  # bytes of the answer's JSON


AMAZON = (".amazonaws.com", ".amazonaws.com.cn")
AWS_REST = Gateway(
    "aws-rest",
    lambda event, request: (
        "version" not in event
        and (
            "resource" in event
            or ("multiValueHeaders" in event and "elb" not in request)
            or ("httpMethod" in event and "apiId" in request)
        )
    ),
    aws_rest_answer,
    query=("multiValueQueryStringParameters", "queryStringParameters"),
    address=lambda request: request["identity"]["sourceIp"],
    stage_hosts=AMAZON,
)
AWS_HTTP_1 = AWS_REST._replace(  # an HTTP API that was set to REST's payload
    name="aws-http-1",
    recognises=lambda event, request: event.get("version") == "1.0",
    stage_in_path=True,
)
ALB = Gateway(
    "aws-alb",
    lambda event, request: "elb" in request,
    alb_answer,
    query=("multiValueQueryStringParameters", "queryStringParameters"),
    query_encoded=True,
    address_header="HTTP_X_FORWARDED_FOR",
    limit=MEGABYTE,
)
LAMBDA_URL = Gateway(
    "aws-lambda-url",
    lambda event, request: event.get("version") == "2.0" and ".lambda-url." in str(request.get("domainName")),
    aws_v2_answer,
    query=("rawQueryString",),
    address=lambda request: request["http"]["sourceIp"],
    path="rawPath",
)
AWS_HTTP = LAMBDA_URL._replace(
    name="aws-http",
    recognises=lambda event, request: event.get("version") == "2.0" or "rawQueryString" in event,
    path_encoded=False,
    stage_hosts=AMAZON,
    stage_in_path=True,
)
FC = Gateway(
    "aliyun-fc",
    lambda event, request: "rawPath" in event or "http" in request,
    list_answer,
    query=("queryParameters",),
    address=lambda request: request["http"]["sourceIp"],
    path="rawPath",
)
FC_API_GATEWAY = Gateway(
    "aliyun-apigateway",
    lambda event, request: "queryParameters" in event,
    list_answer,
    query=("queryParameters",),
    address_header="HTTP_X_FORWARDED_FOR",
)
TENCENT_API_GATEWAY = Gateway(
    "tencent-apigw",
    lambda event, request: "serviceId" in request or "stage" in request,
    list_answer,
    query=("queryString",),
    address=lambda request: request["sourceIp"],
    stage_hosts=(".apigw.tencentcs.com",),
)
FUNCTION_URL = Gateway(
    "tencent-function-url",
    lambda event, request: True,  # its event has no mark of its own, so it comes last
    list_answer,
    query=("queryString",),
    address=lambda request: request["sourceIp"],
    address_header="HTTP_X_SCF_REMOTE_ADDR",
    forwards=False,
    binary=False,
)
GATEWAYS = (AWS_REST, AWS_HTTP_1, ALB, LAMBDA_URL, AWS_HTTP, FC, FC_API_GATEWAY, TENCENT_API_GATEWAY, FUNCTION_URL)
NAMED = {gateway.name: gateway for gateway in GATEWAYS}


# --- Event -> WSGI environ --------------------------------------------------------------------------------------------


def build_environ(gateway: Gateway, event: Event, request: Event, context: Any) -> Environ:
    """What PEP 3333 asks for, but the body."""
    environ = with_headers(event.get("multiValueHeaders"), event.get("headers"))
    environ["wsgi.errors"] = sys.stderr
    environ["event"] = environ["serverless.event"] = event
    environ["context"] = environ["serverless.context"] = context
    method = event.get("httpMethod") or find(request, "http", "method")
    if type(method) is str and method.isascii():
        environ["REQUEST_METHOD"] = method
    for key in gateway.query:
        query = event.get(key)
        if query:
            environ["QUERY_STRING"] = query_string(query, gateway.query_encoded)
            break
    if "cookies" in event and event["cookies"] and type(event["cookies"]) is list:
        environ["HTTP_COOKIE"] = native("; ".join(map(str, event["cookies"])))  # a Lambda URL has the header too
    if not gateway.binary:
        environ.pop("HTTP_ACCEPT_ENCODING", None)  # so that the application never compresses
    host, port = environ.get("HTTP_HOST"), environ.get("HTTP_X_FORWARDED_PORT")
    path, stage = event.get(gateway.path), request.get("stage")
    path, stage = path if type(path) is str else "/", stage if type(stage) is str else ""
    environ.update(locate(gateway.name, host, port, environ.get("HTTP_X_FORWARDED_PROTO"), path, stage))
    try:
        address = gateway.address(request)
    except (KeyError, TypeError):
        address = None
    if type(address) is not str or not address:  # what stands before the last comma is the client's own claim
        address = without_port(environ.get(gateway.address_header, "").rpartition(",")[2].strip())
    environ["REMOTE_ADDR"] = address
    if request.get("authorizer"):
        principal = next(filter(None, (find(request["authorizer"], *place) for place in PRINCIPALS)), None)
        if principal:
            environ["REMOTE_USER"] = native(str(principal))
    return environ


# Every environ begins as a copy of this one. From 22 keys on, CPython copies a dict with room for the headers.
ENVIRON: Environ = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "PATH_INFO": "/",
    "QUERY_STRING": "",
    "CONTENT_LENGTH": "0",
    "REMOTE_ADDR": "",
    "REMOTE_PORT": "0",  # no gateway says it; without one a2wsgi tells an ASGI application of no client at all
    "SERVER_NAME": "localhost",
    "SERVER_PORT": "443",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "SERVER_SOFTWARE": "index.py",
    "GATEWAY_INTERFACE": "CGI/1.1",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "https",
    "wsgi.input": None,
    "wsgi.errors": None,
    "wsgi.multithread": False,
    "wsgi.multiprocess": True,  # other instances run the same application at the same time
    "wsgi.run_once": False,
    "event": None,
    "context": None,
    "serverless.event": None,
    "serverless.context": None,
}
# Where an authorizer says who it is: a function of one's own (REST, HTTP API), Cognito, a JWT, IAM.
PRINCIPALS = (
    ("principalId",),
    ("lambda", "principalId"),
    ("claims", "sub"),
    ("jwt", "claims", "sub"),
    ("iam", "userArn"),
)


def find(value: Any, *keys: str) -> Any:
    """The value under nested keys, or None."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def native(text: str) -> str:
    """PEP 3333's native string: one character for each byte of the UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("latin-1")


def without_port(address: str) -> str:
    """A load balancer that is told to keeps the client's port: 203.0.113.7:4711, [2001:db8::1]:4711."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


def with_headers(multiple: Any, single: Any) -> Environ:
    """The environ's beginning with the request headers, the multi-value ones if there are any.

    Repeats are joined by a comma, cookies by a semicolon.
    """
    environ = ENVIRON.copy()
    headers = multiple or single
    if not headers or type(headers) is not dict:
        return environ
    size, names = len(environ) + len(headers), CGI_NAMES
    try:  # what nearly always holds: one value each, at most one name to leave out, none twice in different case
        if multiple:
            for name, [value] in headers.items():
                environ[names[name]] = value if value.isascii() else native(value)
        else:
            for name, value in headers.items():
                environ[names[name]] = value if value.isascii() else native(value)
        if len(environ) == size:
            environ.pop("", None)
            return environ
    except (AttributeError, TypeError, ValueError):
        pass
    variables: dict[str, str] = {}
    for name, value in headers.items():
        key = CGI_NAMES[name]
        texts = [native(str(text)) for text in (value if type(value) is list else [value]) if text is not None]
        if key and texts:
            known = [variables[key]] if key in variables else []
            variables[key] = ("; " if key == "HTTP_COOKIE" else ",").join(known + texts)
    return {**ENVIRON, **variables}


class Kept(dict[str, Any]):
    """The results of a function of a string, kept: a thousand at most and no long ones, for clients choose them."""

    def __init__(self, function: Callable[[str], Any]) -> None:
        self.function = function

    def __missing__(self, text: str) -> Any:
        result = self.function(text)
        if len(self) >= 1000:
            self.clear()
        if len(text) < LONG:
            self[text] = result
        return result


LONG = 200  # characters


def cgi_name(header: str) -> str:
    """`Accept-Language` -> `HTTP_ACCEPT_LANGUAGE`; '' for a header that the application must not see.

    With an underscore, `X_Forwarded_Proto` would pose as `X-Forwarded-Proto`. `Proxy` would become HTTP_PROXY, which
    HTTP clients obey. Length and transfer coding were between client and gateway: the body here is whole, and counted.
    """
    key = header.upper().replace("-", "_")
    if not (header.isascii() and header.replace("-", "").isalnum()):
        return ""
    if key in ("PROXY", "TRANSFER_ENCODING", "CONTENT_LENGTH"):
        return ""
    return key if key == "CONTENT_TYPE" else "HTTP_" + key


CGI_NAMES = Kept(cgi_name)


def query_string(query: Any, encoded: bool) -> str:
    """The query; percent-encoded again where the gateway has decoded it."""
    if type(query) is not dict:
        return native(query) if type(query) is str else ""
    quoted = AS_IT_IS if encoded else FORM_QUOTED
    pairs = []
    for name, values in query.items():
        name = quoted[name]
        for value in values if type(values) is list else (values,):
            if type(value) is str:
                pairs.append(f"{name}={quoted[value]}")
            else:  # Tencent sends true for a key without "="
                pairs.append(name if value is True or value is None else f"{name}={quoted[str(value)]}")
    return "&".join(pairs)


AS_IT_IS = Kept(native)
FORM_QUOTED = Kept(lambda text: quote_from_bytes(text.encode("utf-8", "replace"), " ").replace(" ", "+"))


@lru_cache(maxsize=500)  # the paths that come often
def locate(
    gateway_name: str, host: str | None, port: str | None, scheme: str | None, path: str, stage: str
) -> dict[str, str]:
    """Server, scheme and path. Host, port and scheme are those of the event, else those of PUBLIC_URL.

    PATH_INFO is the application's own path, SCRIPT_NAME what the public URL has before it. The settings are read once
    for each path: they are fixed as long as an instance lives.
    """
    gateway = NAMED[gateway_name]  # as a key, its name is quicker
    public = urlsplit(os.environ.get("PUBLIC_URL", "").strip())
    if not gateway.forwards:
        port = scheme = ""
    if not host:
        host, port = public.netloc, ""
    scheme = (scheme or "").rpartition(",")[2].strip().lower()
    if scheme not in ("http", "https"):
        scheme = "http" if public.scheme == "http" else "https"  # as at all gateways
    name, _, own_port = host.lower().rpartition(":")
    if not name or "]" in own_port:  # no port, or the colons of [::1]
        name, own_port = host.lower(), ""
    port = own_port or (port or "").rpartition(",")[2].strip()
    if not (port.isascii() and port.isdigit()):
        port = "443" if scheme == "https" else "80"

    if not path.isascii() or " " in path:  # decoded already: no URL holds such a character
        path = native(path)
    elif gateway.path_encoded:
        path = unquote_to_bytes(path).decode("latin-1")
    if path[:1] != "/":
        path = "/" + path
    script_name = ""
    if gateway.stage_hosts and stage and stage != "$default":
        prefix = native("/" + stage)
        in_path = gateway.stage_in_path and begins_with(path, prefix)
        # A custom domain's URLs have no stage, though AWS's HTTP API puts it into the path all the same.
        if name.endswith(gateway.stage_hosts) and (in_path or not gateway.stage_in_path):
            strip = os.environ.get("STRIP_STAGE_PATH", "").strip().lower()
            script_name = "" if strip in ("1", "true", "t", "yes", "y") else prefix
        path = path[len(prefix) :] if in_path else path
    base = native("/" + os.environ.get("API_GATEWAY_BASE_PATH", "").strip("/"))
    if base != "/" and begins_with(path, base):
        script_name, path = script_name + base, path[len(base) :]
    return {
        **({"HTTP_HOST": host} if host else {}),
        "SERVER_NAME": name or "localhost",
        "SERVER_PORT": port,
        "wsgi.url_scheme": scheme,
        "SCRIPT_NAME": script_name,
        "PATH_INFO": path or ("" if script_name else "/"),
    }


def begins_with(path: str, prefix: str) -> bool:
    """Whether the path begins with the prefix as whole segments: /v1/x with /v1, but not /v1beta/x."""
    return path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in ("", "/")


def read_body(event: Event) -> bytes:
    """The request's body. Problem 400 where it is said to be base64 and is not."""
    body = event.get("body")
    if not body:
        return b""
    if type(body) is not str:  # a console test with a JSON object where its text belongs
        return json.dumps(body).encode()
    if event.get("isBase64Encoded") in (True, "true", "True"):  # Aliyun's API Gateway sends the word
        try:
            return b64decode(body, validate=True)
        except ValueError as error:
            raise Problem("400 Bad Request", "The request's body is not valid base64.") from error
    return body.encode("utf-8", "replace")


# --- The application's turn -------------------------------------------------------------------------------------------


def run(application: Application, environ: Environ, limit: int) -> Response:
    """Call the application as PEP 3333 says: (status, headers, body). The iterable is always closed.

    Reading stops where the body alone is over the limit: the rest could not be sent, and may not fit into memory.
    """
    started: Any = None  # status and headers, the last if it is called again with exc_info
    chunks: list[bytes] = []
    size = 0

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        nonlocal started
        if started:
            if not exc_info:
                raise AssertionError("start_response was called a second time without exc_info.")
            if any(chunks):  # too late for another status
                raise exc_info[1].with_traceback(exc_info[2])
        started = status, headers
        return write

    def write(chunk: bytes) -> None:
        nonlocal size
        if size <= limit:  # more need not be kept
            chunks.append(chunk)
        size += len(chunk)

    iterable = application(environ, start_response)
    try:
        for chunk in iterable:
            if chunk:
                if not started:
                    raise AssertionError("The application gave a body before it called start_response.")
                chunks.append(chunk)
                size += len(chunk)
                if size > limit:
                    if environ.get("REQUEST_METHOD") != "HEAD":  # whose body is not sent
                        break
                    del chunks[1:]
    finally:
        close = getattr(iterable, "close", None)
        if close is not None:
            close()
    if not started:
        raise AssertionError("The application did not call start_response.")
    status, headers = started
    return status, headers, b"".join(chunks)


# --- Response -> answer -----------------------------------------------------------------------------------------------


def build_answer(
    gateway: Gateway, event: Event, environ: Environ, status: str, pairs: list[tuple[str, str]], body: bytes
) -> Event:
    """The dict that the gateway turns into the HTTP answer. Problem 502 for one that it could not carry."""
    code, headers, content_type, coding, body = checked(gateway, environ, status, pairs, body, WRITTEN)
    answer = gateway.answer(event, status, headers)
    answer["statusCode"] = code
    text = "" if not body else as_text(body, content_type) if coding == "identity" else None
    if text is not None:
        answer["body"], answer["isBase64Encoded"] = text, False
    elif gateway.binary:
        answer["body"], answer["isBase64Encoded"] = b64encode(body).decode(), True
    else:
        what = f"{len(body)} bytes of {media_type(content_type)} (content coding: {coding})"
        raise Problem("502 Bad Gateway", f"{what} are not text, and {gateway.name} carries nothing else.")
    size = len(body)
    if LONG_VALUES:
        size += sum(LONG_VALUES)
        LONG_VALUES.clear()
    if size * 24 > gateway.limit or len(pairs) > 50:  # JSON makes at most twelve bytes of one
        size = len(json.dumps(answer))
        if size > gateway.limit:
            raise too_large(gateway, content_type, f"makes {size} bytes of JSON")
    return answer


def wsgi_answer(environ: Environ, status: str, pairs: list[tuple[str, str]], body: bytes) -> Response:
    """The same for FC's oldest HTTP trigger, which takes WSGI's own terms and no JSON."""
    _, headers, _, _, body = checked(FC, environ, status, pairs, body, VALUES)
    return status, [(name, value) for name, values in headers.items() for value in values], body


def checked(
    gateway: Gateway, environ: Environ, status: str, pairs: list[tuple[str, str]], body: bytes, values: Kept
) -> tuple[int, Headers, str, str, bytes]:
    """What may go out: (code, headers with these values, content type, content coding, body).

    ValueError for what PEP 3333 forbids, Problem 502 for a body that is over the limit by itself.
    """
    code = CODES[status]
    headers: Headers = {}
    spelled: dict[str, str] = {}  # a name in lower case: as it was first written
    for name, value in pairs:
        key = LOWER[name]
        if key in spelled:
            headers[spelled[key]].append(values[value])
        else:
            spelled[key] = name
            headers[name] = [values[value]]
    if "" in spelled:
        del headers[spelled[""]]
    content_type = headers[spelled["content-type"]][-1] if "content-type" in spelled else ""
    coding = headers[spelled["content-encoding"]][-1] if "content-encoding" in spelled else "identity"
    if code in NO_BODY or environ.get("REQUEST_METHOD") == "HEAD":
        body = b""
        if code in NO_BODY and code != 304:  # RFC 9110 8.6: no length is said where there is no body for any method
            headers.pop(spelled.get("content-length", ""), None)
    elif len(body) > gateway.limit:  # where run() stopped reading
        raise too_large(gateway, content_type, f"is over {gateway.limit} bytes")
    elif "content-length" in spelled and headers[spelled["content-length"]] != [str(len(body))]:
        raise ValueError("The Content-Length is not the length of the body.")
    return code, headers, content_type, coding, body


NO_BODY = frozenset({*range(100, 200), 204, 304})


def too_large(gateway: Gateway, content_type: str, how: str) -> Problem:
    """Of an answer that the gateway could not carry."""
    what = f"An answer of {media_type(content_type)} {how}"
    return Problem("502 Bad Gateway", f"{what}, and {gateway.name} carries {gateway.limit}.")


def media_type(content_type: str) -> str:
    """The Content-Type without its parameters, which may be personal: a file's name."""
    return content_type.partition(";")[0].strip().lower() or "no content type"


def as_text(body: bytes, content_type: str) -> str | None:
    """The body as text, or None where it must go as base64.

    Gateways write text as UTF-8, so a body in another charset is text only where that makes the same bytes.
    """
    charset = CHARSETS[content_type]
    try:
        if charset not in ("", "utf-8"):
            body.decode(charset)
        return body.decode() if charset else None
    except (LookupError, UnicodeError):
        return None


# What responses repeat: header names, values, statuses and types. PEP 3333 forbids what raises ValueError here.


def status_code(status: str) -> int:
    """`404 Not Found` -> 404."""
    if not re.fullmatch(r"[1-9]\d\d( [^\x00-\x1f\x7f]{0,200})?", status, re.ASCII):
        raise ValueError("The status is not three digits and a reason.")
    return int(status[:3])


def lower_name(name: str) -> str:
    """A header's name in lower case, by which names are compared; '' for one that is between server and client."""
    if not re.fullmatch(r"[\w!#$%&'*+.^`|~-]{1,200}", name, re.ASCII):
        raise ValueError("A response header's name is no name.")
    key = name.lower()
    return "" if key in HOP_BY_HOP else key


# Of each connection, of which the gateway makes its own (RFC 9110 7.6.1); PEP 3333 forbids them to applications.
HOP_BY_HOP = frozenset({"connection", "keep-alive", "te", "trailer", "trailers", "transfer-encoding", "upgrade"})
HOP_BY_HOP |= {"proxy-authenticate", "proxy-authorization", "proxy-connection"}


def checked_value(value: str) -> str:
    """A header's value as PEP 3333's native string, without white space around it (RFC 9113 8.2.1)."""
    if re.search(r"[^\t\x20-\x7e\x80-\xff]", value):
        raise ValueError("A response header holds a control character, or one that is no byte.")
    return value.strip(" \t")


def written(value: str) -> str:
    """A header's value as text: the reverse of native() where the bytes are UTF-8, else as it is."""
    value = checked_value(value)
    if len(value) >= LONG:  # such a one is not kept, so it comes here each time
        LONG_VALUES.append(len(value))
    try:
        return value if value.isascii() else value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value


def charset_of(content_type: str) -> str:
    """The charset of a text; '' for what is not text. Compared without case and without other parameters."""
    kind, *parameters = content_type.lower().replace(" ", "").split(";")
    for parameter in parameters:
        if parameter.startswith("charset="):
            return parameter[8:].strip("\"'") or "utf-8"
    more = os.environ.get("TEXT_MIME_TYPES", "").lower().replace(",", " ").split()
    suffixes = ("/json", "/xml", "/javascript", "+json", "+xml", "/x-www-form-urlencoded")
    return "utf-8" if not kind or kind.startswith("text/") or kind.endswith(suffixes) or kind in more else ""


CODES = Kept(status_code)
LOWER = Kept(lower_name)
LONG_VALUES: list[int] = []  # the lengths of an answer's long ones: the others are not worth measuring
VALUES = Kept(checked_value)
WRITTEN = Kept(written)
CHARSETS = Kept(charset_of)


# --- Errors -----------------------------------------------------------------------------------------------------------


def error_response(error: BaseException, environ: Environ, number: str) -> Response:
    """Log the error, and answer it: problem+json (RFC 9457) where JSON was asked for, else a sentence.

    The log has the traceback, the answer only the number under which to look for it.
    """
    problem, extra = error, {"request_id": number}
    if isinstance(problem, Problem):
        logger.error("request.refused request_id=%s %s %s", number, problem.status, problem, extra=extra)
    else:
        logger.error("application.failed request_id=%s", number, exc_info=error, extra=extra)
        problem = Problem("500 Internal Server Error", "Something went wrong here. The error was logged.")
    accept = environ.get("HTTP_ACCEPT", "").lower()
    content_type, body = "text/plain; charset=utf-8", f"{problem.detail}\nRequest id: {number}\n"
    if "json" in environ.get("CONTENT_TYPE", "").lower() or ("json" in accept and "text/" not in accept):
        members = {"title": problem.status[4:], "status": int(problem.status[:3]), "detail": problem.detail}
        content_type, body = "application/problem+json", json.dumps({**members, "request_id": number})
    return problem.status, [("Content-Type", content_type), ("X-Request-Id", number)], body.encode()


def request_id(event: Event, context: Any) -> str:
    """The platform's id of this invocation, else the gateway's of this request, else a random one."""
    places = (
        find(context, "request_id"),  # Tencent's context is a dict, AWS's and Aliyun's an object
        getattr(context, "aws_request_id", None),
        getattr(context, "request_id", None),
        find(event, "requestContext", "requestId"),
        find(event, "headers", "x-scf-request-id"),
    )
    number = next((place for place in places if place and isinstance(place, str)), "")
    return re.sub(r"[^\w=.:-]", "", number, flags=re.ASCII)[:100] or os.urandom(8).hex()


def describe(event: Event) -> str:
    """Which event this was, by its keys: its values may be personal."""
    return f"{event_source(event)} with the keys {', '.join(sorted(map(str, event))[:10]) or '(none)'}"


# --- Which application ------------------------------------------------------------------------------------------------


@cache
def load(name: str) -> Any:
    """Import `module:attribute`.

    The garbage collector rests meanwhile: it would search, again and again, through objects that all stay. Afterwards
    they are frozen, so that it never looks at them again. That is a quarter of Django's cold start.
    """
    module, _, attribute = name.strip().partition(":")
    collecting = gc.isenabled()
    gc.disable()
    try:
        return getattr(import_module(module), attribute or "application")
    finally:
        gc.freeze()
        if collecting:
            gc.enable()


def the_application() -> Application:
    """The application that WSGI_APPLICATION names, imported when first asked for."""
    application: Application = load(os.environ.get("WSGI_APPLICATION") or DEFAULT_APPLICATION)
    return application


def named_application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """The same as a WSGI application: so a failing import is answered and logged like its other errors."""
    return the_application()(environ, start_response)


def handle_wsgi_call(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """FC's oldest HTTP trigger speaks WSGI already; what it lacks is SCRIPT_NAME, context and an answer to errors."""
    environ.pop("HTTP_PROXY", None)
    environ.setdefault("REMOTE_PORT", "0")
    environ["context"] = environ["serverless.context"] = environ.get("fc.context")
    environ["event"] = environ["serverless.event"] = {}
    path = environ.get("PATH_INFO") or "/"
    full_path = unquote_to_bytes((environ.get("fc.request_uri") or "").partition("?")[0]).decode("latin-1")
    if not environ.get("SCRIPT_NAME"):  # /2016-08-15/proxy/SERVICE/FUNCTION on the default domain
        own = "" if path == "/" else path
        environ["SCRIPT_NAME"] = full_path.rstrip("/").removesuffix(own) if full_path.endswith(own) else ""
    try:
        status, headers, body = wsgi_answer(environ, *run(named_application, environ, FC.limit))
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 it is logged
        number = request_id({}, environ["context"])
        status, headers, body = wsgi_answer(environ, *error_response(error, environ, number))
    start_response(status, headers)
    return [body]


# --- Events that are not HTTP -----------------------------------------------------------------------------------------


def handle_other(event: Event, context: Any) -> Any:
    """Run a timer's or a direct invocation's command, or the function that EVENT_HANDLERS names for the source."""
    source = event_source(event)
    for entry in os.environ.get("EVENT_HANDLERS", "").split(";"):  # cos=survey.imports:handle; cls=...
        name, _, target = entry.partition("=")
        if target and name.strip() == source:
            return load(target)(event, context)
    if source == "manage":
        exit_code, output = run_command(event["manage"], request_id(event, context))
        return {"exit_code": exit_code, "output": output}
    if source == "timer":
        exit_code, output = run_command(event.get("Message") or event.get("payload"), request_id(event, context))
        if exit_code:
            raise CommandFailed(f"The timer's command ended with exit code {exit_code}: {output[-2000:]}")
        return {"exit_code": exit_code, "output": output}
    raise UnknownEvent(f"EVENT_HANDLERS names no function for this event: {describe(event)}.")


def event_source(event: Event) -> str:
    """Who sent an event that is not HTTP: manage, timer, cos, ckafka, cmq, cls, s3, sqs, ...; 'unknown' if it is."""
    if "manage" in event:
        return "manage"
    if event.get("Type") == "Timer" or "triggerName" in event:  # Tencent's, Aliyun's
        return "timer"
    if "clslogs" in event:
        return "cls"
    records = event.get("Records")
    record = records[0] if isinstance(records, list) and records and isinstance(records[0], dict) else {}
    for key in record:
        if key.lower() in ("cos", "ckafka", "cmq"):
            return str(key.lower())
    source = record.get("eventSource") or record.get("EventSource") or event.get("source")  # AWS
    source = source.rpartition(":")[2] if isinstance(source, str) else ""
    return source if re.fullmatch(r"[a-z0-9._-]{1,40}", source) else "unknown"  # it goes into the log


def run_command(words: Any, number: str) -> tuple[int, str]:
    """Run a management command as `manage.py` would, if MANAGE_COMMANDS allows it: (exit code, output).

    `number` is the invocation's, for the log.
    """
    import shlex
    from contextlib import redirect_stderr, redirect_stdout
    from io import StringIO

    try:
        words = shlex.split(words) if isinstance(words, str) else words
    except ValueError as error:
        return 2, f"The command cannot be read: {error}."
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        return 2, "A command is a list of strings."
    command, extra = allowed(words), {"request_id": number}
    if not command:
        logger.error("command.refused request_id=%s", number, extra=extra)  # not its words, which may be anything
        return 126, "MANAGE_COMMANDS does not allow this command with these words."
    the_application()  # names the settings
    from django.core.management import execute_from_command_line

    exit_code: Any = 0
    failure = None
    with redirect_stdout(StringIO()) as output, redirect_stderr(output):
        try:
            execute_from_command_line(["manage.py", *command])
        except SystemExit as end:
            exit_code = 0 if end.code is None else end.code
        except Exception as error:  # noqa: BLE001 it is logged
            exit_code, failure = f"{type(error).__name__}: the log says where.", error  # its text may be personal
    if failure:
        logger.error("command.failed request_id=%s %s", number, command[0], exc_info=failure, extra=extra)
    if type(exit_code) is not int:  # sys.exit("sentence") prints it and ends with 1
        return 1, f"{output.getvalue()}{exit_code}\n"
    return exit_code, output.getvalue()


def allowed(words: list[str]) -> list[str]:
    """The words as they may run, [] if they may not.

    MANAGE_COMMANDS holds entries `command word --flag --option=` between semicolons: the command may be followed by
    these words in any order; one that ends in `=` takes any value. `--option 5` becomes `--option=5`, so that a value
    can never turn into an argument.
    """
    for entry in os.environ.get("MANAGE_COMMANDS", DEFAULT_COMMANDS).split(";"):
        known = entry.split()
        if known[:1] != words[:1]:
            continue
        command, rest = words[:1], iter(words[1:])
        for word in rest:
            if word in known[1:] or ("=" in word and word[: word.index("=") + 1] in known[1:]):
                command.append(word)
            elif f"{word}=" in known[1:]:
                command.append(f"{word}={next(rest, '')}")
            else:
                break
        else:
            return command
    return []


def is_there(application: str) -> bool:
    """Whether there is such a module: its package may be, by a folder of the same name."""
    try:
        return find_spec(application.partition(":")[0]) is not None
    except ModuleNotFoundError:
        return False


# On a platform the application is imported now, in the phase that has its own time limit; a failing import is reported
# by the platform. Elsewhere (tests, another project that only uses handle_request) on the first event that needs it.
if any(name in os.environ for name in PLATFORM_VARIABLES) and (
    os.environ.get("WSGI_APPLICATION") or is_there(DEFAULT_APPLICATION)
):
    the_application()
