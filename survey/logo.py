"""The logo of the chain: an SVG or PNG file as a data URI for an <img>, where browsers run no script. No Django.

A file is checked all the same, since somebody may open the image in a tab of its own.
"""

from __future__ import annotations

import base64
import re
from typing import Any
from xml.parsers import expat

MAX_BYTES = 4_000  # every guest's page carries it
PNG = b"\x89PNG\r\n\x1a\n"
SVG_NAMESPACE = "http://www.w3.org/2000/svg"
# Elements that run script, hold other documents, or change attributes that were checked.
FORBIDDEN = {
    *("script", "foreignobject", "iframe", "embed", "object", "audio", "video", "handler", "listener"),
    *("a", "image", "feimage", "set", "animate", "animatemotion", "animatetransform", "discard"),
}
# Of styles and attributes: what loads something from elsewhere. `url(#gradient)` is of the same file.
EXTERNAL = re.compile(r"@import|url\(\s*['\"]?\s*(?!['\"#\s])|expression\(|javascript:|data:", re.IGNORECASE)
PREFIXES = {"data:image/svg+xml;base64,": True, "data:image/png;base64,": False}  # of the URI: whether it is an SVG


class UnsafeLogo(ValueError):
    """Raised for a file that is no logo; the text says why, in terms of the file."""


def data_uri(content: bytes) -> str:
    """Return the data URI of a file. Raises UnsafeLogo."""
    if len(content) > MAX_BYTES:
        raise UnsafeLogo("too large")
    is_png = content.startswith(PNG)
    if not is_png:
        check_svg(content)
    return f"data:image/{'png' if is_png else 'svg+xml'};base64,{base64.b64encode(content).decode()}"


def content_of(uri: str) -> bytes:
    """Return the file of a data URI that `data_uri` made. Raises UnsafeLogo for any other."""
    prefix = next((prefix for prefix in PREFIXES if uri.startswith(prefix)), None)
    if prefix is None:
        raise UnsafeLogo("not an SVG or PNG")
    try:
        content = base64.b64decode(uri.removeprefix(prefix), validate=True)
    except ValueError:
        raise UnsafeLogo("not an SVG or PNG") from None
    if data_uri(content) != uri:
        raise UnsafeLogo("not an SVG or PNG")
    return content


def check_svg(content: bytes) -> None:
    """Raise UnsafeLogo unless the file is a well-formed SVG without script, other documents and external references."""
    parser = expat.ParserCreate(namespace_separator=" ")
    names: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        namespace, _space, local = name.rpartition(" ")
        if not names and (namespace, local) != (SVG_NAMESPACE, "svg"):
            raise UnsafeLogo("not an SVG or PNG")
        names.append(local.lower())
        if local.lower() in FORBIDDEN:
            raise UnsafeLogo(f"<{local}>")
        for key, value in attributes.items():
            _check_attribute(key.rpartition(" ")[2].lower(), value)

    def text(data: str) -> None:
        if names and names[-1] == "style":
            styles.append(data)

    def end(_name: str) -> None:
        if names.pop() == "style" and EXTERNAL.search("".join(styles)):
            raise UnsafeLogo("<style>")

    def refuse(*_arguments: Any) -> None:  # noqa: ANN401  (of expat)
        raise UnsafeLogo("<!DOCTYPE> or <?xml-stylesheet?>")

    styles: list[str] = []
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.StartDoctypeDeclHandler = parser.ProcessingInstructionHandler = refuse
    try:
        parser.Parse(content, True)
    except expat.ExpatError:
        raise UnsafeLogo("not an SVG or PNG") from None


def _check_attribute(name: str, value: str) -> None:
    is_link = name in ("href", "src") and not value.strip().startswith("#")
    if name.startswith("on") or is_link or EXTERNAL.search(value):
        raise UnsafeLogo(name)
