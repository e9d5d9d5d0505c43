"""E-mail addresses: their validation, and the canonical form of an address or a login name."""

from __future__ import annotations

import re
import unicodedata

from django.core.validators import EmailValidator
from django.utils.deconstruct import deconstructible
from django.utils.encoding import punycode
from django.utils.functional import SimpleLazyObject

USER = r"(?ai)[-!#$%&'*+/=?^_`{}|~0-9A-Z]+(?:\.[-!#$%&'*+/=?^_`{}|~0-9A-Z]+)*\Z"


@deconstructible
class MailAddressValidator(EmailValidator):
    """Django's validator, without the addresses that break a mail header.

    Django also accepts quoted local parts, control characters included, which no mailbox of a guest needs. Django
    validates the Unicode form of a domain, but mail carries the ASCII form, in which U+FF0C is a comma and U+FF20 an @.
    """

    user_regex = SimpleLazyObject(lambda: re.compile(USER))  # type: ignore[assignment]  # compiled when it is used

    def validate_domain_part(self, domain_part: str) -> bool:
        """Return whether the domain is valid in its ASCII form."""
        try:
            return bool(super().validate_domain_part(punycode(domain_part)))
        except UnicodeError:
            return False


validate_mail_address = MailAddressValidator()


def canonical_name(typed: str) -> str:
    """Return the one form of a login name or an e-mail address that decides lookup and limit.

    Full-width letters, combining accents, capitals and spaces around it do not matter; accents do.
    """
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", typed).casefold()).strip()
