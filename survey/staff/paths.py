"""The paths of the staff's pages, kept: to look six of them up anew took a fortieth of the overview's CPU."""

from __future__ import annotations

from functools import lru_cache

from django.urls import get_script_prefix, reverse


def path(view: str) -> str:
    """Return the path of a view that takes no arguments."""
    return _path(view, get_script_prefix())


@lru_cache(maxsize=256)  # a client may have chosen the prefix
def _path(view: str, prefix: str) -> str:
    """Return the path behind a prefix, which reverse() adds."""
    return reverse(view)
