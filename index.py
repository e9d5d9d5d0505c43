"""Run a WSGI application behind the gateways of Tencent Cloud, AWS and Alibaba Cloud.

A function platform turns each HTTP request into an *event*, a dict of JSON, and calls `main_handler(event, context)`.
The *result*, again a dict, becomes the HTTP response. In between, this file does what a web server does, and it reads
in that order: entry, gateways, environ, application, response, errors, commands.

Threads: nothing of a request is kept outside the call that serves it, so any number of threads may call a handler at
once; WSGI_MULTITHREAD tells the application. Management commands run one at a time.

Settings are environment variables, read once, on import: WSGI_APPLICATION, WSGI_MULTITHREAD, PUBLIC_URL, ERROR_PAGE,
API_GATEWAY_BASE_PATH, STRIP_STAGE_PATH, TEXT_MIME_TYPES, LEGACY_ENVIRON, MANAGE_COMMANDS, EVENT_HANDLERS.
docs/bridge.md explains them. Standard library only. `python index.py event.json` tries one event.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import re
import sys
from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from functools import cache, lru_cache, partial
from importlib.util import find_spec
from inspect import iscoroutinefunction
from io import BytesIO, StringIO
from pathlib import Path
from pkgutil import resolve_name
from threading import RLock, get_ident
from typing import Any, NamedTuple, TextIO
from urllib.parse import unquote_to_bytes, urlsplit

Event = dict[str, Any]
Result = dict[str, Any]
Environ = dict[str, Any]
Headers = dict[str, list[str]]  # name, as it was first spelled: all its values
StartResponse = Callable[..., Callable[[bytes], Any]]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]
Response = tuple[str, list[tuple[str, str]], bytes]  # status ("200 OK"), headers, body

DEFAULT_APPLICATION = "mydjango.wsgi:application"
DEFAULT_COMMANDS = "migrate --noinput --plan --check; check --deploy --database= --fail-level="
PLATFORM_VARIABLES = ("TENCENTCLOUD_RUNENV", "AWS_LAMBDA_FUNCTION_NAME", "FC_FUNCTION_NAME")
MEGABYTE = 1024 * 1024
logger = logging.getLogger("index")  # by this name also where the file runs as a script


class UnknownEvent(ValueError):
    """An event that is neither HTTP nor a command, and for which EVENT_HANDLERS names no function."""


class CommandFailed(RuntimeError):
    """A timer's command was refused or ended with an exit code other than 0. Platforms retry and report it."""


class Problem(Exception):
    """An error with a response of its own: Problem(status line, a sentence for the client)."""


class Settings(NamedTuple):  # a frozen dataclass would cost each cold start 0.8 ms of a whole core
    """The environment variables, parsed. Tests replace the module's `settings`."""

    application: str
    multithread: bool
    public_host: str  # host and port of PUBLIC_URL, "" without one
    public_scheme: str
    base_path: str  # "" or "/v1", as a native string
    strip_stage: bool
    text_types: frozenset[str]
    error_page: str  # HTML
    legacy_environ: bool
    commands: str | None  # MANAGE_COMMANDS; None: Django's setting of that name decides
    event_handlers: Mapping[str, str]  # source: "module:function"

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Settings:
        """Parse environment variables. Raise OSError for an ERROR_PAGE that cannot be read."""
        text = defaultdict(str, {name: value.strip() for name, value in variables.items()})
        public, base_path, error_page = urlsplit(text["PUBLIC_URL"]), text["API_GATEWAY_BASE_PATH"], text["ERROR_PAGE"]
        handlers = (entry.partition("=") for entry in text["EVENT_HANDLERS"].split(";"))
        yes = ("1", "true", "t", "yes", "y", "on")
        return cls(
            application=text["WSGI_APPLICATION"],
            multithread=text["WSGI_MULTITHREAD"].lower() in yes,
            public_host=public.netloc,
            public_scheme="http" if public.scheme == "http" else "https",  # as at all gateways
            base_path=native("/" + base_path.strip("/")).rstrip("/"),
            strip_stage=text["STRIP_STAGE_PATH"].lower() in yes,
            text_types=frozenset(text["TEXT_MIME_TYPES"].lower().replace(",", " ").split()),
            error_page=(Path(__file__).parent / error_page).read_text("utf-8") if error_page else "",
            legacy_environ=text["LEGACY_ENVIRON"].lower() in yes,
            commands=variables.get("MANAGE_COMMANDS"),
            event_handlers={source.strip(): target.strip() for source, _, target in handlers if target.strip()},
        )


# --- Entry ------------------------------------------------------------------------------------------------------------


def main_handler(event: Any, context: Any) -> Any:
    """Handle an event with the application that WSGI_APPLICATION names: every platform's entry. See dispatch()."""
    return dispatch(configured_application, event, context)


def make_handler(application: Any) -> Callable[[Any, Any], Any]:
    """Return a handler like main_handler for an application. Raise ImportError for an ASGI one without a2wsgi."""
    return partial(dispatch, as_wsgi(application))


def dispatch(application: Application, event: Any, context: Any) -> Any:
    """Return what handle_request() returns for HTTP, what handle_trigger() returns for other events, or raise alike."""
    if callable(context):  # FC's oldest HTTP trigger passes (environ, start_response)
        return handle_wsgi_call(application, event, context)
    event = read_event(event)
    gateway = gateway_of(event)  # asked first, so that no HTTP request can pose as a command
    return handle_request(application, event, context, gateway) if gateway else handle_trigger(event, context)


