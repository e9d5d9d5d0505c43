"""Runs a WSGI application behind the gateways of Tencent Cloud, AWS and Alibaba Cloud.

A function platform turns each HTTP request into an *event*, a dict of JSON, and calls `main_handler(event, context)`.
What that returns, again a dict, the gateway turns into the HTTP answer. In between this file does what a web server
does: event -> WSGI environ (PEP 3333) -> application -> answer. Timers and direct invocations run management commands.

Every gateway spells its event differently. `GATEWAYS` describes each in a few words: where the path is and whether it
is still percent-encoded, where the query, the client's address and the stage are, and how the answer must look.
`handle_request` reads any event through its description.

Environment variables (docs/bridge.md): WSGI_APPLICATION, PUBLIC_URL, API_GATEWAY_BASE_PATH, STRIP_STAGE_PATH,
TEXT_MIME_TYPES, MANAGE_COMMANDS, EVENT_HANDLERS.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from importlib import import_module
from io import BytesIO
from typing import Any, NamedTuple, NoReturn
from urllib.parse import quote_plus, unquote_to_bytes, urlsplit

Event = dict[str, Any]
Environ = dict[str, Any]
Headers = dict[str, tuple[str, list[str]]]  # lower-case name: (name as the application wrote it, its values)
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]

DEFAULT_APPLICATION = "mydjango.wsgi:application"
DEFAULT_COMMANDS = "migrate --noinput --plan --check; check --deploy --database= --fail-level="
MEGABYTE = 1024 * 1024

logger = logging.getLogger(__name__)


class UnknownEvent(ValueError):
    """An event that is neither HTTP nor a command, and for which no handler is registered."""


class CommandFailed(RuntimeError):
    """A timer's command was refused or ended with another exit code than 0."""


