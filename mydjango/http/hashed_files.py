"""The storage of `collectstatic`: keep the files that pages link to, and delete the others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.staticfiles.storage import ManifestStaticFilesStorage


class HashedFilesStorage(ManifestStaticFilesStorage):
    """Keeps what pages link to, since all of it is uploaded: hashed names, and x.min.js in the place of x.js."""

    def post_process(self, *args: Any, **options: Any) -> Iterator[Any]:  # noqa: ANN401
        """Hash the files, then delete the others."""
        yield from super().post_process(*args, **options)
        for plain, hashed in self.hashed_files.items():
            if plain != hashed:
                self.delete(plain)
            if plain.removesuffix(".js") + ".min.js" in self.hashed_files:
                self.delete(hashed)