def handle_request(application: Application, event: Any, context: Any, gateway: Gateway | None = None) -> Result:
    """Return the result of one HTTP event; each failure has a response too. Raise UnknownEvent for other events."""
    event = read_event(event)
    gateway = gateway or gateway_of(event)
    if not gateway:
        raise UnknownEvent(f"This event is not HTTP: {describe(event)}.")
    method = method_of(gateway, event) or "GET"
    request_id = request_id_of(event, context)
    environ: Environ = {}
    try:
        environ = build_environ(gateway, event, context, method, request_id)
        attach_body(environ, event)
        response = call_wsgi(application, environ, gateway.limit)
        return render(gateway, event, method, response)
    except BaseException as error:  # noqa: BLE001 it is logged; no exit or cancellation may end the instance
        return render(gateway, event, method, error_response(error, environ, request_id))


def read_event(event: Any) -> Event:
    """Return the event as a dict; Alibaba's FC passes the bytes of its JSON. Raise UnknownEvent for anything else."""
    try:
        event = event if isinstance(event, dict) else json.loads(event)
    except (ValueError, TypeError, RecursionError) as error:
        raise UnknownEvent(f"The event is a {type(event).__name__} and not JSON.") from error
    if not isinstance(event, dict):
        raise UnknownEvent(f"The event is a {type(event).__name__}, not an object.")
    return event


# --- Gateways ---------------------------------------------------------------------------------------------------------


def list_headers(event: Event, status: str, headers: Headers) -> Result:
    """Render one map, in which a list repeats a header (Tencent, Alibaba)."""
    return {"headers": {name: values[0] if len(values) == 1 else values for name, values in headers.items()}}


def rest_headers(event: Event, status: str, headers: Headers) -> Result:
    """Render multi-value headers if the event had them, else only for what is repeated (AWS REST)."""
    if event.get("multiValueHeaders"):
        return {"multiValueHeaders": headers}
    single = {name: values[0] for name, values in headers.items() if len(values) == 1}
    repeated = {name: values for name, values in headers.items() if len(values) > 1}
    return {"headers": single, "multiValueHeaders": repeated} if repeated else {"headers": single}


def payload_2_headers(event: Event, status: str, headers: Headers) -> Result:
    """Render cookies as a list of their own, other repeats joined (AWS HTTP API, Lambda URL)."""
    cookies = [value for name, values in headers.items() if name.lower() == "set-cookie" for value in values]
    joined = {name: ",".join(values) for name, values in headers.items() if name.lower() != "set-cookie"}
    return {"headers": joined, "cookies": cookies} if cookies else {"headers": joined}


def load_balancer_headers(event: Event, status: str, headers: Headers) -> Result:
    """Render the status line and the kind of map that the event had (AWS ALB, VPC Lattice).

    A map of single values has one place a name, so a second cookie is spelled set-Cookie or so: names are compared
    without case, and the load balancer passes them on as they are.
    """
    if event.get("multiValueHeaders"):
        return {"statusDescription": status, "multiValueHeaders": headers}
    single = {}
    for name, values in headers.items():
        letters = [place for place, letter in enumerate(name) if letter.isalpha()]
        for number, value in enumerate(values if name.lower() == "set-cookie" else [",".join(values)]):
            swapped = {place for bit, place in enumerate(letters) if number >> bit & 1}
            spelled = (letter.swapcase() if place in swapped else letter for place, letter in enumerate(name))
            single["".join(spelled)] = value
    return {"statusDescription": status, "headers": single}


class Gateway(NamedTuple):
    """How one gateway spells a request, and how it reads a result."""

    name: str
    render_headers: Callable[[Event, str, Headers], Result]  # all of the result but status code and body
    query: tuple[str, ...]  # keys that may hold the query; the first that is not empty does
    addresses: tuple[str, ...] = ()  # what holds the client's address in the requestContext ("": itself) ...
    address_header: str = ""  # ... and else the header to which the platform appends it
    path: str = "path"
    method: str = "httpMethod"
    path_encoded: bool = True  # percent-encoded
    query_encoded: bool = False
    stage_hosts: tuple[str, ...] = ()  # where public URLs begin with the stage
    stage_in_path: bool = False  # whether the event's path does too
    maps_base_path: bool = False  # whether path mappings take API_GATEWAY_BASE_PATH off the event's path
    forwards: bool = True  # whether it sets X-Forwarded-Proto and -Port, or passes on the client's own
    binary: bool = True  # whether it decodes base64
    limit: int = 6 * MEGABYTE  # bytes of the result's JSON


MAPS = ("multiValueQueryStringParameters", "queryStringParameters")
TENCENT_QUERY = ("queryString", *MAPS)  # older shims and the local CLI fill AWS's keys only
FORWARDED_FOR, AMAZON = "HTTP_X_FORWARDED_FOR", (".amazonaws.com", ".amazonaws.com.cn")

