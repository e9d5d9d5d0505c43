"""Which bridges get what right: the conformance suite's table for index.py and its peers.

python -m benchmarks.bridge_correctness       (in an environment with requirements-bench.txt)
"""

from __future__ import annotations

import sys

from conformance.__main__ import main

if __name__ == "__main__":
    sys.exit(main([]))
