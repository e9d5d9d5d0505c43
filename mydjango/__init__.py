"""The project: its settings and URLs, and what any Django app needs on a function platform."""