AWS_REST = Gateway("aws-rest", rest_headers, MAPS, ("identity",), stage_hosts=AMAZON)
# An HTTP API decodes the path in both payloads: middleapi/standard-server#93, after captures in hotsock/voker#8.
AWS_HTTP_1 = AWS_REST._replace(name="aws-http-1", path_encoded=False, stage_in_path=True)
LAMBDA_URL = Gateway("aws-lambda-url", payload_2_headers, ("rawQueryString",), ("http",), path="rawPath")
AWS_HTTP = LAMBDA_URL._replace(name="aws-http", path_encoded=False, stage_hosts=AMAZON, stage_in_path=True)
ALB = Gateway("alb", load_balancer_headers, MAPS, (), FORWARDED_FOR, query_encoded=True, limit=MEGABYTE)
LATTICE = Gateway("aws-lattice", load_balancer_headers, MAPS, (), FORWARDED_FOR, method="method")
FC = Gateway("fc", list_headers, ("queryParameters",), ("http",), path="rawPath")
FC_API_GATEWAY = Gateway("fc-apigateway", list_headers, ("queryParameters",), (), FORWARDED_FOR)
FUNCTION_URL = Gateway("function-url", list_headers, TENCENT_QUERY, ("",), "HTTP_X_SCF_REMOTE_ADDR")
FUNCTION_URL = FUNCTION_URL._replace(forwards=False, binary=False)
TENCENT_API_GATEWAY = Gateway("apigw", list_headers, TENCENT_QUERY, ("", "identity"))
TENCENT_API_GATEWAY = TENCENT_API_GATEWAY._replace(stage_hosts=(".apigw.tencentcs.com",), maps_base_path=True)


def gateway_of(event: Event) -> Gateway | None:
    """Return the gateway by whose marks an event is known, None where it has no path and no method."""
    request = event["requestContext"] if isinstance(event.get("requestContext"), dict) else {}
    version = event.get("version")
    amazon = "resource" in event or ("apiId" in request and "httpMethod" in event)
    tencent = "serviceId" in request or ("stage" in request and not amazon)
    if "elb" in request:
        gateway = ALB
    elif version == "1.0":
        gateway = AWS_HTTP_1
    elif version is None and not tencent and (amazon or "multiValueHeaders" in event):
        gateway = AWS_REST
    elif version == "2.0" and "method" in event:
        gateway = LATTICE
    elif version == "2.0" and ".lambda-url." in text_of(request.get("domainName")):
        gateway = LAMBDA_URL
    elif version == "2.0" or "rawQueryString" in event:
        gateway = AWS_HTTP
    elif "rawPath" in event or "http" in request:
        gateway = FC
    elif "queryParameters" in event:
        gateway = FC_API_GATEWAY
    else:
        gateway = TENCENT_API_GATEWAY if tencent else FUNCTION_URL  # whose event has no mark of its own
    # A Bedrock agent's action group has a method, but is no request.
    has_place = isinstance(event.get(gateway.path), str) or method_of(gateway, event)
    return gateway if has_place and "actionGroup" not in event else None


def method_of(gateway: Gateway, event: Event) -> str:
    """Return the request's method, '' if the event has none."""
    method = event.get(gateway.method) or event.get("httpMethod") or find(event, "requestContext", "http", "method")
    return method if isinstance(method, str) and method.isascii() else ""


def find(value: Any, *keys: str) -> Any:
    """Return the value under nested keys, or None."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def text_of(value: Any) -> str:
    """Return a value that is a string, '' instead of any other."""
    return value if isinstance(value, str) else ""


def request_id_of(event: Event, context: Any) -> str:
    """Return the one id of environ, log and errors: the platform's, else the gateway's, else a random one."""
    try:  # Tencent's context is a dict, AWS's and Alibaba's an object
        own = getattr(context, "aws_request_id", None) or getattr(context, "request_id", None)
        own = own or find(context, "request_id")
    except Exception:  # noqa: BLE001 a property of a stand-in for the context raises
        own = None
    given = text_of(own) or text_of(find(event, "requestContext", "requestId"))
    given = given or text_of(find(event, "headers", "x-scf-request-id"))
    return NOT_IN_IDS("", given)[:100] or os.urandom(8).hex()


# --- Environ ----------------------------------------------------------------------------------------------------------

NOT_IN_IDS = re.compile(r"[^A-Za-z0-9_=.:-]").sub
ENVIRON: Environ = {"SERVER_PROTOCOL": "HTTP/1.1", "SERVER_SOFTWARE": "index.py", "GATEWAY_INTERFACE": "CGI/1.1"}
ENVIRON |= {"wsgi.version": (1, 0), "wsgi.run_once": False, "wsgi.multiprocess": True}  # there are other instances
ENVIRON |= {"REMOTE_PORT": "0"}  # no gateway says it, but a2wsgi tells an ASGI application of no client without one
# What gateways and browsers nearly always send, so that a request need not spell it anew.
COMMON_HEADERS = """Accept Accept-Encoding Accept-Language Authorization Cache-Control CloudFront-Viewer-Country Cookie
Connection Content-Type Host Origin Referer Upgrade-Insecure-Requests User-Agent Via X-Amzn-Trace-Id X-Forwarded-For
X-Forwarded-Port X-Forwarded-Proto X-Requested-With X-Scf-Remote-Addr X-Scf-Request-Id"""
# Where an authorizer says who calls: a function of one's own, Cognito, a JWT, IAM.
PRINCIPALS = "principalId", "lambda principalId", "claims sub", "jwt claims sub", "iam userArn"
SEPARATORS = {"HTTP_COOKIE": "; "}  # between repeats of a header, else a comma (RFC 6265 5.4, RFC 9110 5.3)


def build_environ(gateway: Gateway, event: Event, context: Any, method: str, request_id: str) -> Environ:
    """Return PEP 3333's environ without the body."""
    request = event["requestContext"] if isinstance(event.get("requestContext"), dict) else {}
    authorizer, environ = request.get("authorizer"), ENVIRON.copy()
    environ["REQUEST_METHOD"], environ["QUERY_STRING"] = method, query_string(gateway, event)
    environ["wsgi.errors"], environ["wsgi.multithread"] = sys.stderr, settings.multithread
    environ["serverless.event"], environ["serverless.context"] = event, context
    environ["serverless.authorizer"], environ["serverless.request_id"] = authorizer, request_id
    if settings.legacy_environ:
        environ["event"], environ["context"] = event, context
    add_headers(environ, event)
    if not gateway.binary:
        environ.pop("HTTP_ACCEPT_ENCODING", None)  # so that the application never compresses
    environ["REMOTE_ADDR"] = remote_address(gateway, request, environ)
    principal = principal_of(authorizer, request.get("identity"))
    if principal:
        environ["REMOTE_USER"] = native(str(principal))
    set_server(environ, gateway)
    set_path(environ, gateway, text_of(event.get(gateway.path)), request.get("stage"))
    return environ


