"""`manage.py logs`: `faaskit logs`."""

from faaskit.management.verb_command import VerbCommand


class Command(VerbCommand):
    verb = "logs"
