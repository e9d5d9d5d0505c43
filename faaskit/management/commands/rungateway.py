"""`manage.py rungateway`: `faaskit serve`."""

from faaskit.management.verb_command import VerbCommand


class Command(VerbCommand):
    verb = "serve"
