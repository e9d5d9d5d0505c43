"""The platform's runtime in one instance process: import the handler, then serve invocations one at a time.

Run as a script with `HANDLER KIND FOLDER`. It imports the standard library only, so that the function finds in its
process no more than the platform puts there. Frames arrive on the original standard input and leave on the original
standard output: two lengths (head and payload, four bytes each, big-endian), a JSON head, a payload of bytes. The
function's own output goes to standard error. Two file descriptors as further arguments take the frames instead, and
leave standard input and output to a debugger.
"""

from __future__ import annotations

import importlib
import json
import os
import struct
import sys
import time
import traceback
from types import SimpleNamespace
from typing import Any, BinaryIO

LENGTHS = struct.Struct("!II")


def write_frame(stream: BinaryIO, head: dict[str, Any], payload: bytes = b"") -> None:
    """Send one frame."""
    encoded = json.dumps(head).encode()
    stream.write(LENGTHS.pack(len(encoded), len(payload)) + encoded + payload)
    stream.flush()


def read_frame(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """Return the next frame, or None where the stream ends, even within a frame."""
    lengths = stream.read(LENGTHS.size)
    if len(lengths) < LENGTHS.size:
        return None
    head_length, payload_length = LENGTHS.unpack(lengths)
    content = stream.read(head_length + payload_length)
    if len(content) < head_length + payload_length:
        return None
    return json.loads(content[:head_length]), content[head_length:]


def peak_memory() -> int:
    """Return the most memory that this process has held so far, in bytes.

    On Linux getrusage would also count the process that started this one, before exec.
    """
    try:
        with open("/proc/self/status", "rb") as status:  # noqa: PTH123  (pathlib would be one more import here)
            for line in status:
                if line.startswith(b"VmHWM:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass  # not Linux
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


class LambdaContext(SimpleNamespace):
    """AWS's context."""

    def __init__(self, **fields: Any) -> None:  # noqa: ANN401  (JSON values)
        super().__init__(**fields)
        self._deadline = time.monotonic() + fields["time_limit_in_ms"] / 1000

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the platform ends this invocation."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


CONTEXTS = {"scf": dict, "lambda": LambdaContext, "fc": SimpleNamespace}


def error_head(error: BaseException) -> dict[str, Any]:
    """Write the traceback to the log and return the head that reports the exception in one line."""
    traceback.print_exception(error)
    sys.stderr.flush()
    return {"error_type": type(error).__name__, "error": " ".join(str(error).split()), "peak": peak_memory()}


def call_handler(handler: Any, event: Any, context: Any) -> tuple[dict[str, Any], bytes]:  # noqa: ANN401
    """Call the handler once and return the frame to send. SystemExit ends the process, as on the platform."""
    started = time.perf_counter()
    result = b""
    try:
        result = json.dumps(handler(event, context)).encode()
    except Exception as error:  # noqa: BLE001  (any exception of the function is reported)
        head = error_head(error)
    else:
        head = {"peak": peak_memory()}
    return head | {"duration": time.perf_counter() - started}, result


def main(name: str, kind: str, folder: str, *streams: str) -> None:
    """Serve invocations until the gateway closes the stream."""
    taken, given = map(int, streams) if streams else (os.dup(0), os.dup(1))
    requests, results = os.fdopen(taken, "rb"), os.fdopen(given, "wb")
    if not streams:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
    sys.path[0] = folder
    try:
        module, _, attribute = name.rpartition(".")
        handler = getattr(importlib.import_module(module.replace("/", ".")), attribute)
    except Exception as error:  # noqa: BLE001  (any exception of the import is reported)
        write_frame(results, error_head(error))
        return
    write_frame(results, {"peak": peak_memory()})
    while (frame := read_frame(requests)) is not None:
        head, payload = frame
        event = payload if head["bytes"] else json.loads(payload)
        write_frame(results, *call_handler(handler, event, CONTEXTS[kind](**head["context"])))


if __name__ == "__main__":
    main(*sys.argv[1:])
