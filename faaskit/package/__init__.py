"""Build what is uploaded, and verify it."""
