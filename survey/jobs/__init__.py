"""What timers run."""