def principal_of(authorizer: Any, identity: Any) -> Any:
    """Return who calls, as the authorizer or IAM says, None or '' if nobody does."""
    user = authorizer and next(filter(None, (find(authorizer, *place.split()) for place in PRINCIPALS)), None)
    own = identity if isinstance(identity, dict) else {}  # REST's and VPC Lattice's IAM
    return user or own.get("userArn") or own.get("principal")


def native(text: str) -> str:
    """Return PEP 3333's native string: one character for each byte of the UTF-8."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("latin-1")


def add_headers(environ: Environ, event: Event) -> None:
    """Set the variables of the request headers, from the multi-value map if there is one."""
    multiple = event.get("multiValueHeaders")
    headers: Any = multiple or event.get("headers")
    for name, values in headers.items() if isinstance(headers, dict) else ():
        key = VARIABLES[name] if name in VARIABLES else variable_name(name)
        try:
            [value] = values if multiple else (values,)
            value = value if str.isascii(value) else native(value)
        except (TypeError, ValueError):  # repeats, or bytes, numbers and nulls of tests
            values = [item for item in (values if isinstance(values, list) else [values]) if item is not None]
            key, value = key if values else "", SEPARATORS.get(key, ",").join(native(str(item)) for item in values)
        if key in environ:  # in another case
            value = SEPARATORS.get(key, ",").join((environ[key], value))
        environ[key] = value
    environ.pop("", None)
    if isinstance(event.get("cookies"), list) and event["cookies"]:  # a Lambda URL has the header too
        environ["HTTP_COOKIE"] = native("; ".join(map(str, event["cookies"])))


def variable_name(header: str) -> str:
    """Return `HTTP_ACCEPT_LANGUAGE` for `Accept-Language`, '' for a header that the application must not see."""
    # X_Forwarded_Proto would pose as X-Forwarded-Proto; HTTP clients obey HTTP_PROXY; the body here is whole.
    key = header.upper().replace("-", "_")
    hidden = key in ("PROXY", "TRANSFER_ENCODING", "CONTENT_LENGTH")
    if hidden or not header.replace("-", "").isalnum() or not header.isascii():
        return ""
    return key if key == "CONTENT_TYPE" else "HTTP_" + key


VARIABLES = {name: variable_name(name) for name in (COMMON_HEADERS + COMMON_HEADERS.lower()).split()}

# As quote_plus() does, first for ASCII, then for the rest as native() spells it, one character for each byte.
SAFE = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-~"
QUOTED = {byte: chr(byte) if byte in SAFE else f"%{byte:02X}" for byte in range(128)} | {ord(" "): "+"}
QUOTED_BYTES = {byte: f"%{byte:02X}" for byte in range(128, 256)}


def query_string(gateway: Gateway, event: Event) -> str:
    """Return the query, percent-encoded again where the gateway has decoded it."""
    query = event.get(gateway.query[0]) or next(filter(None, map(event.get, gateway.query)), "")
    if not isinstance(query, dict):
        return native(text_of(query))
    pairs, coding = [], {} if gateway.query_encoded else QUOTED
    for name, values in query.items():
        key = name if name.isalnum() else name.translate(coding)
        for value in values if isinstance(values, list) else (values,):
            text = f"{value}"
            text = text if text.isalnum() else text.translate(coding)
            # Tencent's API Gateway has true for a key without "=".
            pairs.append(key if value is True or value is None else f"{key}={text}")
    joined = "&".join(pairs)
    return joined if joined.isascii() else native(joined).translate(QUOTED_BYTES)


def remote_address(gateway: Gateway, request: Event, environ: Environ) -> str:
    """Return the client's address as the platform saw it, without a port."""
    for place in gateway.addresses:
        address = find(request, place, "sourceIp") if place else request.get("sourceIp")
        if address and isinstance(address, str):
            return native(address)
    address = last_element(environ.get(gateway.address_header, ""))
    if address.startswith("["):  # a load balancer may keep the port: 203.0.113.7:4711, [2001:db8::1]:4711
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


def last_element(value: str) -> str:
    """Return the last element of a header's list: what stands before it is the client's own claim."""
    return value.rpartition(",")[2].strip()


