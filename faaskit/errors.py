"""The base of every error that a user can do something about."""

from __future__ import annotations


class FaaskitError(Exception):
    """A command cannot go on; the message tells its user what to know or to do."""
