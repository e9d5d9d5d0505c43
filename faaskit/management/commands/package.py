"""`manage.py package`: `faaskit package`."""

from faaskit.management.verb_command import VerbCommand


class Command(VerbCommand):
    verb = "package"
