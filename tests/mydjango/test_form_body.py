"""Every form refuses bytes that are not UTF-8, and accepts every other value unchanged."""

from __future__ import annotations

import pytest
from django.test import Client

from survey.models import Submission

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"
FORMS = [
    "/hello/",
    "/welcome/post",
    "/jieba/",
    "/",
    "/submitSurvey",
    "/erase",
    "/dashboard/login/",
    "/dashboard/logout/",
    "/dashboard/language/",
    "/dashboard/password/forgotten/",
    "/dashboard/branches/add/",
    "/admin/survey/branch/add/",
]


def part(name: bytes, value: bytes, *headers: bytes) -> bytes:
    head = b"\r\n".join((b'Content-Disposition: form-data; name="' + name + b'"', *headers))
    return b"--x\r\n" + head + b"\r\n\r\n" + value + b"\r\n--x--\r\n"


NOT_UTF8 = [
    (URLENCODED, b"name=\xff\xfe"),
    (URLENCODED, b"name=%FF%FE"),
    (URLENCODED, b"name=%E7%8E&x=%8B"),  # one character over two values
    (URLENCODED, b"name=%ED%A0%80"),  # half a surrogate pair
    (URLENCODED, b"\xff=Tom"),
    (URLENCODED, b"%C3%28=Tom"),
    (URLENCODED + "; charset=gbk", "name=王".encode("gbk")),
    (MULTIPART, part(b"name", b"\xff\xfe")),
    (MULTIPART, part(b"\xff\xfe", b"Tom")),
    (MULTIPART, part(b"name", b"//4=", b"Content-Transfer-Encoding: base64")),
    (MULTIPART, part(b"x", b"Tom").replace(b'name="x"', b"name*=gbk''x")),
    (MULTIPART + "; charset=gbk", part(b"name", "王".encode("gbk"))),
]


@pytest.mark.parametrize(("content_type", "body"), NOT_UTF8)
def test_every_form_refuses_bytes_that_are_not_utf8(chain, content_type: str, body: bytes) -> None:
    client = Client()
    client.force_login(chain.head)
    for path in FORMS:
        response = client.generic("POST", path, body, content_type=content_type)
        assert (path, response.status_code) == (path, 400)
        assert response["Content-Type"] == "text/plain; charset=utf-8"
        assert response.content.decode() == "The form is not valid UTF-8."
    response = client.generic(
        "POST", "/hello/", body, content_type=content_type, headers={"accept": "application/json"}
    )
    assert response.json()["detail"] == "The form is not valid UTF-8."
    assert not Submission.objects.exists()


@pytest.mark.parametrize("name", ["王芳", "�", "a%b+c&d", "\x00", "🍜"])
def test_any_utf8_value_is_accepted(client: Client, name: str) -> None:
    for path, greeting in (("/hello/", "Hello world !"), ("/welcome/post", "POST")):
        assert client.post(path, {"name": name}).content.decode() == f"{greeting} {name}"
        raw = client.generic("POST", path, part(b"name", name.encode()), content_type=MULTIPART)
        assert raw.content.decode() == f"{greeting} {name}"
    unescaped = client.generic("POST", "/hello/", "name=王%芳".encode(), content_type=f"{URLENCODED}; charset=UTF-8")
    assert unescaped.content.decode() == "Hello world ! 王%芳"


def test_an_unknown_path_stays_404(client: Client) -> None:
    assert client.generic("POST", "/nothing/here", b"name=%FF", content_type=URLENCODED).status_code == 404
