"""The storage of `collectstatic`: shrink the files, keep those that pages link to, and delete the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.files.base import ContentFile, File


class HashedFilesStorage(ManifestStaticFilesStorage):
    """Keeps what pages link to, since all of it is uploaded: hashed names, and x.min.js in the place of x.js.

    Comments and white space go from scripts and stylesheets: a Function URL compresses nothing.
    """

    def _save(self, name: str, content: File[Any]) -> str:
        """Save a file, without comments and white space if it is a script or a stylesheet."""
        if name.endswith((".js", ".css")) and ".min." not in name:
            content.seek(0)  # the hash has been computed from it
            content = ContentFile(_shrink(name, content.read()))
        return str(super()._save(name, content))  # type: ignore[misc]  # the stubs know the public methods alone

    def post_process(self, *args: Any, **options: Any) -> Iterator[Any]:  # noqa: ANN401
        """Hash the files, then delete the others."""
        yield from super().post_process(*args, **options)
        for plain, hashed in self.hashed_files.items():
            if plain != hashed:
                self.delete(plain)
            if plain.removesuffix(".js") + ".min.js" in self.hashed_files:
                self.delete(hashed)


def _shrink(name: str, content: bytes) -> bytes:
    # Imported on use: on the machine that packages.
    import rcssmin
    import rjsmin

    text = content.decode()
    shrunk: str = rjsmin.jsmin(text) if name.endswith(".js") else rcssmin.cssmin(text)
    return shrunk.encode()
