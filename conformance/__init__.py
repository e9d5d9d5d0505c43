"""A suite for bridges between function platforms and WSGI: events, what applications must see, what platforms must get.

The cases are data: `cases/*.json`, over the recorded events of `tests/events`. `python -m conformance package:handler`
runs them against any bridge, in processes of its own, and prints a table. docs/bridge.md has the format.
"""
