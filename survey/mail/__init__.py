"""Mail: queued with a submission or an account, delivered by a timer."""
