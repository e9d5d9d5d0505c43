"""Helpers that test modules share; nothing here is a test."""
