"""The text endpoints respond exactly as documented."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from django.test import Client


@pytest.mark.parametrize("name", ["Tom", "王芳", "🍜", "a b+c", "50%", "<b>Tom</b>", "a/b"])
def test_every_endpoint_returns_the_name(client: Client, name: str) -> None:
    expected = {
        f"Hello world ! {name}": [client.get("/hello/", {"name": name}), client.post("/hello/", {"name": name})],
        f"hello {name}": [client.get(f"/hello/{quote(name, safe='')}")],
        f"POST {name}": [client.post("/welcome/post", {"name": name})],
        f"GET {name}": [client.get("/welcome/get", {"name": name})],
    }
    for text, responses in expected.items():
        for response in responses:
            assert (response.status_code, response.content.decode()) == (200, text)
            assert response["Content-Type"] == "text/plain; charset=utf-8"


def test_a_missing_name_is_400_with_the_reason(client: Client) -> None:
    for response in (
        client.get("/hello/"),
        client.post("/hello/"),
        client.get("/welcome/get?name="),
        client.post("/welcome/post"),
    ):
        assert response.status_code == 400
        assert "name is missing" in response.content.decode()


def test_another_method_is_405_and_json_callers_get_a_problem(client: Client) -> None:
    response = client.get("/welcome/post", headers={"accept": "application/json"})
    assert response.status_code == 405
    assert response["Content-Type"] == "application/problem+json"
    assert response["Allow"] == "POST"
    assert response.json()["status"] == 405
    assert client.delete("/hello/").status_code == 405
    assert client.post("/welcome/get").status_code == 405
