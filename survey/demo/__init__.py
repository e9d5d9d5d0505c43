"""A chain to look at."""
