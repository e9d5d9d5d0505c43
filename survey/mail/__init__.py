"""Mail: queued with what causes it, sent by a timer."""
