"""The platform's runtime inside one instance process: import the handler, then answer invocations one at a time.

Run as a script with `HANDLER KIND FOLDER`; standard library only, so that the function finds in its process no more
than the platform puts there. Frames come in on what was standard input and go out on what was standard output: two
lengths (head and payload, four bytes each, big-endian), a head of JSON, a payload of bytes. The function's own output
goes to standard error.
"""

from __future__ import annotations

import importlib
import json
import os
import struct
import sys
import time
import traceback
from typing import Any, BinaryIO

LENGTHS = struct.Struct("!II")


def write_frame(stream: BinaryIO, head: dict[str, Any], payload: bytes = b"") -> None:
    """Send one frame."""
    encoded = json.dumps(head).encode()
    stream.write(LENGTHS.pack(len(encoded), len(payload)) + encoded + payload)
    stream.flush()


def read_frame(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """The next frame; None at the end of the stream, also one in the middle of a frame."""
    lengths = stream.read(LENGTHS.size)
    if len(lengths) < LENGTHS.size:
        return None
    head_length, payload_length = LENGTHS.unpack(lengths)
    content = stream.read(head_length + payload_length)
    if len(content) < head_length + payload_length:
        return None
    return json.loads(content[:head_length]), content[head_length:]


def peak_memory() -> int:
    """The most memory this process has held so far, in bytes.

    getrusage would also count the process that started this one, before exec.
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


class LambdaContext:
    """AWS's context: an object."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.__dict__.update(fields)
        self._deadline = time.monotonic() + fields["time_limit_in_ms"] / 1000

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the platform ends this invocation."""
        return max(0, int((self._deadline - time.monotonic()) * 1000))


class FunctionComputeContext:
    """Aliyun's context: an object."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self.__dict__.update(fields)


CONTEXTS = {"scf": dict, "lambda": LambdaContext, "fc": FunctionComputeContext}


def describe(error: BaseException, text: str = "") -> dict[str, Any]:
    """An exception as the gateway is told of it; its traceback goes to the log."""
    print(text or "".join(traceback.format_exception(error)), end="", file=sys.stderr, flush=True)
    # One sentence, with the place for what cannot even be parsed.
    message = " ".join(str(error).split())
    return {"error_type": type(error).__name__, "error": message, "peak": peak_memory()}


def invoke(handler: Any, event: Any, context: Any) -> tuple[dict[str, Any], bytes]:  # noqa: ANN401
    """Call the handler once: the frame to send. SystemExit ends the process, as on the platform."""
    started = time.perf_counter()
    try:
        result = json.dumps(handler(event, context)).encode()
    except Exception as error:  # noqa: BLE001  (whatever the function raises is reported)
        head = describe(error)
    else:
        head = {"peak": peak_memory()}
    head["duration"] = time.perf_counter() - started
    if head.get("error_type"):
        return head, b""
    return head, result


def main(name: str, kind: str, folder: str) -> None:
    """Serve invocations until the gateway closes the stream."""
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    sys.path[0] = folder
    started = time.perf_counter()
    try:
        module, _, attribute = name.rpartition(".")
        handler = getattr(importlib.import_module(module.replace("/", ".")), attribute)
    except Exception as error:  # noqa: BLE001  (whatever importing raises is reported)
        write_frame(answers, describe(error))
        return
    write_frame(answers, {"init": time.perf_counter() - started, "peak": peak_memory()})
    make_context = CONTEXTS[kind]
    while (frame := read_frame(requests)) is not None:
        head, payload = frame
        event = payload if head["bytes"] else json.loads(payload)
        write_frame(answers, *invoke(handler, event, make_context(head["context"])))


if __name__ == "__main__":
    main(*sys.argv[1:4])
