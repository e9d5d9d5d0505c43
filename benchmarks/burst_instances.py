"""Instances of a release for benchmarks/burst.py: `python burst_instances.py SOCKET EVENT` in its folder.

Imports the function, handles EVENT, and forks an instance for each connection to SOCKET: events in, status codes out.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import signal
import sys
from multiprocessing.connection import Listener

CONTEXT = {"time_limit_in_ms": 30_000, "memory_limit_in_mb": 128}


def main(address: str, event: str) -> None:
    """Fork instances until the process is terminated."""
    import index  # of the release, by PYTHONPATH

    index.main_handler(json.loads(event), CONTEXT)
    logging.disable(logging.INFO)  # one line a submission
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with Listener(address, backlog=1_024) as listener:
        print("listening", flush=True)
        while True:
            with listener.accept() as connection:
                if os.fork() == 0:
                    with contextlib.suppress(EOFError):
                        while True:
                            connection.send(index.main_handler(connection.recv(), CONTEXT)["statusCode"])
                    os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
