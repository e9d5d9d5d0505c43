"""Run the cases of one set of environment variables against one handler, and print their faults as JSON.

python -m conformance.worker package:handler aws,tencent '{"API_GATEWAY_BASE_PATH": "v1"}'
"""

from __future__ import annotations

import contextlib
import json
import logging
import pkgutil
import signal
import sys
import warnings

from conformance.check import faults, load_rows


def give_up(number: int, frame: object) -> None:
    """Raise out of a case that takes too long."""
    raise TimeoutError("no answer within 20 seconds")


def main(name: str, platforms: str, variables: str) -> None:
    """Print {row: [faults]} of the cases that want these variables, which are set."""
    logging.disable()
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, give_up)
    wanted = json.loads(variables)
    found: dict[str, list[str]] = {}
    with contextlib.redirect_stdout(sys.stderr):  # a bridge may print
        handler = pkgutil.resolve_name(name)
        for row, cases in load_rows(set(filter(None, platforms.split(",")))).items():
            for case in cases:
                if case.get("variables", {}) == wanted:
                    signal.alarm(20)
                    found.setdefault(row, []).extend(faults(handler, case))
                    signal.alarm(0)
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
