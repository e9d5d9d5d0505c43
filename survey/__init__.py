"""The survey: the app for guests, for staff and for the timers, with its text analysis."""
