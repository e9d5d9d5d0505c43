"""Versions of the privacy notice that guests agree to."""

from __future__ import annotations

# The version of templates/guest/privacy.html, then older ones that submissions may still name. A change of the text
# adds a version in front; each submission stores the version that its page showed.
CONSENT_VERSIONS = ("2026-11-22", "2026-11-21", "2026-11")
CONSENT_VERSION = CONSENT_VERSIONS[0]
