"""Serve and invoke the function on this machine, in instances held to the platform's limits."""
