"""Demo data: a made-up chain with a year of submissions, the same on each run."""
