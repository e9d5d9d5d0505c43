"""`manage.py deploy`: `faaskit deploy`."""

from faaskit.management.verb_command import VerbCommand


class Command(VerbCommand):
    verb = "deploy"
