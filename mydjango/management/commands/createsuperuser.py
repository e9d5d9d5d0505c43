"""`manage.py createsuperuser`: Django's, but it creates no account with an empty password."""

from __future__ import annotations

import os
from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.core.management.base import CommandError

VARIABLE = "DJANGO_SUPERUSER_PASSWORD"


class Command(createsuperuser.Command):
    """With --noinput Django uses any value of the variable, and templates of deployments set it to '' by default."""

    def handle(self, *args: Any, **options: Any) -> str | None:  # noqa: ANN401  (Django's signature)
        if not options["interactive"] and VARIABLE in os.environ and not os.environ[VARIABLE].strip():
            raise CommandError(
                f"{VARIABLE} is empty: no account was made. Set it to the password of the new account, or unset it "
                "for an account without a password."
            )
        return super().handle(*args, **options)