class Problem(Exception):
    """An error that is answered with its own status and sentence."""

    def __init__(self, status: str, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def main_handler(event: Any, context: Any) -> Any:
    """The entry on every platform."""
    event = read_event(event)
    if is_http(event):
        return handle_request(named_application, event, context)
    return handle_other(event, context)


def handle_request(application: Application, event: Any, context: Any) -> Event:
    """Answer one HTTP event. Never raises for one; UnknownEvent for any other event."""
    event = read_event(event)
    if not is_http(event):
        raise UnknownEvent(f"Not an HTTP event: {describe(event)}.")
    request_context = event.get("requestContext")
    if not isinstance(request_context, dict):
        request_context = {}
    gateway = next(gateway for gateway in GATEWAYS if gateway.sends(event, request_context))
    environ: Environ = {}
    try:
        fill_environ(environ, gateway, event, request_context, context)
        status, headers, body = run(application, environ, gateway.limit)
        return answer(gateway, event, environ, status, headers, body)
    except Problem as error:
        problem, trace = error, None
    except Exception as error:  # noqa: BLE001 whatever the application raises is logged and answered
        problem, trace = Problem("500 Internal Server Error", "Something went wrong here. The error was logged."), error
    number = request_id(event, context)
    name = "application.failed" if trace else "request.refused"
    logger.error("%s request_id=%s %s: %s", name, number, problem.status, problem.detail, exc_info=trace)
    status, pairs, body = problem_page(problem, environ, number)
    return answer(gateway, event, environ, status, grouped(pairs), body)


# --- What the gateways send ------------------------------------------------------------------------------------------


class Gateway(NamedTuple):
    """How one gateway spells a request, and what it makes of the answer."""

    name: str
    sends: Callable[[Event, Event], bool]  # does this event (and its requestContext) come from here?
    answer: Callable[[Event, str, Headers], Event]  # the answer without its body, in this gateway's format
    path: str = "path"  # the key that holds the path
    path_encoded: bool = True  # still percent-encoded?
    method: tuple[str, ...] = ("httpMethod",)
    query: tuple[str, ...] = ("queryStringParameters",)  # where the query is; the first of them that is not empty
    query_encoded: bool = False
    headers: tuple[str, ...] = ("headers",)
    address: tuple[str, ...] = ()  # where the platform puts the client's address
    address_header: str = ""  # ... or the header to whose end it appends it
    stage_domains: tuple[str, ...] = ()  # hosts whose public URL begins with the stage
    stage_in_path: bool = False  # ... and whether the event's path does too
    binary: bool = True  # does it decode base64 answers?
    limit: int = 6 * MEGABYTE  # of the answer's JSON


def tencent_answer(event: Event, status: str, headers: Headers) -> Event:
    """One header map, in which a list repeats a header. Aliyun FC is given the same."""
    return {
        "statusCode": int(status[:3]),
        "headers": {name: values[0] if len(values) == 1 else values for name, values in headers.values()},
    }


def aws_rest_answer(event: Event, status: str, headers: Headers) -> Event:
    """Multi-value headers where the event had them; else single ones, and multi-value ones for what is repeated."""
    code = int(status[:3])
    if event.get("multiValueHeaders"):
        return {"statusCode": code, "multiValueHeaders": dict(headers.values())}
    single = {name: values[0] for name, values in headers.values() if len(values) == 1}
    repeated = {name: values for name, values in headers.values() if len(values) > 1}
    return {"statusCode": code, "headers": single, **({"multiValueHeaders": repeated} if repeated else {})}


def aws_v2_answer(event: Event, status: str, headers: Headers) -> Event:
    """Header strings, and cookies as a list of their own."""
    cookies = headers.pop("set-cookie", ("", []))[1]
    return {
        "statusCode": int(status[:3]),
        "headers": {name: ",".join(values) for name, values in headers.values()},
        **({"cookies": cookies} if cookies else {}),
    }


def alb_answer(event: Event, status: str, headers: Headers) -> Event:
    """The same kind of map as the event had, and the status line.

    A single-value map has one place a name, so further cookies are spelled set-Cookie, sEt-cookie, ...: names are
    compared without case, and the load balancer passes them on as they are.
    """
    head: Event = {"statusCode": int(status[:3]), "statusDescription": status}
    if event.get("multiValueHeaders"):
        return {**head, "multiValueHeaders": dict(headers.values())}
    name, cookies = headers.pop("set-cookie", ("", []))
    single = {name: ",".join(values) for name, values in headers.values()}
    for number, cookie in enumerate(cookies):
        single[spelling(name, number)] = cookie
    return {**head, "headers": single}


def spelling(name: str, number: int) -> str:
    """The name with the case of its letters changed by the bits of the number; number 0 leaves it as it is."""
    return "".join(letter.swapcase() if number >> place & 1 else letter for place, letter in enumerate(name))


HTTP = ("requestContext", "http")
SOURCE_IP = ("requestContext", "sourceIp")
AMAZON = (".amazonaws.com", ".amazonaws.com.cn")

# From the most to the least particular: the first that `sends` such an event is the one. A Function URL's event has no
# mark of its own, so it comes last.
GATEWAYS = (
    Gateway(
        "aws-alb",
        sends=lambda event, context: "elb" in context,
        answer=alb_answer,
        query=("multiValueQueryStringParameters", "queryStringParameters"),
        query_encoded=True,
        headers=("multiValueHeaders", "headers"),
        address_header="HTTP_X_FORWARDED_FOR",
        limit=MEGABYTE,
    ),
    Gateway(
        "aws-lambda-url",
        sends=lambda event, context: event.get("version") == "2.0" and ".lambda-url." in str(context.get("domainName")),
        answer=aws_v2_answer,
        path="rawPath",
        method=(*HTTP, "method"),
        query=("rawQueryString",),
        address=(*HTTP, "sourceIp"),
    ),
    Gateway(
        "aws-http",
        sends=lambda event, context: event.get("version") == "2.0" or "rawQueryString" in event,
        answer=aws_v2_answer,
        path="rawPath",
        path_encoded=False,
        method=(*HTTP, "method"),
        query=("rawQueryString",),
        address=(*HTTP, "sourceIp"),
        stage_domains=AMAZON,
        stage_in_path=True,
    ),
    Gateway(
        "aliyun-fc",
        sends=lambda event, context: "rawPath" in event or "http" in context,
        answer=tencent_answer,
        path="rawPath",
        method=(*HTTP, "method"),
        query=("queryParameters",),
        address=(*HTTP, "sourceIp"),
    ),
    Gateway(
        "aliyun-apigateway",
        sends=lambda event, context: "queryParameters" in event,
        answer=tencent_answer,
        query=("queryParameters",),
        address_header="HTTP_X_FORWARDED_FOR",
    ),
    Gateway(
        "aws-rest",
        sends=lambda event, context: "multiValueHeaders" in event or "resource" in event or "apiId" in context,
        answer=aws_rest_answer,
        query=("multiValueQueryStringParameters", "queryStringParameters"),
        headers=("multiValueHeaders", "headers"),
        address=("requestContext", "identity", "sourceIp"),
        stage_domains=AMAZON,
    ),
    Gateway(
        "tencent-apigw",
        sends=lambda event, context: "serviceId" in context or "stage" in context,
        answer=tencent_answer,
        query=("queryString",),
        address=SOURCE_IP,
        stage_domains=(".apigw.tencentcs.com",),
    ),
    Gateway(
        "tencent-function-url",
        sends=lambda event, context: True,
        answer=tencent_answer,
        query=("queryString",),
        address=SOURCE_IP,
        address_header="HTTP_X_SCF_REMOTE_ADDR",
        binary=False,
    ),
)


def read_event(event: Any) -> Event:
    """The event as a dict; Aliyun FC hands over the JSON's bytes."""
    if isinstance(event, (bytes, bytearray, str)):
        try:
            event = json.loads(event)
        except ValueError as error:
            raise UnknownEvent("The event is not JSON.") from error
    if not isinstance(event, dict):
        raise UnknownEvent(f"The event is a {type(event).__name__}, not an object.")
    return event


def is_http(event: Event) -> bool:
    """Whether the event may have come over HTTP: asked first, so that no HTTP request can pose as a command."""
    return "httpMethod" in event or not HTTP_KEYS.isdisjoint(event)


HTTP_KEYS = frozenset({"httpMethod", "path", "rawPath", "headers", "multiValueHeaders", "requestContext"})


# --- Event -> WSGI environ -------------------------------------------------------------------------------------------


def fill_environ(environ: Environ, gateway: Gateway, event: Event, request_context: Event, context: Any) -> None:
    """Fill in what PEP 3333 asks for. Problem for a body that is not what it claims to be.

    Strings in an environ are bytes in disguise: each character stands for one byte of the UTF-8 that was sent.
    """
    method = find(event, gateway.method)
    environ.update(
        {
            "REQUEST_METHOD": method if isinstance(method, str) and method.isascii() and method else "GET",
            "QUERY_STRING": query_string(gateway, event),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.version": (1, 0),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": False,
            "wsgi.multiprocess": True,  # other instances run the same application at the same time
            "wsgi.run_once": False,
            "event": event,
            "context": context,
            "serverless.event": event,
            "serverless.context": context,
        }
    )
    add_headers(environ, first(event, gateway.headers))
    cookies = event.get("cookies")
    if cookies and isinstance(cookies, list):
        environ["HTTP_COOKIE"] = bytes_in_disguise("; ".join(map(str, cookies)))  # a Lambda URL sends them twice
    if not gateway.binary:
        environ.pop("HTTP_ACCEPT_ENCODING", None)  # so that the application never compresses
    add_server(environ)
    add_path(environ, gateway, event, request_context)
    address = find(event, gateway.address) if gateway.address else None
    if not isinstance(address, str) or not address:
        # The platform appends to X-Forwarded-For; whatever stands before is the client's own claim.
        address = environ.get(gateway.address_header, "").rpartition(",")[2].strip()
    environ["REMOTE_ADDR"] = address
    authorizer = request_context.get("authorizer")
    if authorizer:
        user = next(filter(None, (find(authorizer, place) for place in PRINCIPALS)), None)
        if isinstance(user, str):
            environ["REMOTE_USER"] = bytes_in_disguise(user)
    body = read_body(event)
    environ["CONTENT_LENGTH"] = str(len(body))  # the real one, whatever the header says
    environ["wsgi.input"] = BytesIO(body)


# Who the authorizer says it is: a custom one, Cognito's or a JWT's subject, IAM's caller.
PRINCIPALS = (
    ("principalId",),
    ("lambda", "principalId"),
    ("claims", "sub"),
    ("jwt", "claims", "sub"),
    ("iam", "userArn"),
)


def find(value: Any, keys: tuple[str, ...]) -> Any:
    """The value under nested keys, or None."""
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def first(event: Event, keys: tuple[str, ...]) -> Any:
    """The first value that is neither absent nor empty, or None."""
    for key in keys:
        value = event.get(key)
        if value:
            return value
    return None


def bytes_in_disguise(text: str) -> str:
    """UTF-8 as PEP 3333's native string: one character a byte."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("latin-1")


def add_headers(environ: Environ, headers: Any) -> None:
    """Request headers as CGI variables; repeats are joined by a comma, cookies by a semicolon."""
    if not isinstance(headers, dict):
        return
    for name, value in headers.items():
        key = cgi_name(name)
        if not key:
            continue
        separator = "; " if key == "HTTP_COOKIE" else ","
        if type(value) is list:
            value = value[0] if len(value) == 1 else separator.join(str(item) for item in value if item is not None)
        if type(value) is not str:
            if value is None:
                continue
            value = str(value)
        if key in environ:  # the same name in another case
            value = environ[key] + separator + value
        environ[key] = value if value.isascii() else bytes_in_disguise(value)


@lru_cache(maxsize=1024)
def cgi_name(header: str) -> str:
    """`Accept-Language` -> `HTTP_ACCEPT_LANGUAGE`; '' for a header that the application must not see.

    An underscore would let `X_Forwarded_Proto` pose as `X-Forwarded-Proto`; `Proxy` would become HTTP_PROXY, which
    HTTP clients obey. Length and transfer coding were the client's; the body here is whole.
    """
    key = header.upper().replace("-", "_")
    if not header.isascii() or not header.replace("-", "").isalnum():
        return ""
    if key in ("PROXY", "CONTENT_LENGTH", "TRANSFER_ENCODING"):
        return ""
    return key if key == "CONTENT_TYPE" else "HTTP_" + key


def query_string(gateway: Gateway, event: Event) -> str:
    """The query, percent-encoded again where the gateway has decoded it."""
    query = first(event, gateway.query)
    if isinstance(query, str):
        return bytes_in_disguise(query)
    if not isinstance(query, dict):
        return ""
    pairs = []
    for name, values in query.items():
        if not gateway.query_encoded:
            name = quote_plus(name, errors="replace")
        for value in values if isinstance(values, list) else (values,):
            if value is True or value is None:  # Tencent: a key without "="
                pairs.append(name)
            elif gateway.query_encoded:
                pairs.append(f"{name}={value}")
            else:
                pairs.append(f"{name}={quote_plus(str(value), errors='replace')}")
    return bytes_in_disguise("&".join(pairs))


def add_server(environ: Environ) -> None:
    """Host, port and scheme: the event's, else those of PUBLIC_URL."""
    host = environ.get("HTTP_HOST", "")
    scheme = environ.get("HTTP_X_FORWARDED_PROTO", "")
    if not host or not scheme:
        public = urlsplit(os.environ.get("PUBLIC_URL", ""))
        scheme = scheme or public.scheme
        if not host and public.netloc:
            host = environ["HTTP_HOST"] = public.netloc
    environ["SERVER_NAME"], environ["SERVER_PORT"], environ["wsgi.url_scheme"] = server(
        host, environ.get("HTTP_X_FORWARDED_PORT", ""), scheme
    )


@lru_cache(maxsize=256)
def server(host: str, forwarded_port: str, forwarded_scheme: str) -> tuple[str, str, str]:
    """(name, port, scheme): the host's own port counts first; without any scheme it is https, as all gateways are."""
    scheme = forwarded_scheme.rpartition(",")[2].strip().lower()
    if scheme not in ("http", "https"):
        scheme = "https"
    name, _, port = host.rpartition(":")
    if not name or "]" in port:  # no port; [::1] is a name with colons
        name, port = host, ""
    port = port or forwarded_port.rpartition(",")[2].strip()
    if not (port.isascii() and port.isdigit()):
        port = "443" if scheme == "https" else "80"
    return name or "localhost", port, scheme


def add_path(environ: Environ, gateway: Gateway, event: Event, request_context: Event) -> None:
    """SCRIPT_NAME, what the public URL has before the application's own path, and PATH_INFO, that path."""
    path = event.get(gateway.path)
    if not isinstance(path, str):
        path = "/"
    if "%" in path and gateway.path_encoded and path.isascii() and " " not in path:
        path = unquote_to_bytes(path).decode("latin-1")
    else:  # decoded already, or nothing to decode: no URL holds a space or a Chinese character
        path = bytes_in_disguise(path)
    if path[:1] != "/":
        path = "/" + path
    script_name = ""
    stage = request_context.get("stage") if gateway.stage_domains else None
    if isinstance(stage, str) and stage and stage != "$default":
        prefix = "/" + bytes_in_disguise(stage)
        begins = gateway.stage_in_path and begins_with(path, prefix)
        if begins:
            path = path[len(prefix) :]
        public = environ["SERVER_NAME"].lower().endswith(gateway.stage_domains)
        if public and (begins or not gateway.stage_in_path) and not keeps_stage_out():
            script_name = prefix
    base = os.environ.get("API_GATEWAY_BASE_PATH", "").strip("/")
    if base:
        prefix = "/" + bytes_in_disguise(base)
        if begins_with(path, prefix):
            script_name, path = script_name + prefix, path[len(prefix) :]
    environ["SCRIPT_NAME"] = script_name
    environ["PATH_INFO"] = path


def keeps_stage_out() -> bool:
    """STRIP_STAGE_PATH: links are to be built without the stage."""
    return os.environ.get("STRIP_STAGE_PATH", "").strip().lower() in ("1", "true", "t", "yes", "y")


def begins_with(path: str, prefix: str) -> bool:
    """Whether the path begins with the whole segments of the prefix: /v1/x with /v1, but not /v1beta/x."""
    return path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in ("", "/")


def read_body(event: Event) -> bytes:
    """The request's body; Problem 400 where it should be base64 and is not."""
    body = event.get("body")
    if not body:
        return b""
    if not isinstance(body, str):  # a console test with a JSON object in place of its text
        return json.dumps(body).encode()
    if event.get("isBase64Encoded") in (True, "true", "True"):  # Aliyun's API Gateway sends the word
        try:
            return b64decode(body, validate=True)
        except ValueError as error:
            raise Problem("400 Bad Request", "The request's body is not valid base64.") from error
    return body.encode("utf-8", "replace")


# --- The application's turn ------------------------------------------------------------------------------------------


def run(application: Application, environ: Environ, limit: int) -> tuple[str, Headers, bytes]:
    """Call the application as PEP 3333 says: (status, headers, body). The iterable is always closed.

    Reading stops where the body alone is over the limit: nobody could be sent the rest.
    """
    started: list[Any] = []  # status and headers
    chunks: list[bytes] = []
    keep = environ["REQUEST_METHOD"] != "HEAD"

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        if exc_info:
            if chunks:
                raise exc_info[1].with_traceback(exc_info[2])
        elif started:
            raise AssertionError("start_response was called twice without exc_info.")
        started[:] = status, headers
        return chunks.append

    size = 0
    iterable = application(environ, start_response)
    try:
        for chunk in iterable:
            if chunk:
                chunks.append(chunk if keep else b"")
                size += len(chunk)
                if size > limit and keep:
                    break
    finally:
        close = getattr(iterable, "close", None)
        if close is not None:
            close()
    if not started:
        raise AssertionError("The application never called start_response.")
    return started[0], grouped(started[1]), b"".join(chunks)


def grouped(pairs: Iterable[tuple[str, str]]) -> Headers:
    """All values of each response header, in the order and case of its first appearance."""
    headers: Headers = {}
    for name, value in pairs:
        if not value.isascii():
            value = value.encode("latin-1").decode("utf-8", "replace")
        if "\n" in value or "\r" in value:
            raise ValueError(f"The response header {name} holds a line break.")
        key = name.lower()
        if key in headers:
            headers[key][1].append(value)
        else:
            headers[key] = (name, [value])
    return headers


# --- Response -> answer ----------------------------------------------------------------------------------------------


def answer(gateway: Gateway, event: Event, environ: Environ, status: str, headers: Headers, body: bytes) -> Event:
    """The dict that the gateway turns into the HTTP answer. Problem 502 for one that it could not carry."""
    if body and (status.startswith(("1", "204", "304")) or environ.get("REQUEST_METHOD") == "HEAD"):
        body = b""
    content_type = ",".join(headers.get("content-type", ("", []))[1])
    text = None
    if "content-encoding" not in headers:
        text = as_text(body, content_type)
    if text is None:
        if not gateway.binary:
            raise Problem(
                "502 Bad Gateway",
                f"{len(body)} bytes of {content_type or 'no content type'} cannot pass: the gateway carries only text.",
            )
        content, is_base64 = b64encode(body).decode(), True
    else:
        content, is_base64 = text, False
    result = gateway.answer(event, status, headers)
    result["body"] = content
    result["isBase64Encoded"] = is_base64
    # JSON makes at most six bytes of one: only what could be over the limit is measured.
    if len(content) * 6 > gateway.limit - 100_000:
        size = len(json.dumps(result))
        if size > gateway.limit:
            raise Problem(
                "502 Bad Gateway",
                f"The answer is {size} bytes of JSON ({content_type}); this gateway carries {gateway.limit}.",
            )
    return result


def as_text(body: bytes, content_type: str) -> str | None:
    """The body as text, or None where it must go as base64."""
    if not body:
        return ""
    if not is_text(content_type):
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None


@lru_cache(maxsize=256)
def is_text(content_type: str) -> bool:
    """Whether a content type is text."""
    media_type = content_type.partition(";")[0].strip().lower()
    return (
        media_type.startswith("text/")
        or media_type.endswith(("+json", "+xml", "/json", "/xml", "/javascript"))
        or media_type == "application/x-www-form-urlencoded"
    )


# --- Errors ----------------------------------------------------------------------------------------------------------


def problem_page(problem: Problem, environ: Environ, number: str) -> tuple[str, list[tuple[str, str]], bytes]:
    """(status, headers, body) of an error: problem+json (RFC 9457) where JSON was asked for, else a sentence."""
    accept = environ.get("HTTP_ACCEPT", "").lower()
    content_type = "text/plain; charset=utf-8"
    body = f"{problem.detail}\nRequest id: {number}\n"
    if "json" in environ.get("CONTENT_TYPE", "").lower() or ("json" in accept and "text/" not in accept):
        content_type = "application/problem+json"
        code, _, title = problem.status.partition(" ")
        members = {"type": "about:blank", "title": title, "status": int(code), "detail": problem.detail}
        body = json.dumps({**members, "request_id": number})
    return problem.status, [("Content-Type", content_type), ("X-Request-Id", number)], body.encode()


def request_id(event: Event, context: Any) -> str:
    """The platform's id of this invocation, else the gateway's of this request, else a random one."""
    given = context.get("request_id") if isinstance(context, dict) else None
    for name in ("aws_request_id", "request_id"):
        given = given or getattr(context, name, None)
    given = given or find(event, ("requestContext", "requestId")) or find(event, ("headers", "x-scf-request-id"))
    return "".join(c for c in str(given or os.urandom(8).hex()) if c.isascii() and (c.isalnum() or c in "-_.:=/+"))


# --- Which application -----------------------------------------------------------------------------------------------


def named_application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The application that WSGI_APPLICATION names; an import error is its failure like any other."""
    return load_application(os.environ.get("WSGI_APPLICATION") or DEFAULT_APPLICATION)(environ, start_response)


@cache
def load_application(name: str) -> Application:
    """Import `module:attribute`.

    Without the garbage collector, which would look again and again at objects that all stay; afterwards they are
    frozen, so that it never looks at them again. A quarter of Django's cold start.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        module, _, attribute = name.partition(":")
        application: Application = getattr(import_module(module), attribute or "application")
    finally:
        gc.freeze()
        if collecting:
            gc.enable()
    return application


def handle_other(event: Event, context: Any) -> NoReturn:
    """Events that are not HTTP."""
    raise UnknownEvent(f"No handler for this event: {describe(event)}.")


def describe(event: Event) -> str:
    """Which event this was: its keys, not its values, which may be personal."""
    return f"an object with the keys {', '.join(sorted(event)[:8]) or '(none)'}"