def set_server(environ: Environ, gateway: Gateway) -> None:
    """Set host, port and scheme: those of the event, else those of PUBLIC_URL."""
    host, forwarded = environ.get("HTTP_HOST", "").lower(), environ if gateway.forwards else {}
    port, scheme = forwarded.get("HTTP_X_FORWARDED_PORT", ""), forwarded.get("HTTP_X_FORWARDED_PROTO", "")
    if not host and settings.public_host:
        environ["HTTP_HOST"], host, port = settings.public_host, settings.public_host.lower(), ""
    if scheme != "https":
        scheme = last_element(scheme).lower()
        scheme = scheme if scheme in ("http", "https") else settings.public_scheme
    if ":" in host and not host.endswith("]"):  # the colons of [::1] begin no port
        host, _, own_port = host.rpartition(":")
        port = own_port or port
    port = port if port.isdecimal() else last_element(port)
    if not port.isdecimal():
        port = "443" if scheme == "https" else "80"
    environ["SERVER_NAME"], environ["SERVER_PORT"], environ["wsgi.url_scheme"] = host or "localhost", port, scheme


def set_path(environ: Environ, gateway: Gateway, path: str, stage: Any) -> None:
    """Set PATH_INFO, the application's own path, and SCRIPT_NAME, what the public URL has before it."""
    if not path.isascii() or " " in path:  # decoded already: no URL holds such a character
        path = native(path)
    elif "%" in path and gateway.path_encoded:
        path = unquote_to_bytes(path).decode("latin-1")
    if not path.startswith("/"):
        path = "/" + path
    script_name = ""
    if stage and gateway.stage_hosts and stage != "$default":
        prefix = native(f"/{stage}")
        in_path = gateway.stage_in_path and begins_with(path, prefix)
        # A custom domain's URLs have no stage, though AWS's HTTP API puts it into the path all the same.
        if environ["SERVER_NAME"].endswith(gateway.stage_hosts) and in_path == gateway.stage_in_path:
            script_name = "" if settings.strip_stage else prefix
        path = path[len(prefix) :] if in_path else path
    base = settings.base_path
    if base and begins_with(path, base):
        script_name, path = script_name + base, path[len(base) :]
    elif gateway.maps_base_path:
        script_name += base
    environ["SCRIPT_NAME"], environ["PATH_INFO"] = script_name, path or ("" if script_name else "/")


def begins_with(path: str, prefix: str) -> bool:
    """Return whether the path begins with the prefix as whole segments: /v1/x with /v1, but not /v1beta/x."""
    return path.startswith(prefix) and path[len(prefix) : len(prefix) + 1] in ("", "/")


def attach_body(environ: Environ, event: Event) -> None:
    """Set wsgi.input and CONTENT_LENGTH. Raise Problem 400 for a body that is said to be base64 and is not."""
    body, coded = event.get("body") or "", event.get("isBase64Encoded")
    content = body if isinstance(body, str) else json.dumps(body)  # a console test's JSON object where its text belongs
    try:  # Alibaba's API Gateway sends the word
        coded = coded and coded in (True, "true", "True") and isinstance(body, str)
        data = b64decode(content, validate=True) if coded else content.encode("utf-8", "replace")
    except ValueError as error:
        raise Problem("400 Bad Request", "The request's body is not valid base64.") from error
    environ["wsgi.input"], environ["CONTENT_LENGTH"] = BytesIO(data), f"{len(data)}"


# --- Application ------------------------------------------------------------------------------------------------------


def call_wsgi(application: Application, environ: Environ, limit: int) -> Response:
    """Call the application as PEP 3333 says and close its iterable. Raise what it raises, or AssertionError."""
    status, headers, size = "", [], 0  # of status and headers the last, where exc_info replaces the first
    chunks: list[bytes] = []

    def start_response(new_status: str, new_headers: Any, exc_info: Any = None) -> Callable[[bytes], None]:
        nonlocal status, headers
        if status and not exc_info:
            raise AssertionError("start_response was called a second time without exc_info.")
        if size:  # too late for another status
            raise exc_info[1].with_traceback(exc_info[2])
        status, headers = new_status, new_headers
        return write

    def write(chunk: bytes) -> None:
        nonlocal size
        if size <= limit:
            chunks.append(chunk)
        size += len(chunk)

    iterable = application(environ, start_response)
    try:
        for chunk in iterable:
            if chunk and not status:
                raise AssertionError("The application gave a body before it called start_response.")
            write(chunk)
            if size > limit:
                break  # the rest could not be sent, and may not fit into memory
    finally:
        if hasattr(iterable, "close"):
            iterable.close()
    if not status:
        raise AssertionError("The application did not call start_response.")
    return status, headers, b"".join(chunks)


