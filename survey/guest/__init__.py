"""The guests' side: survey page, submission, privacy notice, erasure."""
