"""Which text a guest agreed to."""

from __future__ import annotations

# The newest version of templates/guest/privacy.html, and those that answers may still name. A change of the text gets
# a new version in front; each answer stores the one that stood on its page.
CONSENT_VERSIONS = ("2026-11-21", "2026-11")
CONSENT_VERSION = CONSENT_VERSIONS[0]
