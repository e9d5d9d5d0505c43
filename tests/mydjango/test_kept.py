"""Many different long inputs leave nothing in an instance's memory: neither in our caches nor in Python's."""

from __future__ import annotations

import encodings
import gc
import io
import logging
import tracemalloc
from collections.abc import Callable, Iterator
from wsgiref.util import setup_testing_defaults

import pytest

from mydjango.wsgi import application

LENGTH = 20_000
TIMES = 150
URLENCODED = "application/x-www-form-urlencoded"
Send = Callable[[str], int]


def send(path: str = "/", method: str = "GET", query: str = "", body: str = "", **environ: str) -> int:
    """Send a request through the WSGI application and return the status."""
    content = body.encode()
    whole: dict[str, object] = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_LENGTH": str(len(content)),
        "wsgi.input": io.BytesIO(content),
        **environ,
    }
    setup_testing_defaults(whole)
    statuses: list[str] = []
    body_parts = application(whole, lambda status, headers, exception=None: statuses.append(status))
    b"".join(body_parts)
    body_parts.close()
    return int(statuses[0].partition(" ")[0])


INPUTS: dict[str, Send] = {
    "a path": lambda text: send(f"/nothing/{text}"),
    "a path that a view takes": lambda text: send(f"/hello/{text}"),
    "a branch": lambda text: send("/s/", query=text),
    "a query": lambda text: send("/hello/", query=f"name={text}&{text}=1"),
    "a language in the URL": lambda text: send("/privacy", query=f"lang={text}"),
    "a variant of a language": lambda text: send("/privacy", query=f"lang=en-{text}"),
    "Accept-Language": lambda text: send("/privacy", HTTP_ACCEPT_LANGUAGE=f"en-{text}"),
    "a cookie": lambda text: send("/privacy", HTTP_COOKIE=f"django_language=en-{text}; {text}=1"),
    "Accept": lambda text: send("/nothing", HTTP_ACCEPT=f"text/{text}"),
    "a host": lambda text: send("/hello/", HTTP_HOST=text),
    "a media type": lambda text: send("/hello/", "POST", CONTENT_TYPE=f"text/{text}"),
    "a charset": lambda text: send("/hello/", "POST", body="name=Tom", CONTENT_TYPE=f"{URLENCODED}; charset={text}"),
    "a parameter's encoding": lambda text: send("/hello/", "POST", CONTENT_TYPE=f"text/plain; a*={text}''x"),
    "a part's encoding": lambda text: send(
        "/hello/",
        "POST",
        body="".join(
            f"--x\r\nContent-Disposition: form-data; name*={text[:20]}{number}{'x' * 800}''n\r\n\r\n\r\n"
            for number in range(25)
        )
        + "--x--\r\n",
        CONTENT_TYPE="multipart/form-data; boundary=x",
    ),
    "a field": lambda text: send("/hello/", "POST", body=f"{text}={text}", CONTENT_TYPE=URLENCODED),
    "a boundary": lambda text: send("/hello/", "POST", CONTENT_TYPE=f"multipart/form-data; boundary={text}"),
    "an origin": lambda text: send("/dashboard/login/", "POST", HTTP_ORIGIN=f"https://{text}"),
    "a method": lambda text: send("/hello/", text),
}


@pytest.fixture
def no_log() -> Iterator[None]:
    """Disable logging, since pytest keeps every record of a test with its request."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.django_db
@pytest.mark.usefixtures("no_log", "real_project")
@pytest.mark.parametrize("name", INPUTS)
def test_a_long_input_is_not_kept(name: str) -> None:
    for number in range(3):  # fills the caches that any such request fills
        INPUTS[name](f"warm{number}" + "x" * LENGTH)
    tracemalloc.start()
    try:
        gc.collect()
        before, _peak = tracemalloc.get_traced_memory()
        for number in range(TIMES):
            assert INPUTS[name](f"marked{number}-" + "x" * LENGTH) < 500
        gc.collect()
        after, _peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < TIMES * LENGTH / 4  # a quarter of the 3 MB that were sent


@pytest.mark.django_db
@pytest.mark.usefixtures("real_project")
def test_an_unknown_charset_is_not_looked_up() -> None:
    """Python caches the names of unknown encodings for ever."""
    before = len(encodings._cache)
    for number in range(20):
        assert send("/hello/", "POST", body="name=Tom", CONTENT_TYPE=f"{URLENCODED}; charset=unknown-{number}") == 200
    assert len(encodings._cache) == before
    refused = send("/hello/", "POST", body="name=Tom", CONTENT_TYPE=f"{URLENCODED}; charset=latin-1")
    assert refused == 400
    assert send("/hello/", "POST", body="name=Tom", CONTENT_TYPE=f"{URLENCODED}; charset=UTF-8") == 200
