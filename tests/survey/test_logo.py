"""A logo is an SVG or PNG file in which nothing can run, and which loads nothing."""

from __future__ import annotations

import base64

import pytest

from survey.logo import MAX_BYTES, PNG, UnsafeLogo, content_of, data_uri

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">'
PLAIN = (
    f'{HEAD}<title>小满</title><defs><linearGradient id="g"><stop offset="0" stop-color="#0a7d3f"/></linearGradient>'
    '<style>.a { fill: url(#g) }</style><path id="p" d="M0 0h9v9z"/></defs>'
    '<use xlink:href="#p" class="a"/><rect width="3" height="3" fill="url(#g)" style="stroke: url( \'#g\' )"/></svg>'
)


def svg(inner: str) -> bytes:
    return f"{HEAD}{inner}</svg>".encode()


def test_a_plain_svg_with_gradients_and_styles_is_taken_as_it_is() -> None:
    uri = data_uri(PLAIN.encode())
    assert uri.startswith("data:image/svg+xml;base64,")
    assert content_of(uri).decode() == PLAIN


def test_an_svg_with_an_xml_declaration_and_comments_is_taken() -> None:
    data_uri(b'<?xml version="1.0" encoding="UTF-8"?>\n<!-- by an editor -->\n' + PLAIN.encode())


def test_a_png_is_taken() -> None:
    assert data_uri(PNG + b"...").startswith("data:image/png;base64,")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (svg("<script>alert(1)</script>"), "<script>"),
        (svg("<SCRIPT/>"), "<SCRIPT>"),
        (svg('<x:script xmlns:x="http://www.w3.org/2000/svg"/>'), "<script>"),
        (svg('<script xmlns="http://www.w3.org/1999/xhtml"/>'), "<script>"),
        (svg("<foreignObject/>"), "<foreignObject>"),
        (svg('<g onload="alert(1)"/>'), "onload"),
        (svg('<g ONCLICK="alert(1)"/>'), "onclick"),
        (svg('<image href="https://evil.example/x.png"/>'), "<image>"),
        (svg('<a href="#p"/>'), "<a>"),
        (svg('<use href="https://evil.example/x.svg#p"/>'), "href"),
        (svg('<use xlink:href=" javascript:alert(1)"/>'), "href"),
        (svg('<use href="data:image/svg+xml,x#p"/>'), "href"),
        (svg('<set attributeName="href" to="https://evil.example"/>'), "<set>"),
        (svg('<animate attributeName="href" values="#p"/>'), "<animate>"),
        (svg('<rect fill="url(https://evil.example/#g)"/>'), "fill"),
        (svg("<rect style=\"fill: url( 'https://evil.example/#g')\"/>"), "style"),
        (svg('<rect fill="url(&#x68;ttps://evil.example)"/>'), "fill"),
        (svg('<style>@import "https://evil.example";</style>'), "<style>"),
        (svg("<style>.a { fill: url(//evil.<!-- -->example) }</style>"), "<style>"),
        (b'<?xml-stylesheet href="https://evil.example"?>' + PLAIN.encode(), "<!DOCTYPE> or <?xml-stylesheet?>"),
        (b'<!DOCTYPE svg [<!ENTITY a "aaaa">]>' + svg("<text>&a;</text>"), "<!DOCTYPE> or <?xml-stylesheet?>"),
        (b"<!DOCTYPE html><html></html>", "<!DOCTYPE> or <?xml-stylesheet?>"),
        (b"<html xmlns='http://www.w3.org/1999/xhtml'/>", "not an SVG or PNG"),
        (b"<svg/>", "not an SVG or PNG"),  # no image without its namespace
        (svg("<g>"), "not an SVG or PNG"),
        (b"GIF89a", "not an SVG or PNG"),
        (b"", "not an SVG or PNG"),
        (PNG.ljust(MAX_BYTES + 1), "too large"),
    ],
)
def test_a_file_that_could_run_or_load_anything_is_refused(content: bytes, reason: str) -> None:
    with pytest.raises(UnsafeLogo, match=reason.replace("?", r"\?")):
        data_uri(content)


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/x.svg",
        "data:text/html;base64,PHN2Zy8+",
        "data:image/svg+xml,%3Csvg/%3E",
        "data:image/png;base64,!!",
        'data:image/png;base64,"onerror="alert(1)',
        "data:image/svg+xml;base64," + base64.b64encode(svg("<script/>")).decode(),
        "data:image/png;base64," + base64.b64encode(PLAIN.encode()).decode(),  # another type than it says
    ],
)
def test_only_a_data_uri_of_such_a_file_is_read_back(uri: str) -> None:
    with pytest.raises(UnsafeLogo):
        content_of(uri)
