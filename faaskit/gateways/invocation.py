"""One invocation of the function: the platform's status code, the result and the cost."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

# The platform's status codes (SCF 42611).
SUCCESS, EVENT_TOO_LARGE, RESULT_TOO_LARGE = 200, 406, 407
USER_ERROR, TIMED_OUT, OUT_OF_MEMORY, PROCESS_EXIT, IMPORT_ERROR = 430, 433, 434, 439, 443


@dataclass
class Invocation:
    """The outcome of one event."""

    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    code: int = SUCCESS
    error: str = ""
    output: bytes = b""  # the result as JSON
    cold: bool = False
    init: float = 0.0  # seconds of a cold start, else 0
    duration: float = 0.0  # seconds in the handler
    peak: int = 0  # bytes
    instance: int = 0

    def fail(self, code: int, error: str) -> None:
        self.code, self.error = code, error

    @property
    def result(self) -> Any:  # noqa: ANN401  (a handler returns any value)
        """The value that the handler returned."""
        return json.loads(self.output)
