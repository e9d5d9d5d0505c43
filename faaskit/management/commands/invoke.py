"""`manage.py invoke`: `faaskit invoke`."""

from faaskit.management.verb_command import VerbCommand


class Command(VerbCommand):
    verb = "invoke"
