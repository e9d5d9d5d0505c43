"""What guests see and send: the survey page, the submission, privacy and erasure."""
