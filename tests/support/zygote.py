"""`python -m tests.support.zygote SOCKET`: import the function once, then fork an instance for each connection.

An instance reads a line with an event and writes a line with the result, until the connection is closed. Instances are
forked to leave out the imports of a cold start.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import sys
from typing import Any

CONTEXT: dict[str, Any] = {"time_limit_in_ms": 30_000, "request_id": "test", "memory_limit_in_mb": 128}


def serve_events(connection: socket.socket) -> None:
    """Handle the events of one connection, one after the other."""
    import index

    with connection.makefile("rw", encoding="utf-8") as lines:
        for line in lines:
            request = json.loads(line)
            result = index.main_handler(request["event"], {**CONTEXT, **request.get("context", {})})
            lines.write(json.dumps({"pid": os.getpid(), "result": result}) + "\n")
            lines.flush()


def main(path: str) -> None:
    """Handle one request to import everything, then listen and fork."""
    import index

    index.main_handler({"httpMethod": "GET", "path": "/", "headers": {}, "requestContext": {"stage": "x"}}, CONTEXT)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(1024)
        print("ready", flush=True)
        while True:
            connection, _address = listener.accept()
            if os.fork() == 0:
                listener.close()
                try:
                    serve_events(connection)
                finally:
                    os._exit(0)
            connection.close()


if __name__ == "__main__":
    main(sys.argv[1])