def handle_wsgi_call(application: Application, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Serve FC's oldest HTTP trigger, which speaks WSGI but lacks SCRIPT_NAME and a response to errors."""
    method, context = environ.get("REQUEST_METHOD", "GET"), environ.get("fc.context")
    request_id = request_id_of({}, context)
    environ.pop("HTTP_PROXY", None)
    environ |= {"serverless.event": {}, "serverless.context": context, "serverless.request_id": request_id}
    environ |= {"event": {}, "context": context} if settings.legacy_environ else {}
    environ.setdefault("REMOTE_PORT", "0")
    if not environ.get("SCRIPT_NAME"):  # /2016-08-15/proxy/SERVICE/FUNCTION on the default domain
        path = unquote_to_bytes((environ.get("fc.request_uri") or "").partition("?")[0]).decode("latin-1")
        own = "" if environ.get("PATH_INFO") == "/" else environ.get("PATH_INFO") or ""
        environ["SCRIPT_NAME"] = path.rstrip("/").removesuffix(own) if path.endswith(own) else ""
    try:
        response = call_wsgi(application, environ, FC.limit)
        _, headers, body, *_ = validate(FC, method, response)
    except BaseException as error:  # noqa: BLE001 it is logged
        response = error_response(error, environ, request_id)
        _, headers, body, *_ = validate(FC, method, response)
    start_response(response[0], [(name, value) for name, values in headers.items() for value in values])
    return [body]


def configured_application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Call the application that WSGI_APPLICATION names; a failing import is answered like its other errors."""
    return load_application()(environ, start_response)


@cache
def load_application() -> Application:
    """Import the application that WSGI_APPLICATION names, or call the factory that it names: `module:create_app()`."""
    # The collector rests meanwhile, and then never looks at these objects, which all stay: a quarter of a cold start.
    name = settings.application or DEFAULT_APPLICATION
    gc.disable()
    try:
        target, called, _ = (name if ":" in name else f"{name}:application").partition("()")
        return as_wsgi(resolve_name(target)() if called else resolve_name(target))
    finally:
        gc.freeze()
        gc.enable()


def has_application() -> bool:
    """Return whether there is an application to import; a project that uses make_handler() names none."""
    try:
        return bool(settings.application) or find_spec(DEFAULT_APPLICATION.partition(":")[0]) is not None
    except ModuleNotFoundError:  # of its package
        return False


def as_wsgi(application: Any) -> Application:
    """Return an ASGI application as a WSGI one, others as they are. Raise ImportError if a2wsgi is not installed."""
    if not iscoroutinefunction(application) and not iscoroutinefunction(type(application).__call__):
        return application  # type: ignore[no-any-return]
    if not find_spec("a2wsgi"):
        raise ImportError("This is an ASGI application, which runs through a2wsgi: pip install a2wsgi")
    from a2wsgi import ASGIMiddleware

    async def logged(scope: Any, receive: Any, send: Any) -> None:
        try:
            await application(scope, receive, send)
        except Exception:  # which a2wsgi drops once Starlette has answered 500
            request_id = scope["wsgi_environ"].get("serverless.request_id", "")
            logger.exception("application.failed request_id=%s", request_id, extra={"request_id": request_id})
            raise

    return ASGIMiddleware(logged)  # type: ignore[return-value]  # a2wsgi types the environ more closely


# --- Response ---------------------------------------------------------------------------------------------------------

# Hop-by-hop headers: the gateway opens its own connection (RFC 9110 7.6.1), and PEP 3333 forbids them to applications.
HOP_BY_HOP = frozenset({"connection", "keep-alive", "te", "trailer", "trailers", "transfer-encoding", "upgrade"})
HOP_BY_HOP |= {"proxy-authenticate", "proxy-authorization", "proxy-connection"}
NO_BODY = frozenset({*range(100, 200), 204, 304})
Message = tuple[int, Headers, bytes, str, str, int]
STATUS = re.compile(r"[1-9]\d\d( [^\x00-\x1f\x7f]{0,200})?", re.ASCII).fullmatch
NAME = re.compile(r"[\w!#$%&'*+.^`|~-]{1,200}", re.ASCII).fullmatch
VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*").fullmatch
COMMON_TEXT = frozenset({"application/json", "text/html; charset=utf-8", "text/plain; charset=utf-8"})
TEXT_SUFFIXES = ("/json", "/xml", "/javascript", "+json", "+xml", "/x-www-form-urlencoded")


def render(gateway: Gateway, event: Event, method: str, response: Response) -> Result:
    """Return `statusCode`, `body`, `isBase64Encoded` and the headers in the gateway's form.

    Raise ValueError for what PEP 3333 forbids, Problem 502 for what the gateway could not carry.
    """
    code, headers, body, content_type, coding, size = validate(gateway, method, response, unicode)
    text = "" if not body else decode_text(body, content_type) if coding == "identity" else None
    if text is None and not gateway.binary:
        how = f"(content coding: {coding}) are not text, and {gateway.name} carries nothing else."
        raise refusal(f"{len(body)} bytes", content_type, how)
    result = gateway.render_headers(event, response[0], headers)
    result["statusCode"] = code
    result["body"] = b64encode(body).decode() if text is None else text
    result["isBase64Encoded"] = text is None
    # JSON makes at most six bytes of one, so only a result that may be over the limit is measured.
    if 8 * size + 4096 > gateway.limit and (size := len(json.dumps(result))) > gateway.limit:
        raise refusal("A response", content_type, f"makes {size} bytes of JSON, over {gateway.name}'s limit.")
    return result


def validate(gateway: Gateway, method: str, response: Response, decode: Callable[[str], str] = str) -> Message:
    """Return (code, headers, body, content type, content coding, size) as they may go out. Raise as render() does."""
    status, pairs, body = response
    code, size, headers = status_code(status), len(body) + 200 * len(pairs), {}  # a name's length at most
    found: Headers = {}  # the same lists by the name in lower case
    for name, value in pairs:
        if not (value.isascii() and value.isprintable()):
            if not VALUE(value):
                raise ValueError("A response header's value has a control character or no byte.")
            value = decode(value)
        key, value = lower_name(name), value.strip(" \t")  # RFC 9113 8.2.1
        size += len(value)
        if key in found:
            found[key].append(value)
        elif key:
            found[key] = headers[name] = [value]
    content_type = found["content-type"][-1] if "content-type" in found else ""
    coding = found["content-encoding"][-1] if "content-encoding" in found else "identity"
    length = found.get("content-length")
    if code in NO_BODY or method == "HEAD":
        body = b""
        if length and code in NO_BODY and code != 304:  # RFC 9110 8.6: no length where no method has a body
            headers = {name: values for name, values in headers.items() if values is not length}
    elif len(body) > gateway.limit:  # where call_wsgi() stopped reading
        raise refusal("A response", content_type, f"is over {gateway.limit} bytes, the limit of {gateway.name}.")
    elif length and length != [str(len(body))]:
        raise ValueError("The Content-Length is not the length of the body.")
    return code, headers, body, content_type, coding, size


@lru_cache(256)  # the application sends the same ones again and again
def status_code(status: str) -> int:
    """Return 404 for "404 Not Found". Raise ValueError for what is no status line."""
    if not STATUS(status):
        raise ValueError("The status is not three digits and a reason.")
    return int(status[:3])


@lru_cache(256)
def lower_name(name: str) -> str:
    """Return a header's name in lower case, '' for a hop-by-hop header. Raise ValueError for what is no token."""
    if not NAME(name):
        raise ValueError("A response header's name is no token.")
    return "" if name.lower() in HOP_BY_HOP else name.lower()


def unicode(value: str) -> str:
    """Return a header's value as text: the reverse of native() where the bytes are UTF-8, else as it is."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value


def decode_text(body: bytes, content_type: str) -> str | None:
    """Return the body as text, None where it must go as base64; gateways write UTF-8, so only what UTF-8 makes too."""
    try:
        if content_type in COMMON_TEXT:
            return body.decode()
        kind, *parameters = content_type.lower().replace(" ", "").split(";")
        charsets = [parameter[8:].strip("\"'") for parameter in parameters if parameter.startswith("charset=")]
        is_text = not kind or kind.startswith("text/") or kind.endswith(TEXT_SUFFIXES) or kind in settings.text_types
        if charsets and charsets[0] not in ("", "utf-8"):
            body.decode(charsets[0])
        return body.decode() if charsets or is_text else None
    except (LookupError, UnicodeError):
        return None


def refusal(what: str, content_type: str, how: str) -> Problem:
    """Return the 502 for a response that the gateway could not carry; parameters of its type may be personal."""
    kind = content_type.partition(";")[0].strip().lower() or "no content type"
    return Problem("502 Bad Gateway", f"{what} of {kind} {how}")


# --- Errors -----------------------------------------------------------------------------------------------------------


def error_response(error: BaseException, environ: Environ, request_id: str) -> Response:
    """Log an error and return its response: problem+json (RFC 9457) for JSON, else ERROR_PAGE, else a sentence."""
    if isinstance(error, KeyboardInterrupt):
        raise error
    extra, page = {"request_id": request_id}, ""
    if isinstance(error, Problem):
        status, detail = error.args
        logger.error("request.refused request_id=%s %s %s", request_id, status, detail, extra=extra)
    else:
        status, detail = "500 Internal Server Error", "Something went wrong here. The error was logged."
        logger.error("application.failed request_id=%s", request_id, exc_info=error, extra=extra)
        page = settings.error_page.replace("{request_id}", request_id)
    accept, content_type = str(environ.get("HTTP_ACCEPT", "")).lower(), str(environ.get("CONTENT_TYPE", "")).lower()
    if "json" in content_type or ("json" in accept and "text/" not in accept):
        members = {"title": status[4:], "status": int(status[:3]), "detail": detail, "request_id": request_id}
        kind, body = "application/problem+json", json.dumps(members)
    elif page:
        kind, body = "text/html; charset=utf-8", page
    else:
        kind, body = "text/plain; charset=utf-8", f"{detail}\nRequest id: {request_id}\n"
    return status, [("Content-Type", kind), ("X-Request-Id", request_id)], body.encode()


# --- Commands and other triggers --------------------------------------------------------------------------------------

HTTP_KEYS = frozenset({"httpMethod", "path", "rawPath", "headers", "multiValueHeaders", "requestContext"})
SOURCES = {"manage", "timer", "cos", "ckafka", "cmq", "cls", "s3", "sqs", "sns", "ses", "kinesis", "dynamodb"}
COMMAND_LOCK = RLock()  # a command has the process's standard output to itself


def handle_trigger(event: Event, context: Any) -> Any:
    """Return what the function of EVENT_HANDLERS returns, or `{"exit_code": int, "output": str}` of a command.

    Raise CommandFailed for a timer whose command fails, UnknownEvent for an event that nothing handles.
    """
    source = event_source(event)
    if source in settings.event_handlers:
        return resolve_name(settings.event_handlers[source])(event, context)
    if source not in ("manage", "timer"):
        raise UnknownEvent(f"EVENT_HANDLERS names no function for this event: {describe(event)}.")
    argv = event["manage"] if source == "manage" else event.get("Message") or event.get("payload")
    exit_code, output = run_command(argv, request_id_of(event, context))
    if exit_code and source == "timer":
        raise CommandFailed(f"The timer's command ended with exit code {exit_code}: {output[-2000:]}")
    return {"exit_code": exit_code, "output": output}


def event_source(event: Event) -> str:
    """Return who sent an event that is not HTTP: manage, timer, cos, ckafka, cmq, cls, s3, sqs, ... or unknown."""
    records = event.get("Records")
    record = records[0] if isinstance(records, list) and records and isinstance(records[0], dict) else {}
    if not HTTP_KEYS.isdisjoint(event):  # a WebSocket's message, say: it must not run a command
        return "unknown"
    is_timer = event.get("Type") == "Timer" or "triggerName" in event  # Tencent's, Alibaba's
    signs = {"manage": "manage" in event, "timer": is_timer, "cls": "clslogs" in event}
    marks = [*filter(signs.get, signs), *(key for key in map(str.lower, record) if key in ("cos", "ckafka", "cmq"))]
    named = record.get("eventSource") or record.get("EventSource") or event.get("source")
    if event and not (marks or named or "Records" in event):  # a direct invocation: a name that is no source
        marks = [name for name in settings.event_handlers if name not in SOURCES]
    source = marks[0] if marks else text_of(named).rpartition(":")[2]
    return source if re.fullmatch(r"[a-z0-9._-]{1,40}", source) else "unknown"  # it goes into the log


def describe(event: Event) -> str:
    """Return which event this was, by its keys: its values may be personal."""
    return f"{event_source(event)} with the keys {', '.join(sorted(map(str, event))[:10]) or '(none)'}"


def run_command(argv: Any, request_id: str) -> tuple[int, str]:
    """Run a management command, a list of words or a line, if allowed. Return (exit code, output); 126: refused."""
    import shlex

    try:
        argv = shlex.split(argv) if isinstance(argv, str) else argv
    except ValueError as error:
        return 2, f"The command cannot be read: {error}."
    if not isinstance(argv, list) or not argv or not all(isinstance(word, str) for word in argv):
        return 2, "A command is a list of strings."
    if has_application():
        load_application()  # names Django's settings
    command, extra = allowed(argv), {"request_id": request_id}
    if not command:
        logger.error("command.refused request_id=%s", request_id, extra=extra)  # not its words, which may be anything
        return 126, "MANAGE_COMMANDS does not allow this command with these words."
    from django.core.management import execute_from_command_line

    code: Any = None
    with COMMAND_LOCK, redirect_stdout(ThreadOutput(sys.stdout)) as output, redirect_stderr(output):
        try:
            execute_from_command_line(["manage.py", *command])
        except SystemExit as end:
            code = end.code
        except Exception as error:  # noqa: BLE001 it is logged below, where standard error is itself again
            code = error
    if isinstance(code, Exception):
        logger.error("command.failed request_id=%s %s", request_id, command[0], exc_info=code, extra=extra)
        code = f"{type(code).__name__}: the log says where."  # its text may be personal
    # sys.exit("a sentence") prints it and ends with 1.
    return (1, f"{output.getvalue()}{code}\n") if isinstance(code, str) else (code or 0, output.getvalue())


def allowed(argv: list[str]) -> list[str]:
    """Return the argv as it may run, [] if it may not.

    An entry of MANAGE_COMMANDS is a command and the words that may follow it in any order; one that ends in `=` takes
    any value. `--option 5` becomes `--option=5`, so that a value can never turn into an argument.
    """
    commands = settings.commands
    if commands is None:
        conf = sys.modules.get("django.conf")  # which the application has imported, unless it is not Django's
        commands = getattr(conf and conf.settings, "MANAGE_COMMANDS", DEFAULT_COMMANDS)
    for name, *words in filter(None, map(str.split, commands.split(";"))):
        command, rest = [name], iter(argv[1:])
        for word in rest:
            if word in words or ("=" in word and word[: word.index("=") + 1] in words):
                command.append(word)
            elif f"{word}=" in words:
                command.append(f"{word}={next(rest, '')}")
            else:
                break
        else:
            if name == argv[0]:
                return command
    return []


class ThreadOutput(StringIO):
    """A stream for the thread that makes it, while it is stdout; others write, and log handlers later, beneath."""

    def __init__(self, beneath: TextIO) -> None:
        super().__init__()
        self.beneath, self.thread = beneath, get_ident()

    def write(self, text: str) -> int:
        return super().write(text) if sys.stdout is self and get_ident() == self.thread else self.beneath.write(text)


def main(arguments: list[str]) -> int:
    """Print the result of one event, from a file or from standard input. Return 1 for an error, else 0."""
    try:
        event = Path(arguments[0]).read_bytes() if arguments else sys.stdin.buffer.read()
        result = main_handler(event, {"request_id": "local"})
    except (OSError, UnknownEvent, CommandFailed) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    sys.stdout.write(json.dumps(result, ensure_ascii=False, indent=2) + "\n")
    return int(isinstance(result, dict) and (result.get("statusCode", 0) >= 500 or bool(result.get("exit_code"))))


settings = Settings.read(os.environ)

# On a platform the application is imported now, in the phase that has its own time limit; a failing import is reported
# by the platform. Elsewhere (tests, another project that uses make_handler) on the first event that needs it.
if any(name in os.environ for name in PLATFORM_VARIABLES) and has_application():
    load_application()

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
