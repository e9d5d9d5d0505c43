"""Static files: WhiteNoise, quiet about a folder that collectstatic has not made yet."""

from __future__ import annotations

from pathlib import Path

from whitenoise.middleware import WhiteNoiseMiddleware


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """Serves STATIC_ROOT where it exists; before `collectstatic` the files come from the apps' folders."""

    def add_files(self, root: str, prefix: str | None = None) -> None:
        """Add a folder, unless it is not there: in a fresh clone that is the normal case, not a warning."""
        if Path(root).is_dir():
            super().add_files(root, prefix=prefix)
