"""Helpers of the tests: servers, processes, a small chain."""
